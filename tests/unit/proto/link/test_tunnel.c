#include "link/credit.h"
#include "tunnel_pair.h"

static void same_bytes(const struct pair_end *end, enum seal_lane lane,
	const uint8_t *bytes, size_t len)
{
	assert_int_equal(end->got_len[lane], len);
	if (len)
		assert_memory_equal(end->got[lane], bytes, len);
}

static void opens_and_carries(void **state UNUSED)
{
	struct pair *pair = pair_new(PROLOGUE_SESSION);
	pair_up(pair);
	assert_int_equal(pair->host.up, 1);
	assert_int_equal(pair->viewer.up, 1);
	assert_int_equal(pair->viewer.rights, INNER_RIGHT_VIEW | INNER_RIGHT_CONTROL);
	assert_int_equal(tunnel_write(pair->viewer.tunnel, SEAL_INPUT, "key", 3), 3);
	assert_int_equal(tunnel_write(pair->host.tunnel, SEAL_PICTURE, "pixels", 6), 6);
	assert_int_equal(tunnel_write(pair->host.tunnel, SEAL_CLIPBOARD, "text", 4), 4);
	pair_run(pair);
	same_bytes(&pair->host, SEAL_INPUT, (const uint8_t *)"key", 3);
	same_bytes(&pair->viewer, SEAL_PICTURE, (const uint8_t *)"pixels", 6);
	same_bytes(&pair->viewer, SEAL_CLIPBOARD, (const uint8_t *)"text", 4);
	struct tunnel_stats stats;
	tunnel_stats(pair->host.tunnel, &stats);
	assert_int_equal(stats.in_flight, 0);
	assert_true(stats.rtt_us > 0);
	pair_free(pair);
}

static void big_streams_are_exact(void **state UNUSED)
{
	struct pair *pair = pair_new(PROLOGUE_SESSION);
	size_t len = 3 * 1024 * 1024, done = 0;
	uint8_t *bytes = malloc(len);
	for (size_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)(i * 2654435761u >> 13);
	pair_up(pair);
	while (done < len) {
		size_t put = tunnel_write(pair->host.tunnel, SEAL_PICTURE, bytes + done,
			len - done);
		done += put;
		if (!put)
			pair_run(pair);
	}
	pair_run(pair);
	same_bytes(&pair->viewer, SEAL_PICTURE, bytes, len);
	assert_true(pair->host.rooms > 0);
	assert_int_equal(pair->host.ended + pair->viewer.ended, 0);
	free(bytes);
	pair_free(pair);
}

static void control_messages_arrive(void **state UNUSED)
{
	struct pair *pair = pair_new(PROLOGUE_SESSION);
	struct inner_message message = {.kind = INNER_RIGHTS};
	message.rights.rights = INNER_RIGHT_VIEW;
	pair_up(pair);
	assert_int_equal(tunnel_message(pair->host.tunnel, &message), 0);
	assert_int_equal(tunnel_message(pair->viewer.tunnel, &message),
		-REASON_BAD_VALUE);
	message.kind = INNER_CLOSE;
	assert_int_equal(tunnel_message(pair->host.tunnel, &message), -REASON_BAD_VALUE);
	message = (struct inner_message){.kind = INNER_STATS};
	assert_int_equal(tunnel_message(pair->host.tunnel, &message), 0);
	pair_run(pair);
	assert_int_equal(pair->viewer.messages, 2);
	assert_int_equal(pair->viewer.last.kind, INNER_STATS);
	pair_free(pair);
}

static void close_is_told(void **state UNUSED)
{
	struct pair *pair = pair_new(PROLOGUE_SESSION);
	pair_up(pair);
	tunnel_close(pair->viewer.tunnel, REASON_VIEWER_LEFT);
	tunnel_close(pair->viewer.tunnel, REASON_INTERNAL);
	assert_int_equal(pair->viewer.ended, 0); /* not from within */
	pair_run(pair);
	assert_int_equal(pair->viewer.ended, 1);
	assert_int_equal(pair->viewer.end_how, TUNNEL_OURS);
	assert_int_equal(pair->viewer.closed_reason, REASON_VIEWER_LEFT);
	assert_int_equal(pair->host.ended, 1);
	assert_int_equal(pair->host.end_reason, REASON_VIEWER_LEFT);
	assert_int_equal(pair->host.end_how, TUNNEL_THEIRS);
	assert_int_equal(tunnel_write(pair->host.tunnel, SEAL_PICTURE, "x", 1), 0);
	pair_free(pair);
}

