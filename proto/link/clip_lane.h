/* clip_lane: clipboard texts on the clipboard lane: u32 length and so many bytes of UTF-8.
 *
 * A text that is being sent is finished before the next; of those that wait only the newest is kept.
 * Thread: that of the tunnel. Owner: the caller, who forwards `bytes` and `room` of
 * SEAL_CLIPBOARD; freed before the tunnel. What arrives is at most CLIP_LANE_MAX bytes, checked to be
 * UTF-8; more, or other bytes, end the tunnel. Rights are the callers' to check.
 */
#ifndef LINK_CLIP_LANE_H
#define LINK_CLIP_LANE_H

#include <stddef.h>
#include <stdint.h>

#include "base/check.h"

#define CLIP_LANE_MAX (1024 * 1024)

struct clip_lane;
struct tunnel;

/* `text` is not terminated by a NUL. */
typedef void (*clip_lane_fn)(void *ctx, const char *text, size_t len);

MUST_CHECK int clip_lane_new(struct clip_lane **ret, struct tunnel *tunnel,
	clip_lane_fn arrived, void *ctx);
/* Copies. -REASON_LIMIT above CLIP_LANE_MAX, -REASON_BAD_VALUE when it is not UTF-8. */
MUST_CHECK int clip_lane_send(struct clip_lane *clip, const char *text, size_t len);
/* From tunnel_events. */
void clip_lane_bytes(struct clip_lane *clip, const uint8_t *bytes, size_t len);
void clip_lane_room(struct clip_lane *clip);
/* Wipes. Accepts NULL, returns NULL. */
struct clip_lane *clip_lane_free(struct clip_lane *clip);

#endif
