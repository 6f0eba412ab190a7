/* span: lengths of time as people type them: 500ms, 30s, 10m, 12h, 7d; and as they read them: 1h 30m.
 *
 * Thread: any. Errors: -REASON_BAD_VALUE.
 */
#ifndef CTL_SPAN_H
#define CTL_SPAN_H

#include <stdint.h>

#include "base/check.h"

MUST_CHECK int span_parse(const char *text, int64_t *ret_ms);

#define SPAN_TEXT 32
/* Its two largest units; below a second "950ms", 0 is "0s". */
void span_text(int64_t ms, char ret[static SPAN_TEXT]);

#endif