static void cut_before_up_ends_it(void **state UNUSED)
{
	for (long at = 0; at < 5; at++) {
		struct pair *pair = pair_new(PROLOGUE_SESSION);
		pair->cut_after = at;
		pair_open(pair);
		pair_run(pair);
		/* Message 1, 2, 3, VIEWER_HELLO, HELLO_OK: only the host can be up before the last. */
		assert_int_equal(pair->viewer.up, 0);
		assert_int_equal(pair->viewer.ended, 1);
		assert_int_equal(pair->viewer.end_reason, REASON_PEER_LOST);
		assert_int_equal(pair->viewer.end_how, TUNNEL_INTERRUPTED);
		assert_int_equal(pair->host.up, at == 4);
		assert_int_equal(pair->host.ended, at != 4);
		pair_free(pair);
	}
}

/* Every possible place of the first 60 records; then 5,000 numbers at random places. */
static void numbers_cross(struct pair *pair, long (*next_cut)(void *ctx), void *ctx,
	int most)
{
	int sent_in = 0, sent_out = 0;
	for (int round = 0; sent_in < most || sent_out < most ||
			    pair->host.got_len[SEAL_INPUT] < (size_t)most * 4 ||
			    pair->viewer.got_len[SEAL_PICTURE] < (size_t)most * 4;
		round++) {
		assert_true(round < 100000);
		if (tunnel_state(pair->host.tunnel) == TUNNEL_WAITING ||
			tunnel_state(pair->viewer.tunnel) == TUNNEL_WAITING) {
			pair_cut(pair);
			pair_open(pair);
			pair->cut_after = next_cut(ctx);
		}
		for (int i = 0; i < 25; i++) {
			uint32_t number = (uint32_t)sent_in + 1;
			if (sent_in < most &&
				tunnel_write(pair->viewer.tunnel, SEAL_INPUT, &number, 4))
				sent_in++;
			number = (uint32_t)sent_out + 1;
			if (sent_out < most &&
				tunnel_write(pair->host.tunnel, SEAL_PICTURE, &number, 4))
				sent_out++;
		}
		for (int i = 0; i < 12; i++) {
			pair_deliver(pair, &pair->host);
			pair_deliver(pair, &pair->viewer);
		}
		event_base_loop(pair->base, EVLOOP_NONBLOCK);
	}
	pair->cut_after = -1;
	pair_run(pair);
	for (int side = 0; side < 2; side++) {
		struct pair_end *end = side ? &pair->host : &pair->viewer;
		enum seal_lane lane = side ? SEAL_INPUT : SEAL_PICTURE;
		assert_int_equal(end->got_len[lane], (size_t)most * 4);
		for (int i = 0; i < most; i++) {
			uint32_t number;
			memcpy(&number, end->got[lane] + 4 * (size_t)i, 4);
			assert_int_equal(number, i + 1);
		}
		assert_int_equal(end->ended, 0);
	}
}

static long same_place(void *ctx)
{
	return *(long *)ctx;
}

static void resume_is_exact_at_every_place(void **state UNUSED)
{
	for (long at = 0; at < 60; at++) {
		struct pair *pair = pair_new(PROLOGUE_SESSION);
		long later = at + 12;
		pair_up(pair);
		pair->cut_after = at;
		numbers_cross(pair, same_place, &later, 200);
		assert_true(pair->host.resumed >= 0);
		pair_free(pair);
	}
}

static long random_place(void *ctx)
{
	unsigned *seed = ctx;
	*seed = *seed * 1103515245 + 12345;
	return (*seed >> 16) % 80;
}

static void resume_is_exact_at_random_places(void **state UNUSED)
{
	struct pair *pair = pair_new(PROLOGUE_SESSION);
	unsigned seed = 4711;
	pair_up(pair);
	pair->cut_after = 50;
	numbers_cross(pair, random_place, &seed, 5000);
	assert_true(pair->host.resumed > 5);
	pair_free(pair);
}

