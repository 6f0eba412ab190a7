/* tunnel_pair: two tunnels tied together in memory, for tests. The test is the relay: it joins and
 * cuts, and may look at, change, drop or repeat every record on its way. */
#ifndef TEST_TUNNEL_PAIR_H
#define TEST_TUNNEL_PAIR_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/reason.h"
#include "e2e/identity.h"
#include "e2e/license_id.h"
#include "link/tunnel.h"

#define PAIR_LICENSE "7K3QX09FA"
#define PAIR_RECORDS 4096

struct pair_record {
	uint8_t *bytes;
	size_t len;
};

struct pair_end {
	struct pair *pair;
	enum seal_side side;
	struct tunnel *tunnel;
	struct identity *identity;
	/* What this end has sent and the other has not got yet. */
	struct pair_record wire[PAIR_RECORDS];
	size_t first, count, wire_bytes;
	uint8_t *place;
	size_t queue_limit; /* bytes that the line takes; more is "queued" */
	int full;

	/* What happened. */
	int up, resumed, ended, end_reason, closed_reason, rooms, guessed, admits,
		messages;
	enum tunnel_end end_how;
	uint16_t rights;
	uint8_t *got[SEAL_LANES];
	size_t got_len[SEAL_LANES];
	struct inner_message last;
	struct tunnel_paired paired;
	int paired_calls;

	/* How it decides. */
	int psk_rc, accept_rc, admit_rc, paired_rc, hold_consumed, admit_later;
	uint8_t psk[INNER_KEY];
};

struct pair {
	struct event_base *base;
	char dir[2][64];
	struct pair_end host, viewer;
	uint64_t fence;
	enum prologue_purpose purpose;
	/* Asked for each record before it is delivered: 0 delivers, 1 drops. May change it. */
	int (*meddle)(struct pair *pair, struct pair_end *from,
		struct pair_record *record);
	long delivered;
	long cut_after; /* records until the leg is cut; -1: never */
};

static struct pair_end *pair_other(struct pair_end *end)
{
	return end->side == SEAL_HOST ? &end->pair->viewer : &end->pair->host;
}

static size_t wire_queued(void *ctx)
{
	struct pair_end *end = ctx;
	size_t queued = 0;
	if (end->wire_bytes > end->queue_limit)
		queued = end->wire_bytes - end->queue_limit;
	if (queued >= CARRIER_FULL)
		end->full = 1;
	return queued;
}

static int wire_reserve(void *ctx, size_t len, uint8_t **ret)
{
	struct pair_end *end = ctx;
	assert_true(len <= SEAL_RECORD_MAX);
	assert_null(end->place);
	if (end->count == PAIR_RECORDS)
		return -REASON_LIMIT;
	end->place = malloc(len);
	*ret = end->place;
	return 0;
}

static void wire_put(struct pair_end *end, uint8_t *bytes, size_t len)
{
	size_t at = (end->first + end->count++) % PAIR_RECORDS;
	end->wire[at] = (struct pair_record){bytes, len};
	end->wire_bytes += len;
}

static void wire_commit(void *ctx, size_t len)
{
	struct pair_end *end = ctx;
	if (len)
		wire_put(end, end->place, len);
	else
		free(end->place);
	end->place = NULL;
}

static void wire_close(void *ctx, int reason)
{
	struct pair_end *end = ctx;
	end->closed_reason = reason;
}

static const struct carrier PAIR_CARRIER = {
	.queued = wire_queued,
	.reserve = wire_reserve,
	.commit = wire_commit,
	.close = wire_close,
};

static int on_find_psk(void *ctx, const struct tunnel_peer *peer,
	uint8_t ret[static INNER_KEY])
{
	struct pair_end *end = ctx;
	assert_int_equal(peer->purpose, end->pair->purpose);
	memcpy(ret, end->psk, INNER_KEY);
	return end->psk_rc;
}

static int on_accept(void *ctx, const struct tunnel_peer *peer)
{
	struct pair_end *end = ctx;
	struct pair_end *other = pair_other(end);
	assert_memory_equal(peer->key, identity_tunnel_public(other->identity),
		INNER_KEY);
	return end->accept_rc;
}

