/* api_journal_chain: the chain of the journal without what the rows say, with the signed checkpoints: what
 * somebody needs who wants to check it with his own program (store/journal_chain.h).
 *
 * One JSON object per line: {"public_key"}, {"anchor":{"seq","hash"}}, then {"seq","kind","at_ms","rest","hash"} of every row and stub in
 * order, then {"checkpoint":{…}} of each that the store keeps. Thread: office threads.
 */
#ifndef ADMIN_API_JOURNAL_CHAIN_H
#define ADMIN_API_JOURNAL_CHAIN_H

struct exchange;

void api_journal_chain_export(void *admin, struct exchange *exchange);

#endif
