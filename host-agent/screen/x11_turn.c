#include "screen/x11_turn.h"

#include <pthread.h>
#include <time.h>

/* Not a mutex held all the while: what waits for one by the monotonic clock is not known to ThreadSanitizer. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t given = PTHREAD_COND_INITIALIZER;
static int taken;

int x11_turn_take(void)
{
	struct timespec until;
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += X11_TURN_MS / 1000;
	pthread_mutex_lock(&lock);
	int err = 0;
	while (taken && !err)
		err = pthread_cond_clockwait(&given, &lock, CLOCK_MONOTONIC, &until);
	int mine = !taken;
	taken = 1;
	pthread_mutex_unlock(&lock);
	return mine;
}

void x11_turn_give(int mine)
{
	if (!mine)
		return;
	pthread_mutex_lock(&lock);
	taken = 0;
	pthread_cond_signal(&given);
	pthread_mutex_unlock(&lock);
}
