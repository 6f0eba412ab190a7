/* veto: the host's own rules, DIR/veto.conf. Nothing that a gateway or a viewer says can widen them.
 *
 * Thread: main. The file is read at the start of every session, so a change counts from the next one on;
 * what it takes away counts at once (the agent looks every few seconds). A file with an error permits
 * nothing: a typing mistake must not open a desktop.
 * Errors: -REASON_CONFIG with line and column in `error`.
 */
#ifndef AGENT_VETO_H
#define AGENT_VETO_H

#include <stdint.h>

#include "base/check.h"
#include "base/conf.h"

struct veto {
	int view_only;
	int clipboard_to_host, clipboard_to_viewer;
	int file_to_host, file_to_viewer;
	char *hours; /* "Mon-Fri 08:00-20:00, Sat 09:00-12:00"; "" : always */
	char *zone;  /* "Asia/Tokyo": the clock of `hours`; "": this PC's */
	/* 0: no limit of the host's own */
	int64_t max_session_ms, idle_ms, clip_max_bytes, file_max_bytes, devices_max;
	char *kinds; /* "native,web" */
	int sign, lock_at_end, consent, watermark;
	char *lock_command;
};

/* A missing file is the defaults. */
MUST_CHECK int veto_read(const char *path, struct veto *ret, struct conf_error *error);
void veto_done(struct veto *veto);
/* A commented sample, for `engawa-host veto`. */
void veto_sample(FILE *out);

/* The rights (e2e/inner.h) that the host leaves of `rights`. */
uint16_t veto_rights(const struct veto *veto, uint16_t rights);
/* 0, -REASON_OUT_OF_HOURS, -REASON_VETO (the kind of viewer). `class` as in e2e/inner.h. */
MUST_CHECK int veto_admits(const struct veto *veto, int class, int64_t wall_ms);
/* Whether this kind of viewer is let in. */
int veto_kind(const struct veto *veto, int class);
/* Whether `hours` permits this moment of its clock; -REASON_BAD_VALUE for a malformed text.
 * `week_minute` counts from Monday 00:00. */
MUST_CHECK int veto_hours(const char *hours, int week_minute);

#endif
