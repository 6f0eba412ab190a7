/* race_ends: viewers that race for their hosts over all nodes of a cluster, and what they saw of it.
 *
 *   race_ends --licenses CSV --gateway HOST:PORT --gateway HOST:PORT… --ca FILE
 *             --dir DIR [--wrote FILE] [--races N] [--viewers N] [--seconds S] [--seed N] [--moves N] [--ready-fd N]
 *
 * For every license of the CSV (id,key,password) there is a host, and in each race several viewers, each another
 * device, come in at nodes drawn by chance, follow redirects, ask for the host at about the same time, and leave
 * soon. Hosts move to another node now and then. The ends are the real ones (link/uplink), with plain records in
 * place of sealed ones: each carries the fence under which it was sent, so an end that hears another fence than its
 * own was joined to somebody else. An end takes one session at a time, under a higher fence only, as link/tunnel does.
 *
 *   race_ends --judge FILE
 *
 * At the end it looks at what all ends wrote down (race_judge.h): a pair lives while both its ends are in the session of one fence.
 * Two pairs of a license at one time, a fence that was given twice, a record of a foreign fence: each is printed
 * and makes the exit code 1. Figures are one line of JSON. Ends after N races with a winner, or after S seconds.
 */
#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "race_judge.h"

#include "base/args.h"
#include "base/clock.h"
#include "base/license_key.h"
#include "base/log.h"
#include "base/reason.h"
#include "e2e/identity.h"
#include "link/uplink.h"
#include "wire/proof.h"

#define VIEWERS_MAX 8
#define LICENSES_MAX 256
#define RECORD 64
#define TICK_MS 10
#define REASONS 0x700

struct options {
	const char *licenses, *ca, *dir, *wrote, *judge;
	struct args_many gateways;
	long races, viewers, seconds, seed, moves, ready_fd;
};

static const struct args_option table[] = {
	{"--licenses", "CSV", ARGS_TEXT, offsetof(struct options, licenses),
		"id,key,password, as license import gives them"},
	{"--gateway", "HOST:PORT", ARGS_MANY, offsetof(struct options, gateways),
		"a node"},
	{"--ca", "FILE", ARGS_TEXT, offsetof(struct options, ca), "the cluster's CA"},
	{"--dir", "DIR", ARGS_TEXT, offsetof(struct options, dir),
		"for the keys of the ends"},
	{"--races", "N", ARGS_LONG, offsetof(struct options, races),
		"with a winner (300)"},
	{"--viewers", "N", ARGS_LONG, offsetof(struct options, viewers),
		"in each race (3)"},
	{"--seconds", "S", ARGS_LONG, offsetof(struct options, seconds),
		"at the longest (60)"},
	{"--seed", "N", ARGS_LONG, offsetof(struct options, seed), "of chance (1)"},
	{"--moves", "N", ARGS_LONG, offsetof(struct options, moves),
		"a host moves before one race in N (8)"},
	{"--wrote", "FILE", ARGS_TEXT, offsetof(struct options, wrote),
		"gets what all ends wrote down"},
	{"--judge", "FILE", ARGS_TEXT, offsetof(struct options, judge),
		"judges such a file, and runs nothing"},
	{"--ready-fd", "N", ARGS_LONG, offsetof(struct options, ready_fd),
		"a line when all hosts are there"},
	{0}};

struct contest;

struct player {
	struct contest *contest;
	struct identity *identity;
	struct uplink *uplink;
	struct event *timer;
	enum hello_side side;
	int number; /* of the viewer */
	int online, leaving;
	uint64_t fence; /* of the session it is in, or 0 */
	uint64_t last;  /* the highest it was in */
	uint8_t session[16];
	uint64_t sent, received; /* payload bytes in it */
	int64_t leave_ms;
};

/* One license. */
struct contest {
	struct license_key key;
	char password[64];
	struct player host, viewers[VIEWERS_MAX];
	long running;
	int won;
	struct race_span *spans;
	size_t count, room;
};

static struct options options = {
	.races = 300, .viewers = 3, .seconds = 60, .seed = 1, .moves = 8, .ready_fd = -1};
static struct event_base *base;
static struct text_endpoint gateways[UPLINK_GATEWAYS_MAX];
static struct contest contests[LICENSES_MAX];
static size_t contest_count;
static unsigned chance;
static long races, won, moves, stale, foreign, records, reasons[REASONS];
static struct race_verdict verdict;
static int stopping, is_ready;

static void must(int holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "race_ends: %s\n", what);
	exit(70);
}