static void on_guessed(void *ctx, uint32_t ticket)
{
	struct pair_end *end = ctx;
	assert_int_equal(ticket, 77);
	end->guessed++;
}

static void pair_admit(struct pair_end *end)
{
	struct tunnel_grant grant = {.rights = INNER_RIGHT_VIEW | INNER_RIGHT_CONTROL,
		.width = 1280,
		.height = 720};
	strcpy(grant.host_name, "office");
	memset(grant.pair_psk, 0x5a, sizeof(grant.pair_psk));
	tunnel_admit(end->tunnel, end->admit_rc, &grant);
}

static void on_admit(void *ctx, const struct tunnel_peer *peer)
{
	struct pair_end *end = ctx;
	assert_string_equal(peer->device, "laptop");
	end->admits++;
	if (!end->admit_later)
		pair_admit(end);
}

static void on_up(void *ctx, const struct tunnel_up *up)
{
	struct pair_end *end = ctx;
	end->up++;
	end->resumed += up->resumed;
	end->rights = up->rights;
	assert_int_equal(up->fence, end->pair->fence);
	assert_int_equal(up->width, 1280);
}

static int on_paired(void *ctx, const struct tunnel_paired *paired)
{
	struct pair_end *end = ctx;
	end->paired = *paired;
	end->paired_calls++;
	return end->paired_rc;
}

static void on_bytes(void *ctx, enum seal_lane lane, const uint8_t *bytes, size_t len)
{
	struct pair_end *end = ctx;
	end->got[lane] = realloc(end->got[lane], end->got_len[lane] + len + 1);
	memcpy(end->got[lane] + end->got_len[lane], bytes, len);
	end->got_len[lane] += len;
	if (!end->hold_consumed)
		tunnel_consumed(end->tunnel, lane, len);
}

static void on_room(void *ctx, enum seal_lane lane)
{
	struct pair_end *end = ctx;
	(void)lane;
	end->rooms++;
}

static void on_message(void *ctx, const struct inner_message *message)
{
	struct pair_end *end = ctx;
	end->last = *message;
	end->messages++;
}

static void on_ended(void *ctx, int reason, enum tunnel_end how)
{
	struct pair_end *end = ctx;
	end->ended++;
	end->end_reason = reason;
	end->end_how = how;
}

static const struct tunnel_events PAIR_EVENTS = {
	.find_psk = on_find_psk,
	.accept = on_accept,
	.guessed = on_guessed,
	.admit = on_admit,
	.up = on_up,
	.paired = on_paired,
	.bytes = on_bytes,
	.room = on_room,
	.message = on_message,
	.ended = on_ended,
};

static void pair_end_init(struct pair *pair, struct pair_end *end, enum seal_side side)
{
	char *dir = pair->dir[side];
	end->pair = pair;
	end->side = side;
	end->queue_limit = SIZE_MAX;
	memset(end->psk, 0x33, sizeof(end->psk));
	strcpy(dir, "/tmp/engawa-tunnel-XXXXXX");
	assert_non_null(mkdtemp(dir));
	assert_int_equal(identity_open(dir, &end->identity), 0);
}

static void pair_tunnel(struct pair *pair, struct pair_end *end)
{
	struct tunnel_config config = {
		.side = end->side,
		.identity = end->identity,
		.license = PAIR_LICENSE,
		.features = INNER_FEATURE_CLIPBOARD_LANE,
		.grace_ms = 60000,
		.purpose = pair->purpose,
		.ticket = pair->purpose == PROLOGUE_PAIRING ? 77 : 0,
		.user = "sato",
		.device = "laptop",
		.wanted = INNER_RIGHTS_ALL,
		.rekey_every = 16,
	};
	memcpy(config.psk, end->psk, sizeof(config.psk));
	assert_int_equal(tunnel_new(&end->tunnel, pair->base, &config, &PAIR_EVENTS, end),
		0);
}

static struct pair *pair_new(enum prologue_purpose purpose)
{
	struct pair *pair = calloc(1, sizeof(*pair));
	pair->base = event_base_new();
	pair->purpose = purpose;
	pair->cut_after = -1;
	pair_end_init(pair, &pair->host, SEAL_HOST);
	pair_end_init(pair, &pair->viewer, SEAL_VIEWER);
	pair_tunnel(pair, &pair->host);
	pair_tunnel(pair, &pair->viewer);
	return pair;
}

