/* face_listen: hands the session to any VNC client on this machine: a port on loopback, one client at a
 * time, RFB security None (the tunnel is the security, and nothing but loopback is listened on).
 *
 * Every client that connects gets a fresh RFB stream from the host; the session itself stays when it leaves.
 * Thread: main. Errors: -REASON_PORT_TAKEN, -REASON_USAGE (not a loopback address).
 * Owner: the program; freed after the viewer.
 */
#ifndef VIEWER_FACE_LISTEN_H
#define VIEWER_FACE_LISTEN_H

#include "base/check.h"
#include "base/text.h"

struct face;

/* Binds at once, so that a taken port is said before anything else happens; serves from `up` on. */
MUST_CHECK int face_listen_new(struct face **ret, const struct text_endpoint *at);
struct face *face_listen_free(struct face *face);

#endif
