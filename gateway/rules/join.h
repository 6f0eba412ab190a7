/* join: the one-time token with which a viewer that was let in at one node comes in at the node of its host
 * (STATE_JOIN): what it proved at the first one, it need not prove again.
 *
 * 128 random bits; the store knows their hash only (the id), so that who reads the store cannot come in. It is
 * good once, for JOIN_MS, for one license and one device, at the node it was made for, or back at the node that
 * made it (when the way there is closed). It stands for password and one-time code alone: key, device proof, state,
 * lockout, hours and addresses are looked at as always.
 * JSON body: "license", "device" (dev_…), "node", "from", "expires_ms", "resume_only" (admission.h).
 * Thread: any; pure but for random: time is an argument. Errors: -REASON_JOIN_SPENT (not such a token, or not
 * for this), -REASON_STATE_DAMAGED, -REASON_NO_RANDOM, -REASON_NO_MEMORY.
 */
#ifndef RULES_JOIN_H
#define RULES_JOIN_H

#include <stdint.h>

#include "base/check.h"
#include "base/license_key.h"
#include "base/text.h"
#include "rules/digest.h"

#define JOIN_SECRET 16
#define JOIN_TOKEN TEXT_B64_SIZE(JOIN_SECRET)
#define JOIN_ID TEXT_HEX_SIZE(DIGEST_SIZE)
#define JOIN_MS 30000

struct join {
	char license[LICENSE_KEY_ID_SIZE], device[DIGEST_DEVICE_SIZE];
	char node[65], from[65];
	int64_t expires_ms;
	int resume_only; /* reason, or 0 */
};

/* A new token and the id of its document. */
MUST_CHECK int join_generate(char ret_token[static JOIN_TOKEN],
	char ret_id[static JOIN_ID]);
MUST_CHECK int join_id(const char *token, char ret[static JOIN_ID]);

MUST_CHECK int join_read(const char *body, struct join *ret);
/* The caller frees *ret. */
MUST_CHECK int join_write(const struct join *join, char **ret);

/* Whether it lets this device in for this license at this node now. */
MUST_CHECK int join_check(const struct join *join, const char *license,
	const char *device, const char *node, int64_t now_ms);

#endif
