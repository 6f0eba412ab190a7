/* A relay that knows everything a gateway knows and does what it likes (SECURITY section 1, A2): 0 sessions
 * open, 0 bytes reach the lanes, no key survives, and the wire says E2E_FAILED only. */
#include "tunnel_pair.h"

#include "base/secret.h"
#include "e2e/pin_rules.h"
#include "link/tunnel_inside.h"

#define TRIALS 1000
#define MEMORY 64 /* records kept of an earlier session, per direction */

static uint32_t seed = 20240711;

static uint32_t dice(uint32_t sides)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % sides;
}

static int is_zero(const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (bytes[i])
			return 0;
	return 1;
}

/* Over, with nothing left that could open or seal another word. */
static void is_wiped(const struct pair_end *end)
{
	const struct tunnel *tunnel = end->tunnel;
	assert_int_equal(tunnel->state, TUNNEL_OVER);
	assert_null(tunnel->seal);
	assert_null(tunnel->noise);
	assert_true(is_zero(tunnel->config.psk, INNER_KEY));
	assert_true(is_zero(tunnel->grant.pair_psk, INNER_KEY));
	for (int lane = 0; lane < SEAL_LANES; lane++)
		assert_null(tunnel->lanes.out[lane].ring.data);
}

static void no_session(const struct pair *pair)
{
	const struct pair_end *ends[] = {&pair->host, &pair->viewer};
	for (int side = 0; side < 2; side++) {
		assert_int_equal(ends[side]->up, 0);
		assert_int_equal(ends[side]->paired_calls, 0);
		assert_int_equal(ends[side]->messages, 0);
		for (int lane = 0; lane < SEAL_LANES; lane++)
			assert_int_equal(ends[side]->got_len[lane], 0);
	}
}

static void settle(struct pair *pair)
{
	int moved;
	do {
		moved = pair_deliver(pair, &pair->host);
		moved |= pair_deliver(pair, &pair->viewer);
		event_base_loop(pair->base, EVLOOP_NONBLOCK);
	} while (moved);
}

static void forget(struct pair_end *end)
{
	wire_clear(end);
	end->tunnel = tunnel_free(end->tunnel);
	for (int lane = 0; lane < SEAL_LANES; lane++) {
		free(end->got[lane]);
		end->got[lane] = NULL;
		end->got_len[lane] = 0;
	}
	end->up = end->ended = end->admits = end->messages = end->paired_calls = 0;
	end->end_reason = end->closed_reason = end->guessed = 0;
}

/* The same people, another session. */
static void anew(struct pair *pair)
{
	forget(&pair->host);
	forget(&pair->viewer);
	event_base_loop(pair->base, EVLOOP_NONBLOCK);
	pair_tunnel(pair, &pair->host);
	pair_tunnel(pair, &pair->viewer);
	pair->fence = 0;
	pair->delivered = 0;
	pair->meddle = NULL;
}

/* ---- OPEN ---------------------------------------------------------------------------------- */

enum lie { SESSION_ID, FENCE, PURPOSE, PSK_KIND, TICKET, LEAST, MOST, LIES };

static uint64_t another(uint64_t value, uint32_t below)
{
	uint64_t other = dice(below);
	return other == value ? other + 1 : other;
}

/* The versions of the other side: those of one's own are not taken from the relay. */
static void lie_in(struct message_open *open, enum lie lie, enum seal_side to)
{
	uint64_t *least = to == SEAL_HOST ? &open->viewer_min : &open->host_min;
	uint64_t *most = to == SEAL_HOST ? &open->viewer_max : &open->host_max;
	switch (lie) {
	case SESSION_ID:
		open->session[dice(16)] ^= (uint8_t)(1u << dice(8));
		break;
	case FENCE:
		open->fence += 1 + dice(1000);
		break;
	case PURPOSE:
		open->purpose = another(open->purpose, 256);
		break;
	case PSK_KIND:
		open->psk_kind = another(open->psk_kind, 256);
		break;
	case TICKET:
		open->ticket = another(open->ticket, 1 << 20);
		break;
	case LEAST:
		*least = another(*least, 255);
		break;
	default:
		*most = another(*most, 255);
		break;
	}
}

