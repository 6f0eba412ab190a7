/* admin: the REST API: who asks, may they, what is done, and its row in the audit journal.
 *
 * Thread: admin_new/free from main; admin_handle on any office thread, which it may block. It meets
 * the relay only through the store's documents and orders on its bus.
 * Owner: gateway_office.c; the store is closed after admin is gone. Errors: -REASON_NO_MEMORY.
 */
#ifndef ADMIN_ADMIN_H
#define ADMIN_ADMIN_H

#include <jansson.h>
#include <stdint.h>

#include "base/check.h"
#include "http/exchange.h"

struct admin;
struct assets;
struct alerts;
struct directories;
struct event_streams;
struct post_box;
struct journal_signer;
struct store;
struct vault;

#define ADMIN_PATH 4096

/* What only the whole node knows; asked on office threads. */
struct admin_facts {
	int ready, draining, metrics_open;
	uint64_t sessions, hosts, viewers;
	int64_t started_ms, certificate_expires_ms;
	int64_t cache_ms; /* how long viewers may come in while the store is away; 0: they may not */
	int64_t step_up_ms;
	/* of the journal */
	int journal_good, disk_good;
	uint64_t free_bytes;
	int64_t records_days, counts_days;
	char checkpoint_copy[ADMIN_PATH]; /* "": none */
};

struct admin_parts {
	struct store *store;                 /* borrowed */
	const char *node;                    /* borrowed */
	const uint8_t *master;               /* 32 bytes, borrowed */
	const struct journal_signer *signer; /* borrowed */
	const char *checkpoints;             /* the node's file of them, borrowed */
	struct directories *directories;     /* borrowed */
	const struct assets *assets;         /* the console, borrowed */
	struct alerts *alerts;               /* borrowed */
	struct event_streams *events;        /* live pages, borrowed */
	struct vault *vault;                 /* borrowed */
	size_t streams;                      /* how many long answers may run at once */
	void (*facts)(void *ctx, struct admin_facts *ret);
	/* Appends {"name","value","change","help"} per limit. */
	void (*limits)(void *ctx, json_t *array);
	void *ctx;
};

MUST_CHECK int admin_new(const struct admin_parts *parts, struct admin **ret);
/* Answers any request. */
void admin_handle(void *admin, struct exchange *exchange);
/* Live pages; on the worker whose box this is, between its start and its end. */
MUST_CHECK int admin_listen(struct admin *admin, struct post_box *box);
void admin_deafen(struct admin *admin);
struct admin *admin_free(struct admin *admin);

#endif
