/* fake_admission: takes the place of admission/ in tests of the relay: answers as told, through the
 * box, in the next turn. */
#ifndef FAKES_FAKE_ADMISSION_H
#define FAKES_FAKE_ADMISSION_H

#include <stdint.h>

#include "admission/admission.h"

struct fake_admission {
	int cached;              /* the next verdicts are from the cache, */
	uint8_t cached_host[32]; /* for this host */
	int spoilt;
	int status; /* of the next verdicts */
	int64_t retry_ms, expires_ms;
	const char *detail, *policy, *holder;
	int resume_only;     /* of the next verdicts */
	int hold;            /* 1: verdicts wait until fake_admission_let_go() */
	int asked, reviewed; /* reviews are counted in both */
	struct admission_request last;
};

/* One for the whole program. */
extern struct fake_admission fake_admission;
void fake_admission_reset(void);
/* Changes `status` while workers run. */
void fake_admission_answer(int status);
void fake_admission_let_go(void);

#endif
