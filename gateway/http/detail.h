/* detail: the one sentence of a problem that is about just this request, in the language of the asker.
 * The code says it in English; detail.def has the other languages.
 *
 * Thread: any; constant data. What is not in the table stays English.
 */
#ifndef HTTP_DETAIL_H
#define HTTP_DETAIL_H

#include <stddef.h>

#include "base/reason.h"

#define DETAIL_MAX 512

/* A text of at most DETAIL_MAX bytes: `detail` itself, or `ret` filled. NULL stays NULL. */
const char *detail_in(enum reason_lang lang, const char *detail,
	char ret[static DETAIL_MAX]);

#endif