static int draw(int below)
{
	return rand_r(&chance) % below;
}

static void later(struct player *player, int64_t ms)
{
	struct timeval wait = {ms / 1000, ms % 1000 * 1000};
	evtimer_add(player->timer, &wait);
}

/* ---- what is written down ------------------------------------------------------------------ */

static struct race_span *span_of(struct contest *contest, uint64_t fence)
{
	for (size_t i = contest->count; i-- > 0;)
		if (contest->spans[i].fence == fence)
			return &contest->spans[i];
	if (contest->count == contest->room) {
		contest->room = contest->room * 2 + 64;
		contest->spans =
			realloc(contest->spans, contest->room * sizeof(*contest->spans));
		must(contest->spans != NULL, "no memory");
	}
	struct race_span *span = &contest->spans[contest->count++];
	*span = (struct race_span){.fence = fence, .viewer = -1};
	return span;
}

static void begin(struct player *player, uint64_t fence)
{
	struct race_span *span = span_of(player->contest, fence);
	player->fence = player->last = fence;
	if (player->side == HELLO_HOST) {
		span->hosts++;
		span->host_from = clock_mono_us();
	} else {
		span->viewers++;
		span->viewer = player->number;
		span->viewer_from = clock_mono_us();
	}
}

static void finish(struct player *player)
{
	if (!player->fence)
		return;
	struct race_span *span = span_of(player->contest, player->fence);
	if (player->side == HELLO_HOST)
		span->host_to = clock_mono_us();
	else
		span->viewer_to = clock_mono_us();
	player->fence = 0;
}

/* ---- an end -------------------------------------------------------------------------------- */

static void say(struct player *player)
{
	uint8_t *place;
	if (!player->fence || uplink_carrier.queued(player->uplink) > 8 * RECORD ||
		uplink_carrier.reserve(player->uplink, RECORD, &place))
		return;
	memset(place, 0, RECORD);
	memcpy(place, &player->fence, sizeof(player->fence));
	uplink_carrier.commit(player->uplink, RECORD);
	player->sent += RECORD;
}

static void on_data(void *ctx, uint8_t *record, size_t len)
{
	struct player *player = ctx;
	uint64_t fence = 0;
	if (len == RECORD)
		memcpy(&fence, record, sizeof(fence));
	records++;
	player->received += len;
	if (fence == player->fence)
		return;
	foreign++;
	fprintf(stderr, "%s: a %s in session %llu heard a record of %llu\n",
		player->contest->key.public_id, hello_side_name(player->side),
		(unsigned long long)player->fence, (unsigned long long)fence);
}

static void on_open(void *ctx, const struct message_open *open)
{
	struct player *player = ctx;
	finish(player);
	if (open->fence <= player->last) {
		stale++;
		uplink_close(player->uplink, REASON_FENCE_STALE, NULL);
		return;
	}
	begin(player, open->fence);
	memcpy(player->session, open->session, sizeof(player->session));
	player->sent = player->received = 0;
	say(player);
	if (player->side == HELLO_VIEWER)
		player->leave_ms = clock_mono_ms() + draw(60);
}

static void leave(struct player *player, int reason)
{
	player->leaving = 1;
	uplink_leave(player->uplink, reason);
}

/* As every end does when it hears CLOSE: what it counted, signed. */
static void give_receipt(struct player *player, uint64_t reason)
{
	struct proof_receipt proof = {.fence = player->fence,
		.side = player->side == HELLO_HOST ? PROOF_HOST : PROOF_VIEWER,
		.bytes_sent = player->sent,
		.bytes_received = player->received,
		.reason = (uint16_t)reason};
	struct message_receipt receipt = {.fence = player->fence,
		.sent = player->sent,
		.received = player->received,
		.reason = reason};
	uint8_t bytes[PROOF_RECEIPT_BYTES];
	memcpy(proof.session, player->session, sizeof(proof.session));
	memcpy(receipt.session, player->session, sizeof(receipt.session));
	proof_receipt_bytes(&proof, bytes);
	must(!identity_sign(player->identity, bytes, sizeof(bytes), receipt.signature),
		"a receipt cannot be signed");
	if (player->fence && uplink_receipt(player->uplink, &receipt))
		reasons[REASON_LEG_CLOSED]++;
}

static void on_close(void *ctx, const struct message_close *close)
{
	struct player *player = ctx;
	reasons[close->reason % REASONS]++;
	give_receipt(player, close->reason);
	finish(player);
	if (player->side == HELLO_VIEWER)
		leave(player, REASON_VIEWER_LEFT);
}

