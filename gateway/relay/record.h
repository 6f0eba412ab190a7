/* record: what is written about a session: journal rows and the document of a live one. The members
 * are listed in session.h.
 *
 * Thread: any; reads a session, changes nothing. The caller frees what is returned; NULL when there
 * is no memory.
 */
#ifndef RELAY_RECORD_H
#define RELAY_RECORD_H

#include "relay/meter.h"

struct session;

char *record_opening(const struct session *session);
char *record_closing(const struct session *session);
char *record_bandwidth(const char *id, uint64_t fence, struct meter_count delta,
	int64_t at_ms);
/* STATE_SESSION. */
char *record_document(const struct session *session);
/* News for pages that are open: event "open" or "close". */
char *record_news(const struct session *session, const char *event);

/* What receipts and meter say together. */
enum record_agreement { RECORD_UNKNOWN, RECORD_AGREE, RECORD_DIFFER };
enum record_agreement record_agreement(const struct session *session);

#endif
