#include "net/dialer.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/list.h"
#include "base/reason.h"
#include "base/text.h"
#include "net/address.h"
#include "net/conn.h"
#include "net/conn_tls.h"
#include "net/peer_trust.h"
#include "net/resolver.h"
#include "net/worker.h"

#define DIAL_MAGIC 0x6469616cu
/* While there is another address to try; packets to a dead one vanish without a word. */
#define TRY_MS 1500

struct dial {
	uint32_t magic;
	struct dialer with;
	struct text_endpoint endpoint;
	char node[PEER_TRUST_NODE];
	dial_done done;
	void *ctx;
	int dropped, reason;
	int64_t until_ms;
	struct lookup *lookup;
	struct resolver_answer answer;
	size_t next;
	struct conn *conn; /* being set up */
	struct conn_tls_opening opening;
	struct list under_way;
	struct post_item step; /* the next try, or the end, at the end of a turn */
	struct worker_timer *timer;
};

static void release(struct dial *dial)
{
	worker_timer_free(dial->timer);
	dial->magic = 0;
	free(dial);
}

static void finish(struct dial *dial, struct conn *conn, int reason)
{
	dial_done done = dial->done;
	void *ctx = dial->ctx;
	int is_wanted = !dial->dropped;
	release(dial);
	if (is_wanted)
		done(ctx, conn, reason);
	else if (conn)
		conn_close(conn, REASON_LEG_CLOSED, CONN_DROP);
}

static void try_next(struct dial *dial);

static void on_ready(void *ctx, struct conn *conn, enum tls_alpn alpn)
{
	struct dial *dial = ctx;
	CHECK_OBJ(dial, DIAL_MAGIC);
	dial->conn = NULL;
	if (alpn == TLS_ALPN_PEER) {
		finish(dial, conn, 0);
		return;
	}
	conn_close(conn, REASON_PROTOCOL, CONN_DROP);
	finish(dial, NULL, REASON_TLS_FAILED);
}

static void on_failed(void *ctx, struct conn *conn, int reason)
{
	struct dial *dial = ctx;
	CHECK_OBJ(dial, DIAL_MAGIC);
	(void)conn;
	dial->conn = NULL;
	dial->reason = reason;
	try_next(dial);
}

static int64_t patience_ms(const struct dial *dial)
{
	int64_t left_ms = dial->until_ms - clock_mono_ms();
	int is_last = dial->next + 1 >= dial->answer.count;
	if (left_ms < 1)
		return 1;
	return is_last || left_ms < TRY_MS ? left_ms : TRY_MS;
}

/* A failure may come at once, so this loops; it ends with a try under way or the end of all. */
static void try_next(struct dial *dial)
{
	char address[CONN_ADDRESS];
	while (!dial->dropped && dial->next < dial->answer.count &&
		clock_mono_ms() < dial->until_ms) {
		const struct sockaddr *to =
			(struct sockaddr *)&dial->answer.addresses[dial->next];
		address_text(address, to);
		dial->opening.handshake_ms = patience_ms(dial);
		dial->next++;
		int rc = conn_tls_dial(dial->with.worker, to, address, dial->with.tls,
			dial->node, &dial->opening, &dial->conn);
		if (!rc)
			return;
		dial->reason = -rc;
	}
	finish(dial, NULL, dial->reason ? dial->reason : REASON_TIMEOUT);
}

static void begin_tries(struct post_item *item)
{
	struct dial *dial = (struct dial *)((char *)item - offsetof(struct dial, step));
	CHECK_OBJ(dial, DIAL_MAGIC);
	if (dial->answer.status)
		dial->reason = -dial->answer.status;
	try_next(dial);
}

static void on_answer(void *ctx, const struct resolver_answer *answer)
{
	struct dial *dial = ctx;
	CHECK_OBJ(dial, DIAL_MAGIC);
	dial->lookup = NULL;
	worker_timer_set(dial->timer, -1);
	dial->answer = *answer;
	begin_tries(&dial->step);
}

/* The system does not say where that name is. */
static void on_timer(void *ctx)
{
	struct dial *dial = ctx;
	CHECK_OBJ(dial, DIAL_MAGIC);
	resolver_drop(dial->lookup);
	dial->lookup = NULL;
	dial->reason = REASON_TIMEOUT;
	try_next(dial);
}

static int look_up(struct dial *dial, int64_t within_ms)
{
	int rc = resolver_ask(dial->with.resolver, &dial->endpoint,
		worker_box(dial->with.worker), on_answer, dial, &dial->answer,
		&dial->lookup);
	if (!rc) {
		worker_timer_set(dial->timer, within_ms);
		return 0;
	}
	if (rc < 0)
		dial->answer.status = rc;
	dial->step.run = begin_tries;
	worker_defer(dial->with.worker, &dial->step);
	return 0;
}

int dialer_begin(const struct dialer *dialer, const char *address, const char *node,
	int64_t within_ms, dial_done done, void *ctx, struct dial **ret)
{
	struct dial *dial = calloc(1, sizeof(*dial));
	if (!dial)
		return -REASON_NO_MEMORY;
	dial->magic = DIAL_MAGIC;
	dial->with = *dialer;
	dial->done = done;
	dial->ctx = ctx;
	dial->until_ms = clock_mono_ms() + within_ms;
	list_init(&dial->under_way);
	dial->opening = (struct conn_tls_opening){
		within_ms, 0, on_ready, on_failed, dial, &dial->under_way};
	int rc = text_endpoint(&dial->endpoint, address, 0);
	if (!rc && (!dial->endpoint.host[0] || !dial->endpoint.port))
		rc = -REASON_BAD_VALUE;
	if (!rc)
		rc = text_copy(dial->node, sizeof(dial->node), node);
	if (!rc)
		rc = worker_timer_new(dialer->worker, on_timer, dial, &dial->timer);
	if (!rc)
		rc = look_up(dial, within_ms);
	if (rc)
		release(dial);
	else
		*ret = dial;
	return rc;
}

void dialer_drop(struct dial *dial)
{
	CHECK_OBJ(dial, DIAL_MAGIC);
	dial->dropped = 1;
	if (dial->lookup) {
		resolver_drop(dial->lookup);
		release(dial);
	} else if (dial->conn) {
		conn_close(dial->conn, REASON_LEG_CLOSED, CONN_DROP);
	}
	/* Else its first step is still to come, and ends it. */
}