static void on_welcome(void *ctx, const struct message_welcome *welcome UNUSED)
{
	struct player *player = ctx;
	struct message_connect connect = {.purpose = 1, .psk_kind = 2};
	player->online = 1;
	if (player->side == HELLO_VIEWER && uplink_connect(player->uplink, &connect))
		leave(player, REASON_VIEWER_LEFT);
}

static void race_over(struct contest *contest);

static void on_down(void *ctx, const struct uplink_down *down)
{
	struct player *player = ctx;
	int was_in = player->last && player->side == HELLO_VIEWER && player->leave_ms;
	finish(player);
	reasons[down->reason % REASONS]++;
	player->uplink = uplink_free(player->uplink);
	player->online = player->leaving = 0;
	player->leave_ms = 0;
	if (player->side == HELLO_HOST) {
		later(player, draw(150));
		return;
	}
	player->contest->won |= was_in;
	evtimer_del(player->timer);
	if (--player->contest->running == 0)
		race_over(player->contest);
}

static const struct uplink_events events = {.welcome = on_welcome,
	.down = on_down,
	.open = on_open,
	.data = on_data,
	.close = on_close};

static void come(struct player *player)
{
	struct contest *contest = player->contest;
	const struct uplink_config config = {.gateways = gateways,
		.gateway_count = options.gateways.count,
		.first = (size_t)draw((int)options.gateways.count),
		.ca_file = options.ca,
		.side = player->side,
		.license = contest->key.public_id,
		.secret = contest->key.secret,
		.identity = player->identity,
		.kind = "native",
		.program = "race_ends",
		.name = player->side == HELLO_HOST ? "host" : "viewer",
		.password = player->side == HELLO_HOST ? "" : contest->password,
		.enrol = player->side == HELLO_HOST ? UPLINK_ENROL : UPLINK_KNOWN};
	must(!uplink_new(&player->uplink, base, &config, &events, player) &&
			!uplink_start(player->uplink),
		"an uplink does not start");
}

static void race_begin(struct contest *contest)
{
	contest->running = options.viewers;
	contest->won = 0;
	if (contest->host.online && !contest->host.leaving && !draw((int)options.moves)) {
		moves++;
		leave(&contest->host, REASON_LEG_CLOSED);
	}
	for (long i = 0; i < options.viewers; i++)
		later(&contest->viewers[i], draw(30));
}

static void race_over(struct contest *contest)
{
	races++;
	won += contest->won;
	if (won >= options.races)
		stopping = 1;
	if (!stopping)
		race_begin(contest);
}

static void on_timer(evutil_socket_t fd UNUSED, short what UNUSED, void *ctx)
{
	struct player *player = ctx;
	if (!player->uplink && !stopping)
		come(player);
	say(player);
	if (player->leave_ms && clock_mono_ms() >= player->leave_ms && player->fence &&
		!player->leaving)
		leave(player, REASON_VIEWER_LEFT);
	later(player, TICK_MS);
}

/* ---- all of them --------------------------------------------------------------------------- */

static void look_after(evutil_socket_t fd UNUSED, short what UNUSED, void *ctx)
{
	int64_t until_ms = *(int64_t *)ctx;
	size_t online = 0;
	for (size_t i = 0; i < contest_count; i++)
		online += contests[i].host.online != 0;
	if (!is_ready && online == contest_count) {
		is_ready = 1;
		if (options.ready_fd >= 0)
			dprintf((int)options.ready_fd, "ready\n");
		for (size_t i = 0; i < contest_count; i++)
			race_begin(&contests[i]);
	}
	if (stopping || clock_mono_ms() >= until_ms)
		event_base_loopbreak(base);
}

static void make_player(struct contest *contest, struct player *player,
	enum hello_side side, int number)
{
	char path[256];
	*player = (struct player){.contest = contest, .side = side, .number = number};
	snprintf(path, sizeof(path), "%s/%s-%d", options.dir, contest->key.public_id,
		side == HELLO_HOST ? -1 : number);
	must(!mkdir(path, 0700) && !identity_open(path, &player->identity),
		"an identity cannot be made");
	player->timer = evtimer_new(base, on_timer, player);
	must(player->timer != NULL, "no memory");
}

