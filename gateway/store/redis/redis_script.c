#include "store/redis/redis_script.h"

#include <openssl/evp.h>
#include <pthread.h>

#include "base/reason.h"
#include "base/text.h"
#include "redis_lua.h"

#define SCRIPT(name)                                                                     \
	{                                                                                \
		script_##name, sizeof(script_##name) - 1, ""                             \
	}

static struct redis_script scripts[REDIS_SCRIPTS] = {
	[REDIS_ANNOUNCE] = SCRIPT(announce),
	[REDIS_APPEND] = SCRIPT(append),
	[REDIS_BOUNDS] = SCRIPT(bounds),
	[REDIS_CARRY] = SCRIPT(carry),
	[REDIS_CLAIM] = SCRIPT(claim),
	[REDIS_LIST] = SCRIPT(list),
	[REDIS_LOOK] = SCRIPT(look),
	[REDIS_OPEN] = SCRIPT(open),
	[REDIS_PAGE] = SCRIPT(page),
	[REDIS_PULSE] = SCRIPT(pulse),
	[REDIS_PUBLISH] = SCRIPT(publish),
	[REDIS_PURGE] = SCRIPT(purge),
	[REDIS_PUT] = SCRIPT(put),
	[REDIS_RAISE] = SCRIPT(raise),
	[REDIS_RELEASE] = SCRIPT(release),
	[REDIS_REMOVE] = SCRIPT(remove),
	[REDIS_RENEW] = SCRIPT(renew),
	[REDIS_RIGHTS] = SCRIPT(rights),
	[REDIS_STAY] = SCRIPT(stay),
	[REDIS_TAIL] = SCRIPT(tail),
	[REDIS_TRIM] = SCRIPT(trim),
	[REDIS_WALK] = SCRIPT(walk),
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static int started;

int redis_script_start(void)
{
	int good = 1;
	pthread_mutex_lock(&mutex);
	for (size_t i = 0; i < REDIS_SCRIPTS && !started && good; i++) {
		/* Redis names a script by its SHA-1; nothing here rests on that being strong. */
		unsigned char sha[20];
		good = EVP_Digest(scripts[i].text, scripts[i].len, sha, NULL, EVP_sha1(),
			NULL);
		if (good)
			text_hex(scripts[i].sha, sha, sizeof(sha));
	}
	started |= good;
	pthread_mutex_unlock(&mutex);
	return good ? 0 : -REASON_NO_MEMORY;
}

const struct redis_script *redis_script_of(enum redis_script_name name)
{
	return &scripts[name];
}
