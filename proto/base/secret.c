#include "base/secret.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/reason.h"

int secret_random(void *ret, size_t len)
{
	uint8_t *at = ret;
	while (len) {
		/* Without flags it waits for the pool once after boot; up to 256 bytes come whole,
		 * more may be cut short by a signal. */
		ssize_t n = getrandom(at, len, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -REASON_NO_RANDOM;
		at += n;
		len -= (size_t)n;
	}
	return 0;
}

void secret_wipe(void *bytes, size_t len)
{
	if (len)
		explicit_bzero(bytes, len);
}

bool secret_equal(const void *a, const void *b, size_t len)
{
	const volatile uint8_t *x = a, *y = b;
	uint8_t different = 0;
	for (size_t i = 0; i < len; i++)
		different |= (uint8_t)(x[i] ^ y[i]);
	return different == 0;
}

static size_t whole_pages(size_t len)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	if (len == 0 || len > SIZE_MAX - page)
		return 0;
	return (len + page - 1) / page * page;
}

void *secret_alloc(size_t len)
{
	size_t size = whole_pages(len);
	if (!size)
		return NULL;
	void *bytes = mmap(NULL, size, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (bytes == MAP_FAILED)
		return NULL;
	if (madvise(bytes, size, MADV_DONTDUMP) == 0)
		return bytes;
	munmap(bytes, size);
	return NULL;
}

void *secret_free(void *bytes, size_t len)
{
	if (bytes) {
		secret_wipe(bytes, len);
		munmap(bytes, whole_pages(len));
	}
	return NULL;
}
