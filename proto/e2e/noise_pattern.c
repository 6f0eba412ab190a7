#include "e2e/noise_pattern.h"

#include <string.h>

#include "base/reason.h"

#define SUFFIX "_25519_AESGCM_SHA256"
#define E NOISE_TOKEN_E
#define S NOISE_TOKEN_S
#define EE NOISE_TOKEN_EE
#define ES NOISE_TOKEN_ES
#define SE NOISE_TOKEN_SE
#define SS NOISE_TOKEN_SS

/* Sections 7.4 (one-way), 7.5 (interactive) and 18.1 (deferred) of the specification. */
// clang-format off
static const struct row {
	const char *name;
	bool initiator_known, responder_known, one_way;
	uint8_t tokens[4][5];
} rows[] = {
	{"N",    0, 1, 1, {{E, ES}}},
	{"K",    1, 1, 1, {{E, ES, SS}}},
	{"X",    0, 1, 1, {{E, ES, S, SS}}},

	{"NN",   0, 0, 0, {{E}, {E, EE}}},
	{"NK",   0, 1, 0, {{E, ES}, {E, EE}}},
	{"NX",   0, 0, 0, {{E}, {E, EE, S, ES}}},
	{"KN",   1, 0, 0, {{E}, {E, EE, SE}}},
	{"KK",   1, 1, 0, {{E, ES, SS}, {E, EE, SE}}},
	{"KX",   1, 0, 0, {{E}, {E, EE, SE, S, ES}}},
	{"XN",   0, 0, 0, {{E}, {E, EE}, {S, SE}}},
	{"XK",   0, 1, 0, {{E, ES}, {E, EE}, {S, SE}}},
	{"XX",   0, 0, 0, {{E}, {E, EE, S, ES}, {S, SE}}},
	{"IN",   0, 0, 0, {{E, S}, {E, EE, SE}}},
	{"IK",   0, 1, 0, {{E, ES, S, SS}, {E, EE, SE}}},
	{"IX",   0, 0, 0, {{E, S}, {E, EE, SE, S, ES}}},

	{"NK1",  0, 1, 0, {{E}, {E, EE, ES}}},
	{"NX1",  0, 0, 0, {{E}, {E, EE, S}, {ES}}},
	{"X1N",  0, 0, 0, {{E}, {E, EE}, {S}, {SE}}},
	{"X1K",  0, 1, 0, {{E, ES}, {E, EE}, {S}, {SE}}},
	{"XK1",  0, 1, 0, {{E}, {E, EE, ES}, {S, SE}}},
	{"X1K1", 0, 1, 0, {{E}, {E, EE, ES}, {S}, {SE}}},
	{"X1X",  0, 0, 0, {{E}, {E, EE, S, ES}, {S}, {SE}}},
	{"XX1",  0, 0, 0, {{E}, {E, EE, S}, {ES, S, SE}}},
	{"X1X1", 0, 0, 0, {{E}, {E, EE, S}, {ES, S}, {SE}}},
	{"K1N",  1, 0, 0, {{E}, {E, EE}, {SE}}},
	{"K1K",  1, 1, 0, {{E, ES}, {E, EE}, {SE}}},
	{"KK1",  1, 1, 0, {{E}, {E, EE, SE, ES}}},
	{"K1K1", 1, 1, 0, {{E}, {E, EE, ES}, {SE}}},
	{"K1X",  1, 0, 0, {{E}, {E, EE, S, ES}, {SE}}},
	{"KX1",  1, 0, 0, {{E}, {E, EE, SE, S}, {ES}}},
	{"K1X1", 1, 0, 0, {{E}, {E, EE, S}, {SE, ES}}},
	{"I1N",  0, 0, 0, {{E, S}, {E, EE}, {SE}}},
	{"I1K",  0, 1, 0, {{E, ES, S}, {E, EE}, {SE}}},
	{"IK1",  0, 1, 0, {{E, S}, {E, EE, SE, ES}}},
	{"I1K1", 0, 1, 0, {{E, S}, {E, EE, ES}, {SE}}},
	{"I1X",  0, 0, 0, {{E, S}, {E, EE, S, ES}, {SE}}},
	{"IX1",  0, 0, 0, {{E, S}, {E, EE, SE, S}, {ES}}},
	{"I1X1", 0, 0, 0, {{E, S}, {E, EE, S}, {SE, ES}}},
};
// clang-format on

static int append(uint8_t tokens[static NOISE_PATTERN_TOKENS], uint8_t token)
{
	size_t at = 0;
	while (tokens[at] != NOISE_TOKEN_END)
		at++;
	if (at + 1 >= NOISE_PATTERN_TOKENS)
		return -REASON_BAD_VALUE;
	tokens[at] = token;
	return 0;
}

/* Section 9.2: psk0 stands before the first message's tokens, pskN after those of message N. */
static int modify(struct noise_pattern *pattern, char digit)
{
	if (digit < '0' || digit > '0' + (int)pattern->messages)
		return -REASON_BAD_VALUE;
	pattern->psk = true;
	if (digit != '0')
		return append(pattern->tokens[digit - '1'], NOISE_TOKEN_PSK);
	uint8_t *first = pattern->tokens[0];
	memmove(first + 1, first, NOISE_PATTERN_TOKENS - 1);
	first[0] = NOISE_TOKEN_PSK;
	return first[NOISE_PATTERN_TOKENS - 1] == NOISE_TOKEN_END ? 0 : -REASON_BAD_VALUE;
}

/* "psk0+psk3", as far as `end`; each number at most once and upwards. */
static int modify_all(struct noise_pattern *pattern, const char *at, const char *end)
{
	const char *form = "psk"; /* the first one has no plus sign */
	char last = 0;
	while (at < end) {
		size_t len = strlen(form);
		if ((size_t)(end - at) <= len || memcmp(at, form, len) != 0 ||
			at[len] <= last)
			return -REASON_BAD_VALUE;
		last = at[len];
		at += len + 1;
		form = "+psk";
		int result = modify(pattern, last);
		if (result < 0)
			return result;
	}
	return 0;
}

static const struct row *find(const char *name, size_t len)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (strlen(rows[i].name) == len && memcmp(rows[i].name, name, len) == 0)
			return &rows[i];
	return NULL;
}

int noise_pattern_parse(const char *protocol, struct noise_pattern *ret)
{
	size_t len = strlen(protocol), suffix = strlen(SUFFIX);
	if (strncmp(protocol, "Noise_", 6) != 0 || len < 6 + suffix ||
		strcmp(protocol + len - suffix, SUFFIX) != 0)
		return -REASON_BAD_VALUE;
	const char *name = protocol + 6, *end = protocol + len - suffix;
	size_t letters = strspn(name, "NKXI1");
	const struct row *row = find(name, letters);
	if (!row)
		return -REASON_BAD_VALUE;
	struct noise_pattern pattern = {
		.initiator_known = row->initiator_known,
		.responder_known = row->responder_known,
		.one_way = row->one_way,
	};
	while (pattern.messages < ARRAY_LEN(row->tokens) &&
		row->tokens[pattern.messages][0]) {
		memcpy(pattern.tokens[pattern.messages], row->tokens[pattern.messages],
			sizeof(row->tokens[0]));
		pattern.messages++;
	}
	int result = modify_all(&pattern, name + letters, end);
	if (result < 0)
		return result;
	*ret = pattern;
	return 0;
}
