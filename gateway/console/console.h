/* console: the built web application, as a table that assets.h serves. Made by build.mjs, or
 * without.c where it was not built.
 *
 * Thread: any; constant.
 */
#ifndef CONSOLE_CONSOLE_H
#define CONSOLE_CONSOLE_H

#include "http/assets.h"

/* What the console needs and nothing else. Charts set their measures by script, which style-src
 * permits; text becomes part of the page as text alone, which Trusted Types enforce. */
#define CONSOLE_POLICY                                                                   \
	"default-src 'none'; script-src 'self'; style-src 'self'; "                      \
	"connect-src 'self'; img-src 'self' data:; "                                     \
	"frame-ancestors 'none'; base-uri 'none'; form-action 'self'; "                  \
	"require-trusted-types-for 'script'; trusted-types 'none'"

extern const struct assets console_assets;

#endif
