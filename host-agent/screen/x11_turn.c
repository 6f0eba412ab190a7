#include "screen/x11_turn.h"

#include <pthread.h>
#include <time.h>

static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;

int x11_turn_take(void)
{
	struct timespec until;
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += X11_TURN_MS / 1000;
	return pthread_mutex_clocklock(&turn, CLOCK_MONOTONIC, &until) == 0;
}

void x11_turn_give(int taken)
{
	if (taken)
		pthread_mutex_unlock(&turn);
}
