/* viewer_doctor: looks at everything that a session needs at home and says of each whether it is there and what to
 * do. Changes nothing.
 *
 * Thread: main. Returns 0, or the first failure as -REASON_*; all findings are printed either way.
 */
#ifndef VIEWER_VIEWER_DOCTOR_H
#define VIEWER_VIEWER_DOCTOR_H

#include "base/check.h"

MUST_CHECK int viewer_doctor_run(const char *dir, int json);

#endif
