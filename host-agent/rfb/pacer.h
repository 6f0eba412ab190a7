/* pacer: when to encode, how much of it, and how well. The encoder runs when the line has room, not
 * when the viewer's request arrives: so frames per second do not fall with distance, and no more
 * waits in the line than a key press can bear.
 *
 * Pure decisions: time and the state of the line are arguments.
 * Thread: the desktop thread. Units: microseconds, bytes, bytes per second, pixels.
 */
#ifndef RFB_PACER_H
#define RFB_PACER_H

#include <stdint.h>

#define PACER_LOSSLESS (-1)

enum pacer_kind { PACER_EXACT, PACER_LOSSY, PACER_KINDS };

struct pacer {
	int64_t frame_us; /* when the last frame began */
	int64_t cost_us;  /* what a frame costs here, smoothed */
	double bytes_per_pixel[PACER_KINDS];
};

struct pacer_state {
	int64_t now_us;
	int64_t room, rate; /* of the gate */
	int damaged;        /* the source says that pixels may have changed */
	int64_t dirty;      /* pixels that the viewer does not have yet */
	int64_t lossy;      /* pixels that the viewer has in less than full quality */
	int64_t changed_us; /* when the picture last changed */
	int wish;           /* JPEG quality 0..9 that the viewer offers; PACER_LOSSLESS */
};

enum pacer_what {
	PACER_REST,      /* nothing to do until something happens */
	PACER_LATER,     /* at `at_us` */
	PACER_WAIT_ROOM, /* when the gate has `want` bytes of room */
	PACER_SEND, /* encode at most `pixels` with `quality`, of a new capture if `capture` */
	PACER_MEND, /* encode at most `pixels` of what is lossy, without loss */
};

struct pacer_step {
	enum pacer_what what;
	int64_t at_us, want, pixels;
	int quality, capture;
};

void pacer_init(struct pacer *pacer);
struct pacer_step pacer_next(const struct pacer *pacer, const struct pacer_state *state);
/* A frame began: the next one waits for the interval. */
void pacer_began(struct pacer *pacer, int64_t now_us);
/* What encoding `pixels` came to. */
void pacer_encoded(struct pacer *pacer, enum pacer_kind kind, int64_t pixels,
	int64_t bytes);
/* How long capturing and encoding a whole frame took. */
void pacer_took(struct pacer *pacer, int64_t us);
/* The best JPEG quality (0..9) that a line of this rate carries, at most `wish`. */
int pacer_quality(int64_t rate, int wish);

#endif
