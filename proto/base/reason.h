/* reason: why something ended or was refused. One table (reason.def), used as error codes in C,
 * numbers on the wire, symbols in JSON, journal and metrics, and texts for people.
 *
 * Thread: any; constant data. Functions of the project return 0 or -REASON_*.
 */
#ifndef BASE_REASON_H
#define BASE_REASON_H

#include <stddef.h>
#include <stdint.h>

enum reason {
	REASON_NONE = 0,
#define R(number, symbol, exit_code, en, en_hint, ja, ja_hint) REASON_##symbol = number,
#include "base/reason.def"
#undef R
};

enum reason_lang { REASON_EN, REASON_JA };

/* "HOST_OFFLINE". Takes REASON_* and -REASON_*; unknown numbers are "UNKNOWN". */
const char *reason_symbol(int reason);
/* What happened, in one sentence for the person concerned. */
const char *reason_text(int reason, enum reason_lang lang);
/* What to do about it. Never empty. */
const char *reason_hint(int reason, enum reason_lang lang);
/* The sysexits(3) code with which a program ends for this reason. */
int reason_exit(int reason);
/* REASON_NONE when there is no such symbol. */
enum reason reason_parse(const char *symbol);
/* All of them in table order; NULL after the last. `ret_number` may be NULL. */
const char *reason_at(size_t index, int *ret_number);
/* "Try again in 15 min."; "" for 0 ms. */
#define REASON_RETRY_SIZE 80
void reason_retry_text(int64_t retry_ms, enum reason_lang lang,
	char ret[static REASON_RETRY_SIZE]);
/* From LC_ALL, LC_MESSAGES, LANG: ja* is Japanese. */
enum reason_lang reason_lang_env(void);

#endif
