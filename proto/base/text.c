#include "base/text.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/reason.h"

/* Length of the character at `at`, 0 when it is not one: no overlong forms, no surrogates. */
static size_t utf8_next(const uint8_t *at, size_t left, uint32_t *ret)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	if (left == 0)
		return 0;
	if (at[0] < 0x80) {
		*ret = at[0];
		return 1;
	}
	size_t len = at[0] >= 0xF0 ? 4 : at[0] >= 0xE0 ? 3 : 2;
	if (at[0] < 0xC2 || at[0] > 0xF4 || len > left)
		return 0;
	uint32_t code = at[0] & (0x7Fu >> len);
	for (size_t i = 1; i < len; i++) {
		if ((at[i] & 0xC0) != 0x80)
			return 0;
		code = code << 6 | (at[i] & 0x3F);
	}
	if (code < least[len] || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF))
		return 0;
	*ret = code;
	return len;
}

size_t text_utf8_span(const void *bytes, size_t len)
{
	const uint8_t *at = bytes;
	uint32_t code;
	size_t i = 0, n = 1;
	for (; i < len && n; i += n)
		n = utf8_next(at + i, len - i, &code);
	return i;
}

bool text_utf8_valid(const void *bytes, size_t len)
{
	return text_utf8_span(bytes, len) == len;
}

size_t text_deceit(const char *text)
{
	const unsigned char *at = (const unsigned char *)text;
	if (at[0] < 0x20 || at[0] == 0x7f)
		return 1;
	if (at[0] == 0xc2 && at[1] >= 0x80 && at[1] < 0xa0)
		return 2;
	if (at[0] == 0xd8 && at[1] == 0x9c)
		return 2;
	if (at[0] == 0xe2 && at[1] == 0x80 &&
		((at[2] >= 0x8b && at[2] <= 0x8f) || (at[2] >= 0xa8 && at[2] <= 0xae)))
		return 3;
	if (at[0] == 0xe2 && at[1] == 0x81 && at[2] >= 0xa0 && at[2] <= 0xaf)
		return 3;
	if (at[0] == 0xef && at[1] == 0xbb && at[2] == 0xbf)
		return 3;
	return 0;
}

bool text_is_plain(const char *text)
{
	if (!text_utf8_valid(text, strlen(text)))
		return false;
	for (; *text; text++)
		if (text_deceit(text))
			return false;
	return true;
}

int text_copy(char *ret, size_t size, const char *text)
{
	size_t len = strlen(text);
	if (len >= size)
		return -REASON_LIMIT;
	memmove(ret, text, len + 1);
	return 0;
}

void text_clip(char *ret, size_t size, const char *text)
{
	CHECK(size > 0);
	size_t len = strnlen(text, size);
	if (len == size) {
		len = size - 1;
		/* At most three steps, so that a row of stray continuation bytes is not eaten up. */
		for (int i = 0; i < 3 && len > 0 && (text[len] & 0xC0) == 0x80; i++)
			len--;
	}
	memmove(ret, text, len);
	ret[len] = 0;
}

/* What could move the cursor of a terminal, start a new line or turn the reading direction. */
static bool harmful(uint32_t code)
{
	return code < 0x20 || (code >= 0x7F && code <= 0x9F) || code == 0x2028 ||
	       code == 0x2029 || code == 0x061C || code == 0x200E || code == 0x200F ||
	       (code >= 0x202A && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069);
}

void text_escape(char *ret, size_t size, const char *text)
{
	CHECK(size > 0);
	const uint8_t *at = (const uint8_t *)text;
	size_t left = strlen(text), used = 0;
	while (left) {
		uint32_t code;
		char unit[16];
		size_t n = utf8_next(at, left, &code);
		if (!n)
			snprintf(unit, sizeof(unit), "\\x%02x", (unsigned)at[0]);
		else if (harmful(code))
			snprintf(unit, sizeof(unit), "\\u{%x}", (unsigned)code);
		else
			snprintf(unit, sizeof(unit), "%.*s", (int)n, (const char *)at);
		size_t len = strlen(unit);
		if (used + len >= size)
			break;
		memcpy(ret + used, unit, len);
		used += len;
		n += !n;
		at += n;
		left -= n;
	}
	ret[used] = 0;
}

void text_hex(char *ret, const void *bytes, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *at = bytes;
	for (size_t i = 0; i < len; i++) {
		ret[2 * i] = digits[at[i] >> 4];
		ret[2 * i + 1] = digits[at[i] & 15];
	}
	ret[2 * len] = 0;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

int text_unhex(void *ret, size_t len, const char *hex)
{
	size_t digits = 0;
	while (hex_digit(hex[digits]) >= 0)
		digits++;
	if (hex[digits] || digits != 2 * len)
		return -REASON_BAD_VALUE;
	uint8_t *at = ret;
	for (size_t i = 0; i < len; i++)
		at[i] = (uint8_t)(hex_digit(hex[2 * i]) << 4 | hex_digit(hex[2 * i + 1]));
	return 0;
}

void text_b64(char *ret, const void *bytes, size_t len)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	const uint8_t *at = bytes;
	uint32_t bits = 0;
	int count = 0;
	for (size_t i = 0; i < len; i++) {
		bits = bits << 8 | at[i];
		for (count += 8; count >= 6; count -= 6)
			*ret++ = digits[bits >> (count - 6) & 63];
	}
	if (count)
		*ret++ = digits[bits << (6 - count) & 63];
	*ret = 0;
}

static int b64_digit(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '-' ? 62 : c == '_' ? 63 : -1;
}