static void read_licenses(void)
{
	FILE *file = fopen(options.licenses, "r");
	char line[256], id[16], text[64];
	must(file != NULL, "the licenses cannot be read");
	while (contest_count < LICENSES_MAX && fgets(line, sizeof(line), file)) {
		struct contest *contest = &contests[contest_count];
		if (sscanf(line, "%15[^,],%63[^,],%63[^,\n]", id, text,
			    contest->password) != 3 ||
			license_key_parse(text, &contest->key))
			continue;
		contest_count++;
		make_player(contest, &contest->host, HELLO_HOST, 0);
		for (int i = 0; i < (int)options.viewers; i++)
			make_player(contest, &contest->viewers[i], HELLO_VIEWER, i);
	}
	fclose(file);
	must(contest_count > 0, "no license");
}

/* ---- the end ------------------------------------------------------------------------------- */

static void close_all(void)
{
	for (size_t i = 0; i < contest_count; i++) {
		struct contest *contest = &contests[i];
		for (long j = -1; j < options.viewers; j++) {
			struct player *player =
				j < 0 ? &contest->host : &contest->viewers[j];
			finish(player);
			uplink_free(player->uplink);
			event_free(player->timer);
			identity_free(player->identity);
		}
	}
	/* What was freed goes at the end of the turn. */
	event_base_loop(base, EVLOOP_NONBLOCK);
}

static void print_figures(int64_t ms)
{
	printf("{\"races\": %ld, \"won\": %ld, \"pairs\": %ld, \"records\": %ld, "
	       "\"moves\": %ld, "
	       "\"seconds\": %.1f, \"stale\": %ld, \"overlaps\": %ld, \"doubled\": %ld, "
	       "\"foreign\": %ld, \"reasons\": {",
		races, won, verdict.pairs, records, moves, (double)ms / 1000, stale,
		verdict.overlaps, verdict.doubled, foreign);
	const char *comma = "";
	for (int i = 0; i < REASONS; i++) {
		if (!reasons[i])
			continue;
		printf("%s\"%s\": %ld", comma, reason_symbol(i), reasons[i]);
		comma = ", ";
	}
	printf("}}\n");
}

static int judge_file(const char *path)
{
	FILE *file = fopen(path, "r");
	must(file && !race_judge_read(file, &verdict),
		"what is to be judged cannot be read");
	fclose(file);
	printf("{\"pairs\": %ld, \"overlaps\": %ld, \"doubled\": %ld}\n", verdict.pairs,
		verdict.overlaps, verdict.doubled);
	return verdict.overlaps || verdict.doubled;
}

int main(int argc, char **argv)
{
	char error[ARGS_ERROR];
	int left, bad = args_parse(table, &options, argc, argv, 0, &left, error);
	if (!bad && options.judge)
		return judge_file(options.judge);
	if (bad || !options.licenses || !options.ca || !options.dir ||
		options.viewers < 1 || options.viewers > VIEWERS_MAX ||
		options.moves < 1 || options.gateways.count < 1 ||
		options.gateways.count > UPLINK_GATEWAYS_MAX) {
		args_help(table, stderr);
		return 64;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGPIPE, SIG_IGN);
	struct rlimit files = {65536, 65536};
	setrlimit(RLIMIT_NOFILE, &files);
	log_open("race_ends", 2, LOG_TEXT, LOG_ERROR);
	chance = (unsigned)options.seed;
	base = event_base_new();
	must(base != NULL, "no memory");
	for (size_t i = 0; i < options.gateways.count; i++)
		must(!text_endpoint(&gateways[i], options.gateways.items[i], 0),
			"a gateway is HOST:PORT");
	read_licenses();
	int64_t begin_ms = clock_mono_ms(), until_ms = begin_ms + options.seconds * 1000;
	struct timeval often = {0, 20000};
	struct event *look = event_new(base, -1, EV_PERSIST, look_after, &until_ms);
	must(look && !event_add(look, &often), "no memory");
	for (size_t i = 0; i < contest_count; i++)
		later(&contests[i].host, draw(300));
	event_base_dispatch(base);
	close_all();
	FILE *wrote = options.wrote ? fopen(options.wrote, "w") : NULL;
	must(wrote || !options.wrote, "what was written down cannot be kept");
	for (size_t i = 0; i < contest_count; i++) {
		struct contest *contest = &contests[i];
		if (wrote)
			race_judge_write(wrote, contest->key.public_id, contest->spans,
				contest->count);
		race_judge_spans(contest->key.public_id, contest->spans, contest->count,
			&verdict);
		free(contest->spans);
	}
	must(!wrote || !fclose(wrote), "what was written down cannot be kept");
	print_figures(clock_mono_ms() - begin_ms);
	event_free(look);
	event_base_free(base);
	return verdict.overlaps || verdict.doubled || foreign || won < options.races;
}
