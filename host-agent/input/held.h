/* held: which keys and buttons a viewer holds, so that none stays down when it goes.
 *
 * Thread: the desktop thread. Whoever applies input notes it here; who ends a stream, for whatever
 * cause, gets everything back as "up".
 */
#ifndef INPUT_HELD_H
#define INPUT_HELD_H

#include <stddef.h>
#include <stdint.h>

#define HELD_KEYS_MAX 64

struct held {
	uint32_t keysyms[HELD_KEYS_MAX];
	size_t count;
	uint32_t buttons;
	int x, y;
};

/* 1: pass it on. 0: an "up" of what is not down, or too many keys down. */
int held_key(struct held *held, uint32_t keysym, int down);
void held_pointer(struct held *held, int x, int y, uint32_t buttons);

struct held_release {
	void (*key)(void *ctx, uint32_t keysym);  /* goes up */
	void (*buttons)(void *ctx, int x, int y); /* all go up */
	void *ctx;
};
/* Last pressed first, as fingers leave a chord. */
void held_release(struct held *held, const struct held_release *release);

#endif
