/* license_card: of a license what people search by, in a few hundred bytes, and whether it is what they
 * search for. An index of cards answers in memory what documents would have to be parsed for.
 *
 * Thread: any; pure. Owner: license_card_make's caller frees by free(). Errors: -REASON_NO_MEMORY.
 */
#ifndef RULES_LICENSE_CARD_H
#define RULES_LICENSE_CARD_H

#include <stdint.h>

#include "base/check.h"
#include "base/license_key.h"
#include "rules/license.h"

struct license_card {
	char id[LICENSE_KEY_ID_SIZE];
	uint8_t state; /* enum license_state */
	uint8_t online;
	uint64_t version; /* of the document */
	int64_t expires_ms;
	/* into the text behind: */
	const char *tenant, *holder, *group, *note;
	const char *labels; /* "name=value\n" for each */
	char text[];
};

MUST_CHECK int license_card_make(const struct license *license, uint64_t version,
	struct license_card **ret);

/* NULL and -1: whatever. */
struct license_filter {
	const char *tenant, *group; /* exactly */
	const char *state;          /* "enabled", "disabled" or "expired" */
	const char *holder;         /* part of it, without case */
	const char *label;          /* NAME or NAME=VALUE */
	const char *q;              /* part of any text */
	int online;
	int presence; /* 1: cards must say who is online now, whatever `online` asks for */
};

/* A word of `state`. */
int license_card_state_good(const char *state);
int license_card_matches(const struct license_filter *filter,
	const struct license_card *card, int64_t now_ms);
/* Whether it asks for anything at all beside the company. */
int license_card_narrows(const struct license_filter *filter);

#endif
