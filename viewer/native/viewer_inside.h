/* viewer_inside: what the files of the viewer share, and nobody else includes: viewer.c (its life, and what faces
 * call), viewer_line.c (gateways: signing in, coming back), viewer_tunnel.c (the session behind them).
 *
 * Thread and owner: as viewer.h.
 */
#ifndef VIEWER_VIEWER_INSIDE_H
#define VIEWER_VIEWER_INSIDE_H

#include <event2/event.h>

#include "base/reason.h"
#include "e2e/pins.h"
#include "e2e/prologue.h"
#include "face.h"
#include "link/backoff.h"
#include "link/news.h"
#include "viewer.h"

#define VIEWER_MAGIC 0x56494557
#define VIEWER_SECRET 260

struct viewer {
	uint32_t magic;
	struct event_base *base;
	struct event *attempt, *meter, *signals[2];
	struct identity *identity;
	const struct profile *profile;
	struct face *face;
	char dir[1024], ca_file[1024], device_name[INNER_NAME_SIZE],
		user[INNER_NAME_SIZE];
	char *password, *totp; /* secret_alloc'd, VIEWER_SECRET bytes each */
	struct pins_host pin;
	struct uplink *uplink;
	struct tunnel *tunnel;
	struct bridge *bridge;
	struct clip_lane *clip;
	struct backoff backoff;
	enum prologue_purpose purpose;
	struct ticket ticket;
	char paired_name[INNER_NAME_SIZE];
	uint8_t session[16];
	uint64_t fence;
	uint16_t rights;
	uint32_t features;
	int has_session, was_up, up, finished, result, ready_fd;
	int sent_on; /* how often the host had moved when we came to it for the first time */
	int64_t lost_ms; /* when the session was cut, 0: it runs */
	size_t gateway;
	int drained; /* the gateway in use wants us elsewhere */
	char *detail;
	void (*ask_code)(struct viewer *viewer, int reason);
	int waiting;      /* the person at the office is asked */
	struct news news; /* as the last gateway told them */
};

/* Calls what the face has. */
#define TELL_FACE(viewer, what, ...)                                                     \
	do {                                                                             \
		struct face *face_ = (viewer)->face;                                     \
		if (face_ && face_->vtable->what)                                        \
			face_->vtable->what(face_, __VA_ARGS__);                         \
	} while (0)

/* The pin is written and the host has said goodbye: it knows this device now. */
static inline int viewer_is_paired(const struct viewer *viewer, int reason)
{
	return viewer->purpose == PROLOGUE_PAIRING && viewer->result == 0 &&
	       reason == REASON_VIEWER_LEFT;
}

/* The loop will end with this result, when the leg is down; only the first one counts. 0: not the
 * first. */
int viewer_settle(struct viewer *viewer, int result, const char *detail);
/* The loop ends with this result, now. */
void viewer_finish(struct viewer *viewer, int result, const char *detail);

/* viewer_line.c: the timer of the next attempt, and whether waiting can help with this reason. */
void viewer_line_attempt(evutil_socket_t fd, short what, void *ctx);
int viewer_line_passes(int reason);

/* viewer_tunnel.c */
MUST_CHECK int viewer_tunnel_new(struct viewer *viewer);
void viewer_tunnel_drop(struct viewer *viewer);
void viewer_tunnel_receipt(struct viewer *viewer, int reason);

#endif