static void typed_while_cut_is_kept(void **state UNUSED)
{
	struct pair *pair = pair_new(PROLOGUE_SESSION);
	struct inner_message message = {.kind = INNER_RFB_OPEN};
	message.rfb_open.id = 9;
	pair_up(pair);
	pair_cut(pair);
	assert_int_equal(tunnel_write(pair->viewer.tunnel, SEAL_INPUT, "abc", 3), 3);
	assert_int_equal(tunnel_message(pair->viewer.tunnel, &message), 0);
	pair_up(pair);
	same_bytes(&pair->host, SEAL_INPUT, (const uint8_t *)"abc", 3);
	assert_int_equal(pair->host.messages, 1);
	assert_int_equal(pair->host.last.rfb_open.id, 9);
	assert_int_equal(pair->host.resumed, 1);
	pair_free(pair);
}

/* What the relay does to one record, by number. */
enum fault { FLIP, REPEAT, SWAP, DROP, REFLECT, SHORTEN, INSERT, FAULTS };
static enum fault fault;
static long fault_at;

static int faulty(struct pair *pair, struct pair_end *from, struct pair_record *record)
{
	struct pair_end *to = pair_other(from);
	if (pair->delivered != fault_at)
		return 0;
	uint8_t *copy = malloc(record->len);
	memcpy(copy, record->bytes, record->len);
	switch (fault) {
	case FLIP:
		record->bytes[(size_t)fault_at * 7 % record->len] ^= 1u << fault_at % 8;
		break;
	case REPEAT:
		tunnel_data(to->tunnel, copy, record->len);
		break;
	case SWAP:
		if (from->count) {
			struct pair_record *next = &from->wire[from->first];
			struct pair_record first = *record;
			*record = *next;
			*next = first;
		} else {
			record->bytes[0] ^= 1;
		}
		break;
	case DROP:
		free(copy);
		wire_put(from, malloc(64), 64);
		memset(from->wire[(from->first + from->count - 1) % PAIR_RECORDS].bytes,
			7, 64);
		return 1;
	case REFLECT:
		tunnel_data(from->tunnel, copy, record->len);
		break;
	case SHORTEN:
		record->len--;
		break;
	default:
		memset(copy, 0xa5, record->len);
		tunnel_data(to->tunnel, copy, record->len);
		break;
	}
	free(copy);
	return 0;
}

static void meddling_ends_it(void **state UNUSED)
{
	for (fault = FLIP; fault < FAULTS; fault++) {
		for (fault_at = 1; fault_at < 16; fault_at++) {
			struct pair *pair = pair_new(PROLOGUE_SESSION);
			pair->meddle = faulty;
			pair_open(pair);
			pair_run(pair);
			for (int i = 0; i < 12; i++) {
				tunnel_write(pair->viewer.tunnel, SEAL_INPUT, "secret",
					6);
				pair_run(pair);
			}
			struct pair_end *bad =
				pair->host.end_reason ? &pair->host : &pair->viewer;
			assert_true(pair->host.ended || pair->viewer.ended);
			assert_int_equal(bad->end_how, TUNNEL_INTERRUPTED);
			assert_int_equal(bad->closed_reason, REASON_E2E_FAILED);
			/* Whatever arrived is a true beginning of what was sent. */
			assert_int_equal(pair->host.got_len[SEAL_INPUT] % 6, 0);
			for (size_t i = 0; i < pair->host.got_len[SEAL_INPUT]; i += 6)
				assert_memory_equal(pair->host.got[SEAL_INPUT] + i,
					"secret", 6);
			pair_free(pair);
		}
	}
}

static void expect_end(struct pair *pair, int host_reason, int viewer_reason, int told)
{
	pair_open(pair);
	pair_run(pair);
	if (pair->viewer.closed_reason && !pair->host.ended) {
		struct message_close close = {
			.reason = (uint64_t)pair->viewer.closed_reason};
		tunnel_closed(pair->host.tunnel, &close);
	}
	if (pair->host.closed_reason && !pair->viewer.ended) {
		struct message_close close = {
			.reason = (uint64_t)pair->host.closed_reason};
		tunnel_closed(pair->viewer.tunnel, &close);
	}
	pair_run(pair);
	assert_int_equal(pair->host.up + pair->viewer.up, 0);
	assert_int_equal(pair->host.end_reason, host_reason);
	assert_int_equal(pair->viewer.end_reason, viewer_reason);
	assert_int_equal(pair->host.closed_reason ? pair->host.closed_reason
						  : pair->viewer.closed_reason,
		told);
	pair_free(pair);
}

