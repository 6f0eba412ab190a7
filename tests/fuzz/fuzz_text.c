/* links: proto_base */
/* What people type and peers send as text: what is understood has one spelling that is understood
 * in the same way, and what is shown cannot harm a terminal. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"

static void must(int condition)
{
	if (!condition)
		abort();
}

static void try_endpoint(const char *text, uint16_t port)
{
	struct text_endpoint one = {0}, two = {0};
	char spelled[TEXT_HOST_SIZE + 10];
	if (text_endpoint(&one, text, port))
		return;
	text_endpoint_text(spelled, sizeof(spelled), &one);
	must(text_endpoint(&two, spelled, 0) == 0);
	must(one.port == two.port && !strcmp(one.host, two.host));
}

static void try_b64(const char *text, size_t len)
{
	uint8_t *bytes = malloc(len + 1);
	char *spelled = malloc(len + 1);
	size_t size = 0;
	if (text_unb64(bytes, len, &size, text) == 0) {
		must(TEXT_B64_SIZE(size) == len + 1);
		text_b64(spelled, bytes, size);
		must(!strcmp(spelled, text));
		must(size == 0 || text_unb64(bytes, size - 1, &size, text) != 0);
	}
	if (text_unhex(bytes, len / 2, text) == 0) {
		text_hex(spelled, bytes, len / 2);
		must(!strcasecmp(spelled, text));
	}
	free(spelled);
	free(bytes);
}

static void try_crockford(const char *text)
{
	uint8_t one[25], two[25];
	char spelled[26];
	if (text_uncrockford(one, 25, text))
		return;
	text_crockford(spelled, one, 25);
	must(text_uncrockford(two, 25, spelled) == 0 && !memcmp(one, two, 25));
}

static void try_display(const char *text, size_t len, size_t room)
{
	char *shown = malloc(room);
	text_escape(shown, room, text);
	must(strlen(shown) < room && text_utf8_valid(shown, strlen(shown)));
	for (const char *at = shown; *at; at++)
		must((unsigned char)*at >= 0x20 && *at != 0x7F);
	text_clip(shown, room, text);
	must(strlen(shown) < room && !strncmp(shown, text, strlen(shown)));
	if (text_utf8_valid(text, len))
		must(text_utf8_valid(shown, strlen(shown)));
	must((text_copy(shown, room, text) == 0) == (len < room));
	free(shown);
}

static void try_clock(const char *text)
{
	int64_t one, two;
	char spelled[CLOCK_TEXT];
	if (clock_parse(text, &one))
		return;
	clock_text(one, spelled);
	must(clock_parse(spelled, &two) == 0 && one == two);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	if (size == 0)
		return 0;
	char *text = malloc(size);
	memcpy(text, bytes + 1, size - 1);
	text[size - 1] = 0;
	size_t len = strlen(text);
	must(text_utf8_span(text, len) <= len);
	try_endpoint(text, bytes[0]);
	try_b64(text, len);
	try_crockford(text);
	try_display(text, len, 1u + bytes[0]);
	try_clock(text);
	free(text);
	return 0;
}