static void told_only(const struct pair_end *end)
{
	if (!end->closed_reason)
		return;
	assert_int_equal(end->closed_reason, REASON_E2E_FAILED);
	is_wiped(end);
}

static void lies_in_open_open_nothing(void **state UNUSED)
{
	static const int truths[] = {REASON_E2E_FAILED, REASON_FENCE_STALE,
		REASON_VERSION, REASON_TICKET_WRONG};
	for (int purpose = PROLOGUE_SESSION; purpose <= PROLOGUE_PAIRING; purpose++) {
		struct pair *pair = pair_new((enum prologue_purpose)purpose);
		for (int trial = 0; trial < TRIALS; trial++) {
			anew(pair);
			pair->fence = 1;
			struct message_open open[2] = {
				pair_message_open(pair), pair_message_open(pair)};
			enum seal_side to = dice(2) ? SEAL_HOST : SEAL_VIEWER;
			lie_in(&open[to], (enum lie)(trial % LIES), to);
			struct pair_end *ends[2] = {
				[SEAL_HOST] = &pair->host, [SEAL_VIEWER] = &pair->viewer};
			int refused = 0;
			for (int side = 0; side < 2; side++) {
				int rc = tunnel_open(ends[side]->tunnel, &PAIR_CARRIER,
					ends[side], &open[side]);
				refused = rc ? -rc : refused;
			}
			settle(pair);
			no_session(pair);
			int reason = refused                 ? refused
				     : pair->host.end_reason ? pair->host.end_reason
							     : pair->viewer.end_reason;
			int known = 0;
			for (size_t i = 0; i < ARRAY_LEN(truths); i++)
				known |= reason == truths[i];
			assert_true(known);
			told_only(&pair->host);
			told_only(&pair->viewer);
		}
		pair_free(pair);
	}
}

/* Both ends are told the same lie: the versions of each are its own, so they still differ. */
static void no_downgrade_by_telling_both(void **state UNUSED)
{
	struct pair *pair = pair_new(PROLOGUE_SESSION);
	for (int trial = 0; trial < TRIALS; trial++) {
		anew(pair);
		pair->fence = 1;
		struct message_open open = pair_message_open(pair);
		lie_in(&open, trial % 2 ? LEAST : MOST,
			trial % 4 < 2 ? SEAL_HOST : SEAL_VIEWER);
		int rc =
			tunnel_open(pair->host.tunnel, &PAIR_CARRIER, &pair->host, &open);
		rc |= tunnel_open(pair->viewer.tunnel, &PAIR_CARRIER, &pair->viewer,
			&open);
		settle(pair);
		no_session(pair);
		assert_true(rc || pair->host.ended || pair->viewer.ended);
		told_only(&pair->host);
		told_only(&pair->viewer);
	}
	pair_free(pair);
}

/* ---- somebody else's keys ------------------------------------------------------------------ */

static uint8_t pinned[INNER_KEY];
static struct peers_device authorised;

static int viewer_judges(void *ctx, const struct tunnel_peer *peer)
{
	struct pins_host pin = {0};
	(void)ctx;
	memcpy(pin.key, pinned, sizeof(pin.key));
	return pin_rules_viewer_accepts_host(peer->purpose, peer->psk_kind,
		peer->purpose == PROLOGUE_SESSION ? &pin : NULL, peer->key, 1);
}

static int host_judges(void *ctx, const struct tunnel_peer *peer)
{
	(void)ctx;
	return pin_rules_host_accepts_viewer(peer->purpose, peer->psk_kind, &authorised,
		peer->key, 1);
}

