/* probe_ask: asks a listener of this node from outside, as a stranger would: TCP, TLS, and where it is
 * HTTP its /healthz.
 *
 * The certificate is not checked: the question is whether the listener serves, and its name need not be
 * that of the loopback address. Nothing secret is said.
 * Thread: one that may block, for at most PROBE_ASK_MS. Errors: -REASON_GATEWAY_UNREACHABLE,
 * -REASON_TLS_FAILED, -REASON_TIMEOUT, -REASON_STORE_UNAVAILABLE (it says that it is not well).
 */
#ifndef ALERT_PROBE_ASK_H
#define ALERT_PROBE_ASK_H

#include <stdint.h>

#include "base/check.h"

#define PROBE_ASK_MS 5000

enum probe_ask_how { PROBE_ASK_NATIVE, PROBE_ASK_HEALTH };

struct probe_answer {
	char version[16], suite[48]; /* "TLSv1.3", "TLS_AES_256_GCM_SHA384" */
	int64_t took_us;
};

/* `endpoint`: HOST:PORT as the listener says it; any address is asked at loopback. */
MUST_CHECK int probe_ask(const char *endpoint, enum probe_ask_how how,
	struct probe_answer *ret);
/* Whether it would speak with somebody who knows no TLS 1.3. Not for the public listener, which takes such
 * a question for an attack; both are of the same making (net/tls_ctx.h). */
int probe_ask_takes_old_tls(const char *endpoint);

#endif
