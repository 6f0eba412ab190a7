/* api_journal_state: how the journal is: its size, its checkpoints, the last verdict; and verifying it.
 *
 * Thread: office threads; verifying millions of rows takes minutes of one.
 */
#ifndef ADMIN_API_JOURNAL_STATE_H
#define ADMIN_API_JOURNAL_STATE_H

struct exchange;

void api_journal_state_show(void *admin, struct exchange *exchange);
void api_journal_state_verify(void *admin, struct exchange *exchange);

#endif