static int psk_of_known_devices(void *ctx, const struct tunnel_peer *peer,
	uint8_t ret_psk[static INNER_KEY])
{
	struct pair_end *end = ctx;
	if (peer->purpose == PROLOGUE_SESSION &&
		!secret_equal(peer->key, authorised.key, INNER_KEY))
		return -REASON_DEVICE_UNKNOWN;
	memcpy(ret_psk, end->psk, INNER_KEY);
	return 0;
}

/* This end is the relay's own: it takes any key and has any psk but the right one. */
static int takes_anybody(void *ctx, const struct tunnel_peer *peer)
{
	(void)ctx, (void)peer;
	return 0;
}

static int any_psk(void *ctx, const struct tunnel_peer *peer,
	uint8_t ret_psk[static INNER_KEY])
{
	(void)ctx, (void)peer;
	memset(ret_psk, 0, INNER_KEY);
	return 0;
}

static struct tunnel_events events_of(int honest, enum seal_side side)
{
	struct tunnel_events events = PAIR_EVENTS;
	if (honest) {
		events.accept = side == SEAL_HOST ? host_judges : viewer_judges;
		events.find_psk = psk_of_known_devices;
	} else {
		events.accept = takes_anybody;
		events.find_psk = any_psk;
	}
	return events;
}

static void end_with(struct pair *pair, struct pair_end *end,
	const struct tunnel_events *events, const char *license, const uint8_t *psk)
{
	struct tunnel_config config = {
		.side = end->side,
		.identity = end->identity,
		.grace_ms = 60000,
		.purpose = pair->purpose,
		.ticket = pair->purpose == PROLOGUE_PAIRING ? 77 : 0,
		.device = "laptop",
		.wanted = INNER_RIGHTS_ALL,
	};
	strcpy(config.license, license);
	memcpy(config.psk, psk, INNER_KEY);
	tunnel_free(end->tunnel);
	assert_int_equal(tunnel_new(&end->tunnel, pair->base, &config, events, end), 0);
}

static struct pair *strangers(enum prologue_purpose purpose, enum seal_side evil)
{
	static struct tunnel_events host, viewer;
	struct pair *pair = pair_new(purpose);
	uint8_t guess[INNER_KEY];
	memset(guess, 0x33, sizeof(guess));
	if (evil == SEAL_VIEWER)
		memset(guess, 0, sizeof(guess));
	/* Whom the honest end knows is not the one at the other side of this relay. */
	memset(pinned, 0x77, sizeof(pinned));
	memset(authorised.key, 0x78, sizeof(authorised.key));
	host = events_of(evil != SEAL_HOST, SEAL_HOST);
	viewer = events_of(evil != SEAL_VIEWER, SEAL_VIEWER);
	end_with(pair, &pair->host, &host, PAIR_LICENSE, guess);
	end_with(pair, &pair->viewer, &viewer, PAIR_LICENSE, guess);
	return pair;
}

static void relays_own_host_key(void **state UNUSED)
{
	struct pair *pair = strangers(PROLOGUE_SESSION, SEAL_HOST);
	pair_open(pair);
	settle(pair);
	no_session(pair);
	assert_int_equal(pair->viewer.end_reason, REASON_HOST_KEY_CHANGED);
	assert_int_equal(pair->viewer.closed_reason, REASON_E2E_FAILED);
	/* Message 1 only: neither the device's key nor its names have left. */
	assert_int_equal(pair->viewer.tunnel->leg_sent, 48);
	is_wiped(&pair->viewer);
	pair_free(pair);
}

static void relays_own_viewer_key(void **state UNUSED)
{
	struct pair *pair = strangers(PROLOGUE_SESSION, SEAL_VIEWER);
	pair_open(pair);
	settle(pair);
	assert_int_equal(pair->host.up + pair->host.admits, 0);
	assert_int_equal(pair->host.end_reason, REASON_DEVICE_UNKNOWN);
	assert_int_equal(pair->host.closed_reason, REASON_DEVICE_UNKNOWN);
	is_wiped(&pair->host);
	pair_free(pair);
}

