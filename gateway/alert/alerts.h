/* alerts: the watch of a node: reads what is new in the journal, looks at what lasts, raises alarms by
 * the rules of each company and has them delivered.
 *
 * Thread: one of its own ("alerts"), which may block on the store, and those of deliver.h; never a
 * worker. alerts_new, _start, _set and _free from main, alerts_test from any thread that may block.
 * Owner: gateway_office.c; the store is closed afterwards.
 */
#ifndef ALERT_ALERTS_H
#define ALERT_ALERTS_H

#include <stdint.h>

#include "alert/probe.h"
#include "base/check.h"
#include "rules/route.h"

struct alerts;
struct sealed_keys;
struct store;

#define ALERTS_ERROR 160

struct alerts_parts {
	struct store *store;      /* borrowed, as all here */
	struct sealed_keys *keys; /* seal what waits on the disk */
	const char *node, *data;
	const char *syslog_socket;
	/* When the certificate that is served ends. */
	int64_t (*certificate_ends_ms)(void *ctx);
	void *ctx;
};

struct alerts_settings {
	const char *targets, *ca_file; /* copied */
	int64_t retry_ms, scan_ms, probe_ms;
};

MUST_CHECK int alerts_new(const struct alerts_parts *parts,
	const struct alerts_settings *settings, struct alerts **ret);
/* `endpoints`: what is really served, by enum probe_target. */
MUST_CHECK int alerts_start(struct alerts *alerts,
	const char *const endpoints[static PROBE_TARGETS]);
/* -REASON_BAD_VALUE (targets); then everything stays. */
MUST_CHECK int alerts_set(struct alerts *alerts, const struct alerts_settings *settings);
/* Sends a real letter to this route now. Errors: alert/letter.h; -REASON_BUSY while others are tested. */
MUST_CHECK int alerts_test(struct alerts *alerts, const struct route *route,
	char error[static ALERTS_ERROR]);
/* What the probes found; all zero before the start. */
void alerts_probed(struct alerts *alerts, struct probe_facts *ret);
/* Of the disk with the data directory. */
void alerts_disk(const struct alerts *alerts, int64_t *ret_free, int64_t *ret_percent);
/* Accepts NULL, returns NULL. */
struct alerts *alerts_free(struct alerts *alerts);

#endif
