#include "alert/target.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "base/reason.h"

/* Nobody's receiver is there: this machine, its neighbours on the wire, and what is no address of one
 * machine (RFC 6890). */
static const char *const never[] = {"0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16",
	"192.0.0.0/24", "224.0.0.0/3", "::/128", "::1/128", "fe80::/10", "ff00::/8",
	"64:ff9b::/96"};
static const char *const inside[] = {"10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12",
	"192.168.0.0/16", "198.18.0.0/15", "fc00::/7"};

int target_parse(struct target_rules *ret, const char *text)
{
	struct target_rules rules = {0};

	while (*(text += strspn(text, ", "))) {
		char one[IP_RULE_TEXT];
		size_t len = strcspn(text, ", ");
		if (len >= sizeof(one) || rules.count == TARGET_NETWORKS)
			return -REASON_BAD_VALUE;
		memcpy(one, text, len);
		one[len] = '\0';
		if (ip_rule_parse(one, &rules.networks[rules.count]))
			return -REASON_BAD_VALUE;
		rules.count++;
		text += len;
	}
	*ret = rules;
	return 0;
}

static int is_in(const char *const *networks, size_t count, const char *text)
{
	for (size_t i = 0; i < count; i++) {
		struct ip_rule rule;
		if (!ip_rule_parse(networks[i], &rule) && ip_rule_match(&rule, 1, text))
			return 1;
	}
	return 0;
}

static int address_text(const struct sockaddr *address, char *ret)
{
	const struct sockaddr_in *v4 = (const void *)address;
	const struct sockaddr_in6 *v6 = (const void *)address;

	if (address->sa_family == AF_INET)
		return inet_ntop(AF_INET, &v4->sin_addr, ret, INET6_ADDRSTRLEN) != NULL;
	if (address->sa_family == AF_INET6)
		return inet_ntop(AF_INET6, &v6->sin6_addr, ret, INET6_ADDRSTRLEN) != NULL;
	return 0;
}

int target_permits(const struct target_rules *rules, const char *tenant,
	const struct sockaddr *address)
{
	char text[INET6_ADDRSTRLEN];

	if (!address_text(address, text))
		return 0;
	if (rules->count)
		return ip_rule_match(rules->networks, rules->count, text);
	if (is_in(never, ARRAY_LEN(never), text))
		return 0;
	return !*tenant || !is_in(inside, ARRAY_LEN(inside), text);
}
