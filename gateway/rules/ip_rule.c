#include "rules/ip_rule.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/reason.h"
#include "base/text.h"

static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

static int is_v4(const uint8_t address[static 16])
{
	return memcmp(address, mapped, sizeof(mapped)) == 0;
}

/* The number of bits that the written form counts from: 96 for v4, 0 for v6. */
static int parse_address(const char *text, uint8_t ret[static 16], int *ret_base)
{
	uint8_t address[16];
	memcpy(address, mapped, sizeof(mapped));
	*ret_base = 96;
	if (inet_pton(AF_INET, text, address + 12) != 1) {
		if (inet_pton(AF_INET6, text, address) != 1)
			return -REASON_BAD_VALUE;
		*ret_base = 0;
	}
	memcpy(ret, address, 16);
	return 0;
}

static int parse_bits(const char *text, int base, uint8_t *ret)
{
	int bits = 0;
	if (!isdigit((unsigned char)*text) || strlen(text) > 3 ||
		(text[0] == '0' && text[1]))
		return -REASON_BAD_VALUE;
	for (; isdigit((unsigned char)*text); text++)
		bits = bits * 10 + *text - '0';
	if (*text || base + bits > 128)
		return -REASON_BAD_VALUE;
	*ret = (uint8_t)(base + bits);
	return 0;
}

static int bit_of(const uint8_t address[static 16], int bit)
{
	return address[bit / 8] >> (7 - bit % 8) & 1;
}

int ip_rule_parse(const char *text, struct ip_rule *ret)
{
	struct ip_rule rule = {.bits = 128};
	char address[IP_RULE_TEXT];
	int base;
	const char *slash = strchr(text, '/');
	size_t len = slash ? (size_t)(slash - text) : strlen(text);
	if (len >= sizeof(address))
		return -REASON_BAD_VALUE;
	memcpy(address, text, len);
	address[len] = 0;
	if (parse_address(address, rule.address, &base) ||
		(slash && parse_bits(slash + 1, base, &rule.bits)))
		return -REASON_BAD_VALUE;
	for (int bit = rule.bits; bit < 128; bit++)
		if (bit_of(rule.address, bit))
			return -REASON_BAD_VALUE;
	*ret = rule;
	return 0;
}

static void print_address(const uint8_t address[static 16], char *ret, size_t size)
{
	const char *text =
		is_v4(address) ? inet_ntop(AF_INET, address + 12, ret, (socklen_t)size)
			       : inet_ntop(AF_INET6, address, ret, (socklen_t)size);
	CHECK(text != NULL);
}

void ip_rule_print(const struct ip_rule *rule, char ret[static IP_RULE_TEXT])
{
	char address[INET6_ADDRSTRLEN];
	int v4 = is_v4(rule->address) && rule->bits >= 96;
	print_address(rule->address, address, sizeof(address));
	if (rule->bits == 128)
		snprintf(ret, IP_RULE_TEXT, "%s", address);
	else
		snprintf(ret, IP_RULE_TEXT, "%s/%d", address, rule->bits - (v4 ? 96 : 0));
}

static int within(const struct ip_rule *rule, const uint8_t address[static 16])
{
	size_t whole = rule->bits / 8;
	if (memcmp(rule->address, address, whole))
		return 0;
	for (int bit = (int)whole * 8; bit < rule->bits; bit++)
		if (bit_of(rule->address, bit) != bit_of(address, bit))
			return 0;
	return 1;
}

int ip_rule_match(const struct ip_rule *rules, size_t count, const char *text)
{
	uint8_t address[16];
	int base;
	if (parse_address(text, address, &base))
		return 0;
	/* A v6 network such as ::/0 means v6: v4 addresses are there only in our own notation. */
	for (size_t i = 0; i < count; i++)
		if ((rules[i].bits >= 96 || !is_v4(address)) &&
			within(&rules[i], address))
			return 1;
	return 0;
}

void ip_rule_prefix(const char *text, char ret[static IP_RULE_TEXT])
{
	uint8_t address[16];
	char printed[INET6_ADDRSTRLEN];
	int base;
	if (parse_address(text, address, &base)) {
		snprintf(ret, IP_RULE_TEXT, "?");
		return;
	}
	int v4 = is_v4(address);
	if (!v4)
		memset(address + 8, 0, 8);
	print_address(address, printed, sizeof(printed));
	snprintf(ret, IP_RULE_TEXT, v4 ? "%s" : "%s/64", printed);
}