static void refusals_explain_themselves(void **state UNUSED)
{
	struct pair *pair = pair_new(PROLOGUE_SESSION);
	pair->viewer.accept_rc = -REASON_HOST_KEY_CHANGED;
	expect_end(pair, REASON_E2E_FAILED, REASON_HOST_KEY_CHANGED, REASON_E2E_FAILED);

	pair = pair_new(PROLOGUE_SESSION);
	memset(pair->host.psk, 0x44, INNER_KEY);
	expect_end(pair, REASON_E2E_FAILED, REASON_E2E_FAILED, REASON_E2E_FAILED);

	pair = pair_new(PROLOGUE_SESSION);
	pair->host.psk_rc = -REASON_DEVICE_UNKNOWN;
	expect_end(pair, REASON_DEVICE_UNKNOWN, REASON_DEVICE_UNKNOWN,
		REASON_DEVICE_UNKNOWN);

	pair = pair_new(PROLOGUE_SESSION);
	pair->host.psk_rc = -REASON_DISK_FULL; /* nobody's business but the host's */
	expect_end(pair, REASON_DISK_FULL, REASON_E2E_FAILED, REASON_E2E_FAILED);

	pair = pair_new(PROLOGUE_SESSION);
	pair->host.accept_rc = -REASON_DEVICE_REVOKED;
	expect_end(pair, REASON_DEVICE_REVOKED, REASON_DEVICE_REVOKED,
		REASON_DEVICE_REVOKED);

	const int denials[] = {REASON_VETO, REASON_POLICY, REASON_CONSENT_REFUSED,
		REASON_HOST_BUSY, REASON_OUT_OF_HOURS, REASON_DEVICE_REVOKED};
	for (size_t i = 0; i < ARRAY_LEN(denials); i++) {
		pair = pair_new(PROLOGUE_SESSION);
		pair->host.admit_rc = denials[i];
		expect_end(pair, denials[i], denials[i], denials[i]);
	}

	pair = pair_new(PROLOGUE_PAIRING);
	memset(pair->host.psk, 0x44, INNER_KEY);
	expect_end(pair, REASON_TICKET_WRONG, REASON_TICKET_WRONG, REASON_E2E_FAILED);

	const int tickets[] = {
		REASON_TICKET_USED, REASON_TICKET_EXPIRED, REASON_TICKET_WRONG};
	for (size_t i = 0; i < ARRAY_LEN(tickets); i++) {
		pair = pair_new(PROLOGUE_PAIRING);
		pair->host.psk_rc = -tickets[i];
		expect_end(pair, tickets[i], tickets[i], tickets[i]);
	}

	/* The second of two viewers that meet the same ticket: ticket_book_use() says no. */
	pair = pair_new(PROLOGUE_PAIRING);
	pair->host.accept_rc = -REASON_TICKET_USED;
	expect_end(pair, REASON_TICKET_USED, REASON_TICKET_USED, REASON_TICKET_USED);
}

static void a_wrong_guess_is_counted(void **state UNUSED)
{
	struct pair *pair = pair_new(PROLOGUE_PAIRING);
	memset(pair->host.psk, 0x44, INNER_KEY);
	pair_open(pair);
	pair_run(pair);
	assert_int_equal(pair->host.guessed, 1);
	pair_free(pair);
}

static void pairing_gives_both_the_same(void **state UNUSED)
{
	struct pair *pair = pair_new(PROLOGUE_PAIRING);
	pair_open(pair);
	pair_run(pair);
	uint8_t psk[INNER_KEY];
	memset(psk, 0x5a, sizeof(psk));
	for (int side = 0; side < 2; side++) {
		struct pair_end *end = side ? &pair->host : &pair->viewer;
		assert_int_equal(end->paired_calls, 1);
		assert_memory_equal(end->paired.pair_psk, psk, sizeof(psk));
		assert_int_equal(end->ended, 1);
		assert_int_equal(end->end_reason, REASON_VIEWER_LEFT);
		assert_int_equal(end->up, 0);
	}
	assert_string_equal(pair->viewer.paired.host_name, "office");
	assert_string_equal(pair->host.paired.device, "laptop");
	assert_int_equal(pair->host.paired.ticket, 77);
	assert_int_equal(pair->viewer.end_how, TUNNEL_THEIRS);
	pair_free(pair);
}

