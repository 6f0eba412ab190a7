/* ticket_book: the host's tickets, one file DIR/tickets/<id>.json each, mode 0600. `engawa-host pair`
 * writes them while the agent reads them: every change is under one lock and replaces its file
 * atomically.
 *
 *   open --- ticket_book_use() -----------------> used
 *     |----- three tries, none of them right ---> burned
 *     '----- its time is over ------------------> expired
 *
 * Only the stretched psk is stored, and it is wiped as soon as the ticket is no longer open. A try
 * is counted, on disk, before the psk is given out: neither many handshakes at once nor a crash
 * gives a fourth one.
 *
 * Thread: any; files and their lock are the state. May wait for the disk, and at most 2 s for the
 * lock (-REASON_TIMEOUT). Time is an argument (clock_wall_ms()).
 * Errors: -REASON_TICKET_WRONG (no such ticket), _USED (used or burned), _EXPIRED;
 * -REASON_FILE_EXPOSED, _STATE_DAMAGED, _FILE_UNREADABLE, _FILE_UNWRITABLE, _DISK_FULL.
 */
#ifndef E2E_TICKET_BOOK_H
#define E2E_TICKET_BOOK_H

#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "e2e/ticket.h"

#define TICKET_BOOK_TRIES 3
#define TICKET_BOOK_LIFE_MS (24 * 3600 * INT64_C(1000))
#define TICKET_BOOK_LIFE_MAX_MS (7 * TICKET_BOOK_LIFE_MS)
#define TICKET_BOOK_OPEN_MAX 16
/* Closed ones are kept so long, to say why a code no longer works. */
#define TICKET_BOOK_KEEP_MS (7 * TICKET_BOOK_LIFE_MS)

enum ticket_book_state {
	TICKET_BOOK_OPEN,
	TICKET_BOOK_USED,
	TICKET_BOOK_BURNED,
	TICKET_BOOK_EXPIRED,
};

struct ticket_book_entry {
	uint32_t id;
	enum ticket_book_state state;
	int tries;
	int64_t created_ms, expires_ms;
};

/* Makes a ticket and enters it; `life_ms` is cut to 7 days, 0 is 24 hours. Slow (ticket_stretch).
 * -REASON_LIMIT when 16 are open. */
MUST_CHECK int ticket_book_issue(const char *dir,
	const uint8_t license_id[static LICENSE_ID_SIZE], int64_t life_ms, int64_t now_ms,
	struct ticket *ret);
/* Counts a try and gives the psk: to be called from find_psk of the handshake, that is when the
 * peer's guess has arrived. */
MUST_CHECK int ticket_book_try(const char *dir, uint32_t id, int64_t now_ms,
	uint8_t ret_psk[static PRIMITIVES_KEY]);
/* The handshake with this psk has been verified: exactly one caller gets 0. */
MUST_CHECK int ticket_book_use(const char *dir, uint32_t id, int64_t now_ms);
/* The handshake failed: burns the ticket if that was its last try. */
MUST_CHECK int ticket_book_fail(const char *dir, uint32_t id, int64_t now_ms);
/* Tells without changing anything. */
MUST_CHECK int ticket_book_look(const char *dir, uint32_t id, int64_t now_ms,
	struct ticket_book_entry *ret);

#endif
