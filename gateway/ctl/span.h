/* span: lengths of time as people type them: 500ms, 30s, 10m, 12h, 7d.
 *
 * Thread: any. Errors: -REASON_BAD_VALUE.
 */
#ifndef CTL_SPAN_H
#define CTL_SPAN_H

#include <stdint.h>

#include "base/check.h"

MUST_CHECK int span_parse(const char *text, int64_t *ret_ms);

#endif