static void a_pin_that_cannot_be_stored_pairs_nobody(void **state UNUSED)
{
	struct pair *pair = pair_new(PROLOGUE_PAIRING);
	pair->viewer.paired_rc = -REASON_DISK_FULL;
	pair_open(pair);
	pair_run(pair);
	assert_int_equal(pair->host.paired_calls, 0);
	assert_int_equal(pair->viewer.end_reason, REASON_DISK_FULL);
	assert_int_equal(pair->host.end_reason, REASON_DISK_FULL);
	pair_free(pair);
}

static void fences_only_grow(void **state UNUSED)
{
	struct pair *pair = pair_new(PROLOGUE_SESSION);
	pair->fence = 7;
	pair_up(pair);
	assert_int_equal(tunnel_fence(pair->host.tunnel), 8);
	assert_int_equal(pair_open_end(pair, &pair->host), -REASON_FENCE_STALE);
	pair->fence = 3;
	assert_int_equal(pair_open_end(pair, &pair->host), -REASON_FENCE_STALE);
	assert_int_equal(tunnel_state(pair->host.tunnel), TUNNEL_UP); /* unharmed */
	pair->fence = 8;
	pair_free(pair);
}

static void different_fences_do_not_meet(void **state UNUSED)
{
	struct pair *pair = pair_new(PROLOGUE_SESSION);
	pair->fence = 5;
	assert_int_equal(pair_open_end(pair, &pair->host), 0);
	pair->fence = 6;
	assert_int_equal(pair_open_end(pair, &pair->viewer), 0);
	pair_run(pair);
	assert_int_equal(pair->host.up + pair->viewer.up, 0);
	assert_int_equal(pair->host.admits, 0);
	assert_int_equal(pair->host.end_reason, REASON_FENCE_STALE);
	assert_int_equal(pair->host.closed_reason, REASON_E2E_FAILED);
	pair_free(pair);
}

static void open_must_say_what_connect_said(void **state UNUSED)
{
	struct pair *pair = pair_new(PROLOGUE_SESSION);
	struct message_open open;
	pair->fence = 1;
	open = pair_message_open(pair);
	open.purpose = PROLOGUE_PAIRING;
	assert_int_equal(tunnel_open(pair->viewer.tunnel, &PAIR_CARRIER, &pair->viewer,
				 &open),
		-REASON_E2E_FAILED);
	open = pair_message_open(pair);
	open.psk_kind = 0;
	assert_int_equal(tunnel_open(pair->viewer.tunnel, &PAIR_CARRIER, &pair->viewer,
				 &open),
		-REASON_E2E_FAILED);
	open = pair_message_open(pair);
	open.host_min = open.host_max = 9;
	assert_int_equal(tunnel_open(pair->viewer.tunnel, &PAIR_CARRIER, &pair->viewer,
				 &open),
		-REASON_VERSION);
	assert_int_equal(pair->viewer.count, 0);
	pair_free(pair);
}

/* A relay that tells the ends different things gets no tunnel. */
static void different_prologues_do_not_meet(void **state UNUSED)
{
	struct pair *pair = pair_new(PROLOGUE_SESSION);
	struct message_open open;
	pair->fence = 1;
	open = pair_message_open(pair);
	assert_int_equal(tunnel_open(pair->host.tunnel, &PAIR_CARRIER, &pair->host,
				 &open),
		0);
	open.session[3] ^= 1;
	assert_int_equal(tunnel_open(pair->viewer.tunnel, &PAIR_CARRIER, &pair->viewer,
				 &open),
		0);
	pair_run(pair);
	assert_int_equal(pair->host.up + pair->viewer.up, 0);
	assert_true(pair->viewer.end_reason == REASON_E2E_FAILED ||
		    pair->host.end_reason == REASON_E2E_FAILED);
	pair_free(pair);
}

