#include "rules/directory_address.h"

#include <string.h>
#include <strings.h>

#include "base/text.h"

static int is_host_and_port(const char *text)
{
	struct text_endpoint endpoint;
	return *text &&
	       strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
			    "0123456789.-_:[]") == strlen(text) &&
	       !text_endpoint(&endpoint, text, 389) && *endpoint.host;
}

static int is_socket(const char *text)
{
	return !strncasecmp(text, "%2F", 3) &&
	       strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
			    "0123456789.-_%") == strlen(text);
}

static int is_loopback(const char *text)
{
	struct text_endpoint endpoint;
	return !text_endpoint(&endpoint, text, 389) &&
	       (!strcmp(endpoint.host, "127.0.0.1") || !strcmp(endpoint.host, "::1"));
}

int directory_address_ldap(const char *url, int start_tls, struct field_error *error)
{
	if (!strncmp(url, "ldapi://", 8))
		return is_socket(url + 8)
			       ? 0
			       : field_fail(error, "ldap.url",
					 "ldapi:// and the socket's path are expected, "
					 "with %%2F for each /");
	if (!strncmp(url, "ldaps://", 8) && is_host_and_port(url + 8))
		return start_tls ? field_fail(error, "ldap.start_tls",
					   "is for ldap://; ldaps:// is encrypted "
					   "from the start")
				 : 0;
	if (strncmp(url, "ldap://", 7) || !is_host_and_port(url + 7))
		return field_fail(error, "ldap.url",
			"ldaps://HOST, ldap://HOST or ldapi://SOCKET is expected");
	if (!start_tls && !is_loopback(url + 7))
		return field_fail(error, "ldap.url",
			"passwords do not go over the net in clear: ldaps:// or "
			"start_tls is needed");
	return 0;
}

int directory_address_issuer(const char *issuer, struct field_error *error)
{
	char text[TEXT_HOST_SIZE];
	if (!strncmp(issuer, "https://", 8)) {
		issuer += 8;
		size_t host = strcspn(issuer, "/?#");
		if (host && host < sizeof(text) && !strpbrk(issuer, "?# \"<>\\^`{|}")) {
			memcpy(text, issuer, host);
			text[host] = 0;
			if (is_host_and_port(text))
				return 0;
		}
	}
	return field_fail(error, "oidc.issuer", "https://HOST[/PATH] is expected");
}

int directory_address_template(const char *text)
{
	const char *place = strstr(text, DIRECTORY_ADDRESS_PLACE);
	return place && !strstr(place + 1, DIRECTORY_ADDRESS_PLACE);
}

int directory_address_filter(const char *text)
{
	int depth = 0;
	size_t len = strlen(text);
	if (text[0] != '(' || !directory_address_template(text))
		return 0;
	for (size_t i = 0; i < len; i++) {
		depth += text[i] == '(';
		depth -= text[i] == ')';
		if (depth < 1 && i + 1 < len)
			return 0;
	}
	return depth == 0;
}

int directory_address_is_local(const char *url)
{
	return !strncmp(url, "ldapi://", 8) ||
	       (!strncmp(url, "ldap://", 7) && is_loopback(url + 7));
}
