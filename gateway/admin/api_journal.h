/* api_journal: the history in the REST API: pages of JSON, or everything as CSV or JSONL, streamed
 * with the same memory however long it is. Who reads is recorded.
 * Thread: office threads. Handlers: routes.def.
 */
#ifndef ADMIN_API_JOURNAL_H
#define ADMIN_API_JOURNAL_H

#include "http/exchange.h"

void api_journal_read(void *admin, struct exchange *exchange);

#endif
