/* noise_pattern: the handshake patterns of Noise revision 34 sections 7 and 9 as a table, and the
 * psk modifiers that are put into them.
 *
 * Engawa speaks one of them, XXpsk3. The others are here so that the public test vectors can judge
 * the same code that carries our sessions.
 * Thread: any; constant data. Errors: -REASON_BAD_VALUE for a name that is not in the table.
 */
#ifndef E2E_NOISE_PATTERN_H
#define E2E_NOISE_PATTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/check.h"

enum noise_token {
	NOISE_TOKEN_END, /* of a message, and of the pre-message */
	NOISE_TOKEN_E,
	NOISE_TOKEN_S,
	NOISE_TOKEN_EE,
	NOISE_TOKEN_ES,
	NOISE_TOKEN_SE,
	NOISE_TOKEN_SS,
	NOISE_TOKEN_PSK,
};

#define NOISE_PATTERN_MESSAGES 4
#define NOISE_PATTERN_TOKENS 8 /* in one message, with its END */

struct noise_pattern {
	bool initiator_known, responder_known; /* pre-messages: -> s, <- s */
	bool one_way;
	bool psk;
	size_t messages;
	uint8_t tokens[NOISE_PATTERN_MESSAGES][NOISE_PATTERN_TOKENS];
};

/* From a full protocol name: "Noise_XXpsk3_25519_AESGCM_SHA256". */
MUST_CHECK int noise_pattern_parse(const char *protocol, struct noise_pattern *ret);

#endif