static void a_host_that_began_anew_has_no_session(void **state UNUSED)
{
	struct pair *pair = pair_new(PROLOGUE_SESSION);
	pair_up(pair);
	tunnel_write(pair->viewer.tunnel, SEAL_INPUT, "abc", 3);
	pair_run(pair);
	pair_cut(pair);
	usleep(60000);
	tunnel_free(pair->host.tunnel);
	pair_tunnel(pair, &pair->host);
	pair_open(pair);
	pair_run(pair);
	assert_true(pair->viewer.end_reason == REASON_GRACE_OVER ||
		    pair->host.end_reason == REASON_E2E_FAILED);
	assert_int_equal(pair->viewer.resumed, 0);
	pair_free(pair);
}

static void slow_consumer_bounds_memory(void **state UNUSED)
{
	struct pair *pair = pair_new(PROLOGUE_SESSION);
	static uint8_t block[65536];
	pair->viewer.hold_consumed = 1;
	pair->host.hold_consumed = 1;
	pair_up(pair);
	size_t picture = 0, input = 0;
	for (int i = 0; i < 200; i++) {
		picture += tunnel_write(pair->host.tunnel, SEAL_PICTURE, block,
			sizeof(block));
		input += tunnel_write(pair->viewer.tunnel, SEAL_INPUT, block,
			sizeof(block));
		pair_run(pair);
		if (i == 3)
			i = 195; /* nothing moves any more: no need to wait 200 times */
	}
	assert_true(picture <= CREDIT_START + 64 * 1024);
	assert_true(pair->viewer.got_len[SEAL_PICTURE] <= CREDIT_START);
	assert_true(input <= 256 * 1024);
	/* Consumed: it goes on. */
	tunnel_consumed(pair->viewer.tunnel, SEAL_PICTURE,
		pair->viewer.got_len[SEAL_PICTURE]);
	pair_run(pair);
	assert_true(pair->host.rooms > 0);
	assert_int_equal(pair->host.ended + pair->viewer.ended, 0);
	pair_free(pair);
}

/* The line has taken 0 bytes and 64 KiB are sealed: what is more urgent must be next. */
static void urgent_goes_first(void **state UNUSED)
{
	struct pair *pair = pair_new(PROLOGUE_SESSION);
	static uint8_t block[256 * 1024];
	struct inner_message message = {.kind = INNER_RIGHTS};
	pair_up(pair);
	pair->host.queue_limit = 0;
	while (tunnel_write(pair->host.tunnel, SEAL_PICTURE, block, sizeof(block)))
		;
	assert_true(pair->host.wire_bytes <= CARRIER_FULL + SEAL_RECORD_MAX);
	size_t sealed = pair->host.wire_bytes;
	assert_int_equal(tunnel_message(pair->host.tunnel, &message), 0);
	assert_int_equal(pair->host.wire_bytes, sealed);
	size_t before = 0;
	while (!pair->viewer.messages) {
		before = pair->viewer.got_len[SEAL_PICTURE];
		assert_true(pair_deliver(pair, &pair->host));
		event_base_loop(pair->base, EVLOOP_NONBLOCK);
	}
	assert_true(before <= CARRIER_FULL + TUNNEL_CHUNK);
	pair_free(pair);
}

static void consent_may_take_its_time(void **state UNUSED)
{
	struct pair *pair = pair_new(PROLOGUE_SESSION);
	pair->host.admit_later = 1;
	pair_open(pair);
	pair_run(pair);
	assert_int_equal(pair->host.admits, 1);
	assert_int_equal(tunnel_state(pair->host.tunnel), TUNNEL_ADMITTING);
	assert_int_equal(tunnel_state(pair->viewer.tunnel), TUNNEL_ADMITTING);
	pair_admit(&pair->host);
	pair_admit(&pair->host); /* a second answer is ignored */
	pair_run(pair);
	assert_int_equal(pair->host.up, 1);
	assert_int_equal(pair->viewer.up, 1);
	pair_free(pair);
}

static void the_node_may_end_it(void **state UNUSED)
{
	struct pair *pair = pair_new(PROLOGUE_SESSION);
	struct message_close close = {.reason = REASON_ADMIN_DISCONNECT};
	pair_up(pair);
	tunnel_closed(pair->viewer.tunnel, &close);
	close.reason = REASON_NODE_STOPPED;
	tunnel_closed(pair->host.tunnel, &close);
	pair_run(pair);
	assert_int_equal(pair->viewer.ended, 1);
	assert_int_equal(pair->viewer.end_reason, REASON_ADMIN_DISCONNECT);
	assert_int_equal(pair->viewer.end_how, TUNNEL_INTERRUPTED);
	assert_int_equal(pair->host.ended, 0);
	assert_int_equal(tunnel_state(pair->host.tunnel), TUNNEL_WAITING);
	pair_free(pair);
}

