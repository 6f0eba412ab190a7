/* old_keys: destroys data keys that nothing is sealed under any more: a tenant's generations before the newest,
 * when every journal row that was written under them is past its time. Documents were sealed anew
 * when the key was renewed.
 *
 * Thread: one that may wait. What fails is logged and tried again the next time.
 */
#ifndef VAULT_OLD_KEYS_H
#define VAULT_OLD_KEYS_H

#include <stdint.h>

struct store;

/* `records_days`: how long rows are kept where a tenant has no longer time of its own. */
void old_keys_destroy(struct store *store, int64_t records_days, int64_t now_ms);

#endif