/* It has even copied the device's static key, but not the psk that pairing gave. */
static void a_stolen_static_key_is_not_enough(void **state UNUSED)
{
	struct pair *pair = strangers(PROLOGUE_SESSION, SEAL_VIEWER);
	memcpy(authorised.key, identity_tunnel_public(pair->viewer.identity), INNER_KEY);
	pair_open(pair);
	settle(pair);
	assert_int_equal(pair->host.up + pair->host.admits, 0);
	assert_int_equal(pair->host.end_reason, REASON_E2E_FAILED);
	assert_int_equal(pair->host.closed_reason, REASON_E2E_FAILED);
	is_wiped(&pair->host);
	pair_free(pair);
}

/* First contact, both halves: without the code there is nobody to be. */
static void pairing_with_the_relay_gives_nothing(void **state UNUSED)
{
	struct pair *pair = strangers(PROLOGUE_PAIRING, SEAL_HOST);
	pair_open(pair);
	settle(pair);
	assert_int_equal(pair->viewer.paired_calls + pair->viewer.up, 0);
	assert_int_equal(tunnel_state(pair->viewer.tunnel), TUNNEL_ADMITTING);
	/* Whatever it says now. */
	uint8_t forged[96];
	memset(forged, 0, sizeof(forged));
	tunnel_data(pair->viewer.tunnel, forged, sizeof(forged));
	settle(pair);
	assert_int_equal(pair->viewer.end_reason, REASON_E2E_FAILED);
	no_session(pair);
	is_wiped(&pair->viewer);
	pair_free(pair);

	pair = strangers(PROLOGUE_PAIRING, SEAL_VIEWER);
	memset(pair->host.psk, 0x33, INNER_KEY);
	pair_open(pair);
	settle(pair);
	assert_int_equal(pair->host.paired_calls + pair->host.admits, 0);
	assert_int_equal(pair->host.guessed, 1);
	assert_int_equal(pair->host.end_reason, REASON_TICKET_WRONG);
	assert_int_equal(pair->host.closed_reason, REASON_E2E_FAILED);
	is_wiped(&pair->host);
	pair_free(pair);
}

/* The right keys and psk on both sides, but the host serves another license. */
static void another_licenses_host(void **state UNUSED)
{
	for (int purpose = PROLOGUE_SESSION; purpose <= PROLOGUE_PAIRING; purpose++) {
		struct pair *pair = pair_new((enum prologue_purpose)purpose);
		end_with(pair, &pair->host, &PAIR_EVENTS, "7K3QX09FB", pair->host.psk);
		pair_open(pair);
		settle(pair);
		no_session(pair);
		assert_int_equal(pair->host.end_reason, REASON_E2E_FAILED);
		assert_int_equal(pair->host.closed_reason, REASON_E2E_FAILED);
		is_wiped(&pair->host);
		pair_free(pair);
	}
}

/* ---- an earlier session -------------------------------------------------------------------- */

static struct pair_record kept[2][MEMORY];
static size_t kept_count[2];

static int keep(struct pair *pair, struct pair_end *from, struct pair_record *record)
{
	size_t at = kept_count[from->side];
	(void)pair;
	if (at == MEMORY)
		return 0;
	kept[from->side][at].bytes = malloc(record->len);
	kept[from->side][at].len = record->len;
	memcpy(kept[from->side][at].bytes, record->bytes, record->len);
	kept_count[from->side]++;
	return 0;
}

static void say_something(struct pair *pair)
{
	tunnel_write(pair->viewer.tunnel, SEAL_INPUT, "secret", 6);
	tunnel_write(pair->host.tunnel, SEAL_PICTURE, "pixels", 6);
	settle(pair);
}

