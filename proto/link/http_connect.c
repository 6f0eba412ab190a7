#include "link/http_connect.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/reason.h"
#include "base/secret.h"

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Decodes %XX; control characters would let a password write headers of its own. */
static int unescape(const char *text, size_t len, char *ret, size_t size)
{
	size_t used = 0;
	for (size_t i = 0; i < len; i++) {
		int c = (unsigned char)text[i];
		if (c == '%') {
			int high = i + 2 < len ? hex_digit(text[i + 1]) : -1;
			int low = high >= 0 ? hex_digit(text[i + 2]) : -1;
			if (low < 0)
				return -REASON_BAD_VALUE;
			c = high << 4 | low;
			i += 2;
		}
		if (c < 0x20 || c == 0x7f || used + 1 >= size)
			return -REASON_BAD_VALUE;
		ret[used++] = (char)c;
	}
	ret[used] = 0;
	return 0;
}

/* RFC 7617: standard base64 with padding. */
static void basic(const char *credentials, char *ret, size_t size)
{
	char text[TEXT_B64_SIZE(HTTP_CONNECT_CREDENTIALS)];
	text_b64(text, credentials, strlen(credentials));
	for (char *at = text; *at; at++)
		*at = *at == '-' ? '+' : *at == '_' ? '/' : *at;
	const char *padding[] = {"", "", "==", "="};
	snprintf(ret, size, "Basic %s%s", text, padding[strlen(text) % 4]);
	secret_wipe(text, sizeof(text));
}

static int credentials(const char *text, size_t len, struct http_connect_proxy *ret)
{
	char plain[HTTP_CONNECT_CREDENTIALS];
	if (!memchr(text, ':', len))
		return -REASON_BAD_VALUE;
	int rc = unescape(text, len, plain, sizeof(plain));
	if (!rc)
		basic(plain, ret->authorization, sizeof(ret->authorization));
	secret_wipe(plain, sizeof(plain));
	return rc;
}

int http_connect_parse(const char *url, struct http_connect_proxy *ret)
{
	struct http_connect_proxy proxy = {0};
	char host[TEXT_HOST_SIZE + 8];
	if (!strncasecmp(url, "http://", 7))
		url += 7;
	else if (strstr(url, "://"))
		return -REASON_BAD_VALUE;
	size_t len = strcspn(url, "/");
	const char *at = memrchr(url, '@', len);
	int rc = at ? credentials(url, (size_t)(at - url), &proxy) : 0;
	if (rc)
		return rc;
	const char *from = at ? at + 1 : url;
	size_t host_len = len - (size_t)(from - url);
	if (!host_len || host_len >= sizeof(host))
		return -REASON_BAD_VALUE;
	memcpy(host, from, host_len);
	host[host_len] = 0;
	rc = text_endpoint(&proxy.at, host, HTTP_CONNECT_PORT);
	if (!rc && !proxy.at.host[0])
		rc = -REASON_BAD_VALUE;
	if (!rc)
		*ret = proxy;
	secret_wipe(&proxy, sizeof(proxy));
	return rc;
}

static int exempted_by(const char *entry, size_t len, const char *host)
{
	size_t host_len = strlen(host);
	if (len == 1 && *entry == '*')
		return 1;
	if (len && *entry == '.') {
		entry++;
		len--;
	}
	if (!len || len > host_len || strncasecmp(host + host_len - len, entry, len))
		return 0;
	return len == host_len || host[host_len - len - 1] == '.';
}

int http_connect_exempt(const char *no_proxy, const char *host)
{
	while (no_proxy && *no_proxy) {
		no_proxy += strspn(no_proxy, ", \t");
		size_t len = strcspn(no_proxy, ", \t");
		if (exempted_by(no_proxy, len, host))
			return 1;
		no_proxy += len;
	}
	return 0;
}

int http_connect_request(const struct http_connect_proxy *proxy,
	const struct text_endpoint *target, struct buf *out)
{
	char name[TEXT_HOST_SIZE + 16];
	char request[3 * sizeof(name) + sizeof(proxy->authorization)];
	text_endpoint_text(name, sizeof(name), target);
	int len = snprintf(request, sizeof(request),
		"CONNECT %s HTTP/1.1\r\nHost: %s\r\n%s%s%s\r\n", name, name,
		proxy->authorization[0] ? "Proxy-Authorization: " : "",
		proxy->authorization, proxy->authorization[0] ? "\r\n" : "");
	int rc = len < (int)sizeof(request) ? buf_append(out, request, (size_t)len)
					    : -REASON_LIMIT;
	secret_wipe(request, sizeof(request));
	return rc;
}

int http_connect_answer(const uint8_t *bytes, size_t len, int *ret_status,
	size_t *ret_used)
{
	static const char START[] = "HTTP/1.";
	size_t start = sizeof(START) - 1;
	if (memcmp(bytes, START, len < start ? len : start))
		return -REASON_PROTOCOL;
	const uint8_t *end = memmem(bytes, len, "\r\n\r\n", 4);
	if (!end)
		return len < HTTP_CONNECT_ANSWER_MAX ? 0 : -REASON_PROTOCOL;
	const uint8_t *at = bytes + start;
	if (end - at < 5 || at[1] != ' ' || at[2] < '1' || at[2] > '5' || at[3] < '0' ||
		at[3] > '9' || at[4] < '0' || at[4] > '9')
		return -REASON_PROTOCOL;
	*ret_status = (at[2] - '0') * 100 + (at[3] - '0') * 10 + (at[4] - '0');
	*ret_used = (size_t)(end - bytes) + 4;
	return 1;
}
