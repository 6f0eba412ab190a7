/* lockout: how many failed sign-ins are too many: per address prefix within one license or account,
 * and for the whole of it.
 *
 * A try is charged before its password is looked at and given back when the password was right, so
 * that any number of tries at the same moment gets exactly as many guesses as one after another.
 * While locked the right password is refused too, and nothing is charged. Failures count together
 * when they fall within window_ms of the first (prefix), or LOCKOUT_WHOLE_WINDOWS of them (whole).
 *
 * Thread: any; pure: time is an argument (wall clock, ms). The book is a JSON document of the store
 * (STATE_ATTEMPTS): {"whole":{"count","first_ms","until_ms"},"prefixes":{"192.0.2.7":{…}}}.
 */
#ifndef RULES_LOCKOUT_H
#define RULES_LOCKOUT_H

#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "rules/ip_rule.h"

#define LOCKOUT_PREFIXES 64
#define LOCKOUT_WHOLE_WINDOWS 4

struct lockout_limits {
	int64_t prefix_failures; /* per prefix; 0: not counted */
	int64_t whole_failures;  /* of all prefixes together; 0: not counted */
	int64_t lock_ms, window_ms;
};

/* Ids of the documents: "license/lic_…", "account/NAME", "address/192.0.2.7". Removing the document
 * lifts the lock. -REASON_LIMIT. */
#define LOCKOUT_ID_SIZE 161
MUST_CHECK int lockout_id(char ret[static LOCKOUT_ID_SIZE], const char *what,
	const char *name);

struct lockout_count {
	int64_t count, first_ms, until_ms;
};

struct lockout_book {
	struct lockout_count whole;
	size_t count;
	struct {
		char prefix[IP_RULE_TEXT];
		struct lockout_count at;
	} prefixes[LOCKOUT_PREFIXES];
};

/* NULL or damaged text is an empty book: a lost count must not lock people out for ever. */
void lockout_read(const char *body, struct lockout_book *ret);
/* The caller frees. -REASON_NO_MEMORY. */
MUST_CHECK int lockout_write(const struct lockout_book *book, char **ret);

/* 0: may try. Else how long it is still locked. */
int64_t lockout_wait(const struct lockout_book *book, const struct lockout_limits *limits,
	const char *prefix, int64_t now_ms);
/* 0: the try is charged; *ret_locks is 1 when it was the last one before the lock. Else as
 * lockout_wait(), and nothing is charged. */
int64_t lockout_charge(struct lockout_book *book, const struct lockout_limits *limits,
	const char *prefix, int64_t now_ms, int *ret_locks);
/* The password was right: what this prefix was charged is given back. */
void lockout_forgive(struct lockout_book *book, const struct lockout_limits *limits,
	const char *prefix);
/* Only this one try is given back: the others of this prefix were other people's. */
void lockout_give_back(struct lockout_book *book, const struct lockout_limits *limits,
	const char *prefix);
/* Whether nothing in it matters any more. */
int lockout_is_over(const struct lockout_book *book, const struct lockout_limits *limits,
	int64_t now_ms);

#endif
