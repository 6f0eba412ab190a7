/* viewer: the home side of a session: signs in at a gateway, runs the tunnel, comes back by itself when the
 * line or the gateway goes, and gives what arrives to a face.
 *
 * Thread: main; viewer_run() is its loop. The first attempt must succeed or the reason is returned; after
 * that only what cannot get better by waiting ends it.
 * Errors: every reason of a refusal; REASON_NONE (0) when the user left.
 */
#ifndef VIEWER_VIEWER_H
#define VIEWER_VIEWER_H

#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "e2e/inner.h"
#include "e2e/ticket.h"

struct event_base;
struct face;
struct profile;
struct viewer;

#define VIEWER_DETAIL 400

struct viewer_config {
	struct event_base *base; /* borrowed */
	const char *dir;
	const struct profile *profile; /* borrowed */
	/* Wiped copies are kept, of the password as long as the viewer lives: a reconnect asks nobody. A code is
	 * good once. */
	const char *password, *totp;
	/* Asks the person for a one-time code and calls viewer_code() or viewer_leave(), for faces that cannot; NULL:
	 * then TOTP_NEEDED is the end. */
	void (*ask_code)(struct viewer *viewer, int reason);
	const char *ca_file; /* instead of the profile's own, NULL */
	const char *device_name;
	struct face *face; /* NULL when pairing */
	int ready_fd;      /* -1: none */
};

MUST_CHECK int viewer_new(struct viewer **ret, const struct viewer_config *config);
struct event_base *viewer_base(struct viewer *viewer);
/* Until the user leaves (0) or the session ends for good (-REASON_*). */
MUST_CHECK int viewer_run(struct viewer *viewer, char detail[static VIEWER_DETAIL]);
/* Pairs with the ticket: writes the pin; the host's name comes back. */
MUST_CHECK int viewer_pair(struct viewer *viewer, const struct ticket *ticket,
	char ret_host_name[static INNER_NAME_SIZE], char detail[static VIEWER_DETAIL]);

/* For faces. */
/* A fresh picture stream over this descriptor, which is taken over, on error too. */
MUST_CHECK int viewer_stream(struct viewer *viewer, int fd);
void viewer_stream_stop(struct viewer *viewer);
/* Sends a text to the office's clipboard. -REASON_VETO without the right. */
MUST_CHECK int viewer_clip(struct viewer *viewer, const char *text, size_t len);
/* The one-time code that was asked for: tried at once. */
void viewer_code(struct viewer *viewer, const char *code);
/* Ends viewer_run() with this result (0 or -REASON_*). */
void viewer_leave(struct viewer *viewer, int result);
/* One line to the --ready-fd, once. */
void viewer_ready(struct viewer *viewer, const char *line);

/* Wipes. Accepts NULL, returns NULL. */
struct viewer *viewer_free(struct viewer *viewer);

#endif