static void record_a_session(struct pair *pair)
{
	anew(pair);
	kept_count[0] = kept_count[1] = 0;
	pair->meddle = keep;
	pair_up(pair);
	for (int i = 0; i < 8; i++)
		say_something(pair);
	assert_int_equal(pair->host.up + pair->viewer.up, 2);
	assert_true(kept_count[SEAL_HOST] > 6 && kept_count[SEAL_VIEWER] > 6);
}

static void forget_records(void)
{
	for (int side = 0; side < 2; side++)
		while (kept_count[side])
			free(kept[side][--kept_count[side]].bytes);
}

static void replay(struct pair_end *to, const struct pair_record *record)
{
	uint8_t *copy = malloc(record->len);
	memcpy(copy, record->bytes, record->len);
	tunnel_data(to->tunnel, copy, record->len);
	free(copy);
}

/* One end alone with the recording of its partner, under the very same OPEN. */
static void a_recorded_partner_is_nobody(void **state UNUSED)
{
	struct pair *pair = pair_new(PROLOGUE_SESSION);
	record_a_session(pair);
	for (int trial = 0; trial < TRIALS; trial++) {
		struct pair_end *end = trial % 2 ? &pair->host : &pair->viewer;
		enum seal_side other = trial % 2 ? SEAL_VIEWER : SEAL_HOST;
		anew(pair);
		pair->fence = 1;
		assert_int_equal(pair_open_end(pair, end), 0);
		/* In order, then some of them in any order. */
		for (size_t i = 0; i < kept_count[other]; i++) {
			size_t pick = trial < 10 ? i : dice((uint32_t)kept_count[other]);
			replay(end, &kept[other][pick]);
		}
		event_base_loop(pair->base, EVLOOP_NONBLOCK);
		no_session(pair);
		assert_int_equal(end->admits, 0);
		assert_int_equal(end->end_reason, REASON_E2E_FAILED);
		assert_int_equal(end->closed_reason, REASON_E2E_FAILED);
		is_wiped(end);
	}
	forget_records();
	pair_free(pair);
}

static void recorded_words_end_a_living_session(void **state UNUSED)
{
	struct pair *pair = pair_new(PROLOGUE_SESSION);
	record_a_session(pair);
	for (int trial = 0; trial < TRIALS; trial++) {
		enum seal_side from = trial % 2 ? SEAL_VIEWER : SEAL_HOST;
		anew(pair);
		pair_open(pair);
		settle(pair);
		struct pair_end *end = trial % 2 ? &pair->host : &pair->viewer;
		assert_int_equal(end->up, 1);
		replay(end, &kept[from][dice((uint32_t)kept_count[from])]);
		say_something(pair);
		assert_int_equal(end->got_len[SEAL_INPUT] + end->got_len[SEAL_PICTURE],
			0);
		assert_int_equal(end->end_reason, REASON_E2E_FAILED);
		assert_int_equal(end->closed_reason, REASON_E2E_FAILED);
		is_wiped(end);
	}
	forget_records();
	pair_free(pair);
}

/* ---- whole frames, at random points -------------------------------------------------------- */

enum fault { FLIP, DUPLICATE, REORDER, DROP, REFLECT, TRUNCATE, EXTEND, INSERT, FAULTS };
static enum fault fault;
static long fault_at;
static int done_it;
static struct pair_end *victim;

static void give(struct pair_end *to, const uint8_t *bytes, size_t len)
{
	struct pair_record record = {(uint8_t *)bytes, len};
	victim = to;
	replay(to, &record);
}