static void receipts_count_both_ways(void **state UNUSED)
{
	struct pair *pair = pair_new(PROLOGUE_SESSION);
	struct message_receipt host, viewer;
	pair_up(pair);
	tunnel_write(pair->viewer.tunnel, SEAL_INPUT, "abc", 3);
	pair_run(pair);
	wire_clear(&pair->host);
	assert_int_equal(tunnel_receipt(pair->host.tunnel, REASON_VIEWER_LEFT, &host), 0);
	assert_int_equal(tunnel_receipt(pair->viewer.tunnel, REASON_VIEWER_LEFT, &viewer),
		0);
	assert_int_equal(host.sent, viewer.received);
	assert_int_equal(viewer.sent, host.received);
	assert_true(viewer.sent > 48 + 64);
	assert_int_equal(host.fence, 1);
	pair_free(pair);
}

static void freed_in_a_callback(void *ctx, const struct inner_message *message)
{
	struct pair_end *end = ctx;
	(void)message;
	end->messages++;
	end->tunnel = tunnel_free(end->tunnel);
}

static void may_be_freed_in_a_callback(void **state UNUSED)
{
	struct pair *pair = pair_new(PROLOGUE_SESSION);
	struct tunnel_events events = PAIR_EVENTS;
	events.message = freed_in_a_callback;
	tunnel_free(pair->viewer.tunnel);
	struct tunnel_config config = {
		.side = SEAL_VIEWER,
		.identity = pair->viewer.identity,
		.license = PAIR_LICENSE,
		.purpose = PROLOGUE_SESSION,
		.device = "laptop",
	};
	memset(config.psk, 0x33, sizeof(config.psk));
	assert_int_equal(tunnel_new(&pair->viewer.tunnel, pair->base, &config, &events,
				 &pair->viewer),
		0);
	pair_up(pair);
	struct inner_message message = {.kind = INNER_RIGHTS};
	assert_int_equal(tunnel_message(pair->host.tunnel, &message), 0);
	assert_true(pair_deliver(pair, &pair->host) || pair_deliver(pair, &pair->host));
	while (!pair->viewer.messages)
		pair_deliver(pair, &pair->host);
	assert_null(pair->viewer.tunnel);
	wire_clear(&pair->host);
	event_base_loop(pair->base, EVLOOP_NONBLOCK);
	assert_int_equal(pair->viewer.ended, 0);
	pair_free(pair);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(opens_and_carries),
		cmocka_unit_test(big_streams_are_exact),
		cmocka_unit_test(control_messages_arrive),
		cmocka_unit_test(close_is_told),
		cmocka_unit_test(cut_before_up_ends_it),
		cmocka_unit_test(resume_is_exact_at_every_place),
		cmocka_unit_test(resume_is_exact_at_random_places),
		cmocka_unit_test(typed_while_cut_is_kept),
		cmocka_unit_test(meddling_ends_it),
		cmocka_unit_test(refusals_explain_themselves),
		cmocka_unit_test(a_wrong_guess_is_counted),
		cmocka_unit_test(pairing_gives_both_the_same),
		cmocka_unit_test(a_pin_that_cannot_be_stored_pairs_nobody),
		cmocka_unit_test(fences_only_grow),
		cmocka_unit_test(different_fences_do_not_meet),
		cmocka_unit_test(open_must_say_what_connect_said),
		cmocka_unit_test(different_prologues_do_not_meet),
		cmocka_unit_test(a_host_that_began_anew_has_no_session),
		cmocka_unit_test(slow_consumer_bounds_memory),
		cmocka_unit_test(urgent_goes_first),
		cmocka_unit_test(consent_may_take_its_time),
		cmocka_unit_test(the_node_may_end_it),
		cmocka_unit_test(receipts_count_both_ways),
		cmocka_unit_test(may_be_freed_in_a_callback),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
