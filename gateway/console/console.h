/* console: the built web application, as a table that assets.h serves. Made by build.mjs, or
 * without.c where it was not built. */
#ifndef CONSOLE_CONSOLE_H
#define CONSOLE_CONSOLE_H

#include "http/assets.h"

extern const struct assets console_assets;

#endif
