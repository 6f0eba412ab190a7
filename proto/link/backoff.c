#include "link/backoff.h"

/* SplitMix64 (Steele, Lea, Flood 2014): spreads retries, keeps no secret. */
static uint64_t draw(struct backoff *backoff)
{
	uint64_t z = backoff->random += UINT64_C(0x9e3779b97f4a7c15);
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static int64_t draw_between(struct backoff *backoff, int64_t least, int64_t most)
{
	if (most <= least)
		return least;
	return least + (int64_t)(draw(backoff) % (uint64_t)(most - least + 1));
}

void backoff_init(struct backoff *backoff, uint64_t seed)
{
	*backoff = (struct backoff){.random = seed, .up_ms = -1};
}

/* 4.5 s, 9 s, 18 s, then 30 s for ever; the lower end stays, so that waits spread over all of it. */
static int64_t idle_most(unsigned attempts)
{
	if (attempts > 3)
		return BACKOFF_MAX_MS;
	int64_t most = (int64_t)BACKOFF_FIRST_MAX_MS << attempts;
	return most < BACKOFF_MAX_MS ? most : BACKOFF_MAX_MS;
}

static int64_t session_wait(struct backoff *backoff)
{
	if (!backoff->attempts)
		return draw_between(backoff, 0, BACKOFF_SESSION_FIRST_MS);
	return draw_between(backoff, BACKOFF_SESSION_MIN_MS, BACKOFF_SESSION_MAX_MS);
}

int64_t backoff_next_ms(struct backoff *backoff, enum backoff_pace pace, int64_t retry_ms)
{
	int64_t wait = pace == BACKOFF_SESSION
			       ? session_wait(backoff)
			       : draw_between(backoff, BACKOFF_FIRST_MIN_MS,
					 idle_most(backoff->attempts));
	if (backoff->attempts < 16)
		backoff->attempts++;
	/* A node tells many ends the same time: they must not come back in the same instant. */
	if (retry_ms > wait)
		wait = draw_between(backoff, retry_ms, retry_ms + retry_ms / 4);
	return wait;
}

int64_t backoff_spread_ms(struct backoff *backoff, int64_t within_ms)
{
	return draw_between(backoff, 0, within_ms);
}

void backoff_up(struct backoff *backoff, int64_t now_ms)
{
	backoff->up_ms = now_ms;
}

void backoff_down(struct backoff *backoff, int64_t now_ms)
{
	if (backoff->up_ms >= 0 && now_ms - backoff->up_ms >= BACKOFF_STEADY_MS)
		backoff->attempts = 0;
	backoff->up_ms = -1;
}

void backoff_reset(struct backoff *backoff)
{
	backoff->attempts = 0;
}