int text_unb64(void *ret, size_t size, size_t *ret_len, const char *text)
{
	size_t digits = 0;
	while (b64_digit(text[digits]) >= 0)
		digits++;
	/* Bits left over must be zero: one value, one text, or a signature could be respelled. */
	static const int spare[] = {0, -1, 0x0F, 0x03};
	int mask = spare[digits % 4];
	if (text[digits] || mask < 0 || (mask && b64_digit(text[digits - 1]) & mask))
		return -REASON_BAD_VALUE;
	size_t len = digits / 4 * 3 + (digits % 4 ? digits % 4 - 1 : 0);
	if (len > size)
		return -REASON_LIMIT;
	uint8_t *at = ret;
	uint32_t bits = 0;
	for (size_t i = 0, count = 0; i < digits; i++) {
		bits = bits << 6 | (uint32_t)b64_digit(text[i]);
		count += 6;
		if (count < 8)
			continue;
		count -= 8;
		*at++ = (uint8_t)(bits >> count);
	}
	*ret_len = len;
	return 0;
}

static const char crockford[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

void text_crockford(char *ret, const uint8_t *digits, size_t chars)
{
	for (size_t i = 0; i < chars; i++) {
		CHECK(digits[i] < 32);
		ret[i] = crockford[digits[i]];
	}
	ret[chars] = 0;
}

static int crockford_digit(char c)
{
	char upper = (char)toupper((unsigned char)c);
	if (upper == 'O')
		upper = '0';
	if (upper == 'I' || upper == 'L')
		upper = '1';
	const char *found = upper ? strchr(crockford, upper) : NULL;
	return found ? (int)(found - crockford) : -1;
}

static bool crockford_gap(char c)
{
	return c == '-' || c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

int text_uncrockford(uint8_t *ret_digits, size_t chars, const char *text)
{
	size_t count = 0;
	for (const char *at = text; *at; at++) {
		if (crockford_gap(*at))
			continue;
		if (crockford_digit(*at) < 0 || ++count > chars)
			return -REASON_BAD_VALUE;
	}
	if (count != chars)
		return -REASON_BAD_VALUE;
	for (const char *at = text; *at; at++)
		if (!crockford_gap(*at))
			*ret_digits++ = (uint8_t)crockford_digit(*at);
	return 0;
}

static int parse_port(const char *text, uint16_t *ret)
{
	unsigned value = 0;
	size_t digits = 0;
	for (; isdigit((unsigned char)text[digits]) && digits < 6; digits++)
		value = value * 10 + (unsigned)(text[digits] - '0');
	if (digits == 0 || digits > 5 || text[digits] || value > 65535)
		return -REASON_BAD_VALUE;
	*ret = (uint16_t)value;
	return 0;
}

/* An IPv6 address, with a zone ("fe80::1%eth0") if it has one. */
static int check_bracketed(const char *host)
{
	char address[TEXT_HOST_SIZE];
	struct in6_addr ignored;
	size_t len = strcspn(host, "%");
	memcpy(address, host, len);
	address[len] = 0;
	if (inet_pton(AF_INET6, address, &ignored) != 1)
		return -REASON_BAD_VALUE;
	if (!host[len])
		return 0;
	const char *zone = host + len + 1;
	for (const char *at = zone; *at; at++)
		if (!isalnum((unsigned char)*at) && !strchr("._-", *at))
			return -REASON_BAD_VALUE;
	return *zone ? 0 : -REASON_BAD_VALUE;
}

static int check_host(const char *host)
{
	struct in_addr ignored;
	if (*host == '-' || *host == '.')
		return -REASON_BAD_VALUE;
	for (const char *at = host; *at; at++)
		if (!isalnum((unsigned char)*at) && !strchr("._-", *at))
			return -REASON_BAD_VALUE;
	/* "300.1.1.1" is a slip, not a name to ask the DNS for. */
	if (*host && strspn(host, "0123456789.") == strlen(host) &&
		inet_pton(AF_INET, host, &ignored) != 1)
		return -REASON_BAD_VALUE;
	return 0;
}

/* *ret_port is NULL when there is none. */
static int split_endpoint(const char *text, const char **ret_host, size_t *ret_len,
	const char **ret_port)
{
	const char *host = text, *rest;
	if (*text && text[strspn(text, "0123456789")] == 0) {
		*ret_host = *ret_port = text;
		*ret_len = 0;
		return 0;
	}
	if (*text == '[') {
		host = text + 1;
		rest = strchr(host, ']');
		if (!rest)
			return -REASON_BAD_VALUE;
		*ret_len = (size_t)(rest++ - host);
	} else {
		*ret_len = strcspn(text, ":");
		rest = text + *ret_len;
	}
	*ret_host = host;
	*ret_port = *rest ? rest + 1 : NULL;
	return *rest && *rest != ':' ? -REASON_BAD_VALUE : 0;
}

int text_endpoint(struct text_endpoint *ret, const char *text, uint16_t port)
{
	struct text_endpoint found = {.port = port};
	const char *host, *port_text;
	size_t len;
	if (split_endpoint(text, &host, &len, &port_text) || !*text ||
		(!port_text && !port))
		return -REASON_BAD_VALUE;
	if (len >= sizeof(found.host))
		return -REASON_LIMIT;
	memcpy(found.host, host, len);
	if (*text == '[' ? check_bracketed(found.host) : check_host(found.host))
		return -REASON_BAD_VALUE;
	if (port_text && parse_port(port_text, &found.port))
		return -REASON_BAD_VALUE;
	*ret = found;
	return 0;
}

void text_endpoint_text(char *ret, size_t size, const struct text_endpoint *endpoint)
{
	bool bare = !strchr(endpoint->host, ':');
	snprintf(ret, size, "%s%s%s:%u", bare ? "" : "[", endpoint->host, bare ? "" : "]",
		(unsigned)endpoint->port);
}
