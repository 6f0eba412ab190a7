#include "screen/latin1.h"

#include <stdlib.h>

char *latin1_to_utf8(const char *latin1, size_t len, size_t *ret_len)
{
	char *out = malloc(2 * len + 1);
	size_t used = 0;
	if (!out)
		return NULL;
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)latin1[i];
		if (c == '\r' && i + 1 < len && latin1[i + 1] == '\n')
			continue;
		if (c < 0x80) {
			out[used++] = (char)c;
			continue;
		}
		out[used++] = (char)(0xc0 | c >> 6);
		out[used++] = (char)(0x80 | (c & 0x3f));
	}
	out[used] = 0;
	*ret_len = used;
	return out;
}

char *latin1_from_utf8(const char *utf8, size_t len, size_t *ret_len)
{
	char *out = malloc(len + 1);
	size_t used = 0;
	if (!out)
		return NULL;
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)utf8[i];
		if (c >= 0xc4 || (c >= 0x80 && i + 1 == len)) {
			free(out);
			return NULL;
		}
		if (c == '\r' && i + 1 < len && utf8[i + 1] == '\n')
			continue;
		if (c >= 0x80)
			c = (unsigned char)((c & 3) << 6 | (utf8[++i] & 0x3f));
		out[used++] = (char)c;
	}
	out[used] = 0;
	*ret_len = used;
	return out;
}