static int disturb(struct pair *pair, struct pair_end *from, struct pair_record *record)
{
	struct pair_end *to = pair_other(from);
	static uint8_t noise[SEAL_RECORD_MAX + 64];
	if (done_it || pair->delivered < fault_at || (fault == REORDER && !from->count))
		return 0;
	done_it = 1;
	victim = to;
	switch (fault) {
	case FLIP:
		record->bytes[dice((uint32_t)record->len)] ^= (uint8_t)(1u << dice(8));
		return 0;
	case DUPLICATE:
		give(to, record->bytes, record->len);
		return 0;
	case REORDER: {
		struct pair_record first = *record;
		*record = from->wire[from->first];
		from->wire[from->first] = first;
		return 0;
	}
	case DROP:
		return 1;
	case REFLECT:
		give(from, record->bytes, record->len);
		return 0;
	case TRUNCATE:
		record->len -= 1 + dice((uint32_t)record->len);
		return 0;
	case EXTEND:
		memcpy(noise, record->bytes, record->len);
		give(to, noise, record->len + 1 + dice(64));
		return 1;
	default:
		for (size_t i = 0; i < 96; i++)
			noise[i] = (uint8_t)dice(256);
		give(to, noise, dice(2) ? dice(96) : dice(SEAL_RECORD_MAX + 1));
		return 0;
	}
}

/* What arrived is a true beginning of what was sent, and nothing came behind the disturbance. */
static void only_the_truth(const struct pair_end *end, enum seal_lane lane,
	const char *word)
{
	assert_int_equal(end->got_len[lane] % 6, 0);
	for (size_t i = 0; i < end->got_len[lane]; i += 6)
		assert_memory_equal(end->got[lane] + i, word, 6);
}

static void one_trial(struct pair *pair)
{
	anew(pair);
	done_it = 0;
	victim = NULL;
	fault_at = 1 + dice(24);
	pair->meddle = disturb;
	pair_open(pair);
	settle(pair);
	size_t before = 0;
	for (int i = 0; i < 40 && !(victim && victim->ended); i++) {
		if (victim && !before)
			before = 1 + victim->got_len[SEAL_INPUT] +
				 victim->got_len[SEAL_PICTURE];
		tunnel_write(pair->viewer.tunnel, SEAL_INPUT, "secret", 6);
		tunnel_write(pair->host.tunnel, SEAL_PICTURE, "pixels", 6);
		tunnel_write(pair->viewer.tunnel, SEAL_INPUT, "secret", 6);
		tunnel_write(pair->host.tunnel, SEAL_PICTURE, "pixels", 6);
		settle(pair);
		if (done_it && fault == DROP && !victim->up && !victim->ended) {
			/* A handshake that waits for what never comes: its deadline ends it. */
			assert_int_equal(victim->got_len[SEAL_INPUT], 0);
			assert_int_equal(victim->got_len[SEAL_PICTURE], 0);
			return;
		}
	}
	assert_non_null(victim);
	assert_int_equal(victim->ended, 1);
	assert_int_equal(victim->end_how, TUNNEL_INTERRUPTED);
	assert_int_equal(victim->end_reason, REASON_E2E_FAILED);
	assert_int_equal(victim->closed_reason, REASON_E2E_FAILED);
	is_wiped(victim);
	if (before)
		assert_int_equal(before - 1,
			victim->got_len[SEAL_INPUT] + victim->got_len[SEAL_PICTURE]);
	only_the_truth(&pair->host, SEAL_INPUT, "secret");
	only_the_truth(&pair->viewer, SEAL_PICTURE, "pixels");
}

static void disturbed_frames_end_it(void **state UNUSED)
{
	struct pair *pair = pair_new(PROLOGUE_SESSION);
	for (fault = FLIP; fault < FAULTS; fault++)
		for (int trial = 0; trial < TRIALS; trial++)
			one_trial(pair);
	pair_free(pair);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lies_in_open_open_nothing),
		cmocka_unit_test(no_downgrade_by_telling_both),
		cmocka_unit_test(relays_own_host_key),
		cmocka_unit_test(relays_own_viewer_key),
		cmocka_unit_test(a_stolen_static_key_is_not_enough),
		cmocka_unit_test(pairing_with_the_relay_gives_nothing),
		cmocka_unit_test(another_licenses_host),
		cmocka_unit_test(a_recorded_partner_is_nobody),
		cmocka_unit_test(recorded_words_end_a_living_session),
		cmocka_unit_test(disturbed_frames_end_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