static struct message_open pair_message_open(struct pair *pair)
{
	struct message_open open = {
		.fence = pair->fence,
		.purpose = pair->purpose,
		.psk_kind = pair->purpose == PROLOGUE_PAIRING ? 1 : 2,
		.ticket = pair->purpose == PROLOGUE_PAIRING ? 77 : 0,
		.resumed = pair->fence > 1,
		.viewer_min = 1,
		.viewer_max = 1,
		.host_min = 1,
		.host_max = 1,
	};
	memset(open.session, 0x11, sizeof(open.session));
	return open;
}

static void wire_clear(struct pair_end *end)
{
	for (; end->count; end->count--) {
		free(end->wire[end->first].bytes);
		end->first = (end->first + 1) % PAIR_RECORDS;
	}
	end->wire_bytes = 0;
}

static void pair_cut(struct pair *pair)
{
	wire_clear(&pair->host);
	wire_clear(&pair->viewer);
	tunnel_cut(pair->host.tunnel, REASON_PEER_LOST);
	tunnel_cut(pair->viewer.tunnel, REASON_PEER_LOST);
}

static int pair_open_end(struct pair *pair, struct pair_end *end)
{
	struct message_open open = pair_message_open(pair);
	return tunnel_open(end->tunnel, &PAIR_CARRIER, end, &open);
}

static void pair_open(struct pair *pair)
{
	wire_clear(&pair->host);
	wire_clear(&pair->viewer);
	pair->fence++;
	assert_int_equal(pair_open_end(pair, &pair->host), 0);
	assert_int_equal(pair_open_end(pair, &pair->viewer), 0);
}

/* Delivers one record of this end; false: there was none, or the leg was cut instead. */
static int pair_deliver(struct pair *pair, struct pair_end *from)
{
	if (!from->count)
		return 0;
	if (pair->cut_after == 0) {
		pair->cut_after = -1;
		pair_cut(pair);
		return 0;
	}
	if (pair->cut_after > 0)
		pair->cut_after--;
	struct pair_record record = from->wire[from->first];
	from->first = (from->first + 1) % PAIR_RECORDS;
	from->count--;
	from->wire_bytes -= record.len;
	pair->delivered++;
	int drop = pair->meddle ? pair->meddle(pair, from, &record) : 0;
	if (!drop)
		tunnel_data(pair_other(from)->tunnel, record.bytes, record.len);
	free(record.bytes);
	if (from->full && wire_queued(from) < CARRIER_LOW) {
		from->full = 0;
		tunnel_room(from->tunnel);
	}
	return 1;
}

/* Runs until nothing moves any more. Acknowledgements wait for milliseconds of real time, so "nothing
 * moves" is: nothing for a while. */
static void pair_run(struct pair *pair)
{
	for (int quiet = 0; quiet < 8;) {
		int moved = pair_deliver(pair, &pair->host);
		moved |= pair_deliver(pair, &pair->viewer);
		event_base_loop(pair->base, EVLOOP_NONBLOCK);
		quiet = moved ? 0 : quiet + 1;
		if (!moved)
			usleep(1000);
	}
}

static void pair_up(struct pair *pair)
{
	pair_open(pair);
	pair_run(pair);
	assert_int_equal(tunnel_state(pair->host.tunnel), TUNNEL_UP);
	assert_int_equal(tunnel_state(pair->viewer.tunnel), TUNNEL_UP);
}

static void pair_end_done(struct pair *pair, struct pair_end *end)
{
	char path[128];
	wire_clear(end);
	tunnel_free(end->tunnel);
	identity_free(end->identity);
	for (int lane = 0; lane < SEAL_LANES; lane++)
		free(end->got[lane]);
	snprintf(path, sizeof(path), "rm -rf %s", pair->dir[end->side]);
	assert_int_equal(system(path), 0);
}

static void pair_free(struct pair *pair)
{
	pair_end_done(pair, &pair->host);
	pair_end_done(pair, &pair->viewer);
	event_base_loop(pair->base, EVLOOP_NONBLOCK);
	event_base_free(pair->base);
	free(pair);
}

#endif
