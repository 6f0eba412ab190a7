/* secret: random bytes, wiping, comparing in constant time, memory that no core file shows.
 *
 * Thread: any. libc and the kernel only, so that base needs no cryptographic library.
 */
#ifndef BASE_SECRET_H
#define BASE_SECRET_H

#include <stdbool.h>
#include <stddef.h>

#include "base/check.h"

/* From getrandom(2). -REASON_NO_RANDOM, and then nothing may be made of `ret`. */
MUST_CHECK int secret_random(void *ret, size_t len);
void secret_wipe(void *bytes, size_t len);
bool secret_equal(const void *a, const void *b, size_t len);

/* Zeroed pages of their own with MADV_DONTDUMP; NULL when there is no memory. */
void *secret_alloc(size_t len);
/* Wipes. Accepts NULL, returns NULL. */
void *secret_free(void *bytes, size_t len);

#endif
