/* viewer_web: the built page of the browser viewer, as a table that assets.h serves. Made by build.mjs,
 * or without_page.c where it was not built.
 *
 * Thread: any; constant.
 */
#ifndef WEB_VIEWER_WEB_H
#define WEB_VIEWER_WEB_H

#include "http/assets.h"

/* What the page needs and nothing else: its scripts, its worker, pictures that noVNC makes of received
 * bytes, and sessions with the gateway that served it. The one policy of Trusted Types is
 * worker/worker_start's, which names the worker's file and no other. */
#define VIEWER_WEB_POLICY                                                                \
	"default-src 'none'; script-src 'self'; worker-src 'self'; "                     \
	"style-src 'self'; connect-src 'self'; img-src 'self' data: blob:; "             \
	"frame-ancestors 'none'; base-uri 'none'; form-action 'none'; "                  \
	"require-trusted-types-for 'script'; trusted-types engawa-worker"

extern const struct assets viewer_web_assets;

#endif
