/* What a gateway and a viewer may ask for and do not get. A true tunnel from a viewer that wants everything; the
 * gateway is this test, the desktop notes what it is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent_session.h"
#include "agent_state.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/reason.h"
#include "desktop/desktop.h"
#include "e2e/identity.h"
#include "e2e/peers.h"
#include "link/bridge.h"
#include "link/tunnel.h"
#include "link/uplink.h"
#include "pair_guard.h"

#define LICENSE "7K3QX09FA"
#define LINE 512

struct end {
	uint8_t *records[LINE], *place;
	size_t len[LINE], first, count;
	int closed;
};

static struct {
	struct event_base *base;
	char dir[2][64];
	struct identity *identity[2];
	struct peers *peers;
	struct pair_guard guard;
	struct agent_session *session;
	struct tunnel *viewer;
	struct end line[2];
	uint64_t fence;
	uint16_t told;
	int up, ended, viewer_ended;
	/* The desktop. */
	int streams, closed, locked, stream_end;
	uint32_t stream_rights;
	int monitors; /* side by side, 400 wide */
	char clip[64], mark[DESKTOP_WATERMARK_MAX], asked[DESKTOP_ASK_LINES][256];
	int64_t clip_limit, input_ms, asked_ms;
	unsigned question;
	int asking, cannot_ask, cannot_mark;
	/* What the viewer was told. */
	int notices, notice_reason, monitors_told;
	struct inner_rects shown;
	char notice[INNER_TEXT_MAX + 1];
	/* While the host reads what came, HELLO_OK is not on the line yet. */
	int reading, early, changes;
} world;

/* ---- the desktop --------------------------------------------------------------------------- */

static struct desktop *a_desktop(void)
{
	return (struct desktop *)&world;
}

void desktop_size(const struct desktop *desktop UNUSED, int *ret_width, int *ret_height)
{
	*ret_width = 800;
	*ret_height = 600;
}

size_t desktop_monitors(const struct desktop *desktop UNUSED,
	struct desktop_monitor ret[static DESKTOP_MONITORS_MAX])
{
	for (int i = 0; i < world.monitors; i++)
		ret[i] = (struct desktop_monitor){400 * i, 0, 400, 600};
	return (size_t)world.monitors;
}

int desktop_open_stream(struct desktop *desktop UNUSED, uint32_t rights,
	uint32_t flags UNUSED, struct gate *gate UNUSED, int *ret_fd)
{
	int pair[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	world.streams++;
	world.stream_rights = rights;
	world.stream_end = pair[1];
	*ret_fd = pair[0];
	return 0;
}

void desktop_close_stream(struct desktop *desktop UNUSED)
{
	world.closed++;
}

void desktop_rights(struct desktop *desktop UNUSED, uint32_t rights)
{
	world.stream_rights &= rights;
}

void desktop_let_go(struct desktop *desktop UNUSED)
{
}

int desktop_clipboard_set(struct desktop *desktop UNUSED, const char *text, size_t len)
{
	snprintf(world.clip, sizeof(world.clip), "%.*s", (int)len, text);
	return 0;
}

int desktop_sign(struct desktop *desktop UNUSED, const char *text UNUSED,
	const char *button UNUSED)
{
	return 0;
}

void desktop_clip_limit(struct desktop *desktop UNUSED, int64_t max_bytes)
{
	world.clip_limit = max_bytes;
}

int desktop_watermark(struct desktop *desktop UNUSED, const char *text)
{
	if (world.cannot_mark)
		return -REASON_MISSING_PROGRAM;
	snprintf(world.mark, sizeof(world.mark), "%s", text ? text : "");
	return 0;
}

int64_t desktop_input_ms(const struct desktop *desktop UNUSED)
{
	return world.input_ms;
}

int desktop_ask(struct desktop *desktop UNUSED,
	const char *const lines[static DESKTOP_ASK_LINES], int64_t wait_ms,
	unsigned *ret_question)
{
	if (world.cannot_ask)
		return -REASON_NO_DISPLAY;
	for (size_t i = 0; i < DESKTOP_ASK_LINES && lines[i]; i++)
		snprintf(world.asked[i], sizeof(world.asked[i]), "%s", lines[i]);
	world.asking = 1;
	world.asked_ms = wait_ms;
	*ret_question = ++world.question;
	return 0;
}

void desktop_ask_no_more(struct desktop *desktop UNUSED)
{
	world.asking = 0;
}

void desktop_lock(struct desktop *desktop UNUSED)
{
	world.locked++;
}

/* ---- the line ------------------------------------------------------------------------------ */

static size_t queued(void *ctx UNUSED)
{
	return 0;
}

static int reserve(void *ctx, size_t len, uint8_t **ret)
{
	struct end *end = ctx;
	*ret = end->place = malloc(len);
	return end->count < LINE ? 0 : -REASON_LIMIT;
}

static void commit(void *ctx, size_t len)
{
	struct end *end = ctx;
	size_t at = (end->first + end->count) % LINE;
	if (!len) {
		free(end->place);
		return;
	}
	end->records[at] = end->place;
	end->len[at] = len;
	end->count++;
}

static void hang_up(void *ctx, int reason)
{
	struct end *end = ctx;
	end->closed = reason;
}

const struct carrier uplink_carrier = {queued, reserve, commit, hang_up};

int uplink_receipt(struct uplink *uplink UNUSED,
	const struct message_receipt *receipt UNUSED)
{
	return 0;
}

void uplink_close(struct uplink *uplink, int reason, const char *detail UNUSED)
{
	hang_up(uplink, reason);
}

static int deliver(enum seal_side from)
{
	struct end *end = &world.line[from];
	if (!end->count)
		return 0;
	uint8_t *record = end->records[end->first];
	size_t len = end->len[end->first];
	end->first = (end->first + 1) % LINE;
	end->count--;
	if (from == SEAL_HOST)
		tunnel_data(world.viewer, record, len);
	else if (world.session)
		agent_session_data(world.session, record, len);
	free(record);
	return 1;
}

static void settle(void)
{
	for (int quiet = 0; quiet < 5;) {
		world.reading = 1;
		int moved = deliver(SEAL_HOST) | deliver(SEAL_VIEWER);
		world.reading = 0;
		event_base_loop(world.base, EVLOOP_NONBLOCK);
		quiet = moved ? 0 : quiet + 1;
		if (!moved)
			usleep(500);
	}
}

/* ---- the viewer ---------------------------------------------------------------------------- */

static int on_accept(void *ctx UNUSED, const struct tunnel_peer *peer UNUSED)
{
	return 0;
}

static void on_up(void *ctx UNUSED, const struct tunnel_up *up)
{
	world.up++;
	world.told = up->rights;
}

static void on_ended(void *ctx UNUSED, int reason, enum tunnel_end how UNUSED)
{
	world.viewer_ended = reason;
}

static void on_message(void *ctx UNUSED, const struct inner_message *message)
{
	if (message->kind == INNER_RIGHTS)
		world.told = message->rights.rights;
	if (message->kind == INNER_MONITORS) {
		world.monitors_told++;
		world.shown = message->monitors.rects;
	}
	if (message->kind != INNER_NOTICE)
		return;
	world.notices++;
	world.notice_reason = message->notice.reason;
	snprintf(world.notice, sizeof(world.notice), "%s", message->notice.en);
}

static const struct tunnel_events viewer_events = {
	.accept = on_accept, .up = on_up, .message = on_message, .ended = on_ended};

static void new_viewer(void)
{
	struct tunnel_config config = {
		.side = SEAL_VIEWER,
		.identity = world.identity[SEAL_VIEWER],
		.license = LICENSE,
		.features = INNER_FEATURE_CLIPBOARD_LANE | INNER_FEATURE_CLIPBOARD_RFB,
		.purpose = PROLOGUE_SESSION,
		.device = "laptop",
		.wanted = 0xffff,
	};
	memset(config.psk, 7, sizeof(config.psk));
	world.viewer = tunnel_free(world.viewer);
	assert_int_equal(tunnel_new(&world.viewer, world.base, &config, &viewer_events,
				 NULL),
		0);
}

/* ---- the host ------------------------------------------------------------------------------ */

static void session_ended(void *ctx UNUSED, int reason)
{
	world.ended = reason;
	world.session = agent_session_free(world.session);
}

static void session_changed(void *ctx UNUSED)
{
	world.changes++;
	world.early |= world.reading;
}

static int session_fence(void *ctx UNUSED, uint64_t fence UNUSED)
{
	return 0;
}

static void new_session(void)
{
	const struct agent_session_house house = {
		.base = world.base,
		.identity = world.identity[SEAL_HOST],
		.peers = world.peers,
		.guard = &world.guard,
		.dir = world.dir[SEAL_HOST],
		.license = LICENSE,
		.host_name = "office",
		.grace_ms = 60000,
		.ended = session_ended,
		.changed = session_changed,
		.fence_seen = session_fence,
	};
	assert_int_equal(agent_session_new(&world.session, &house), 0);
	agent_session_desktop(world.session, a_desktop(), 0);
}

static void write_veto(const char *text)
{
	char path[128];
	snprintf(path, sizeof(path), "%s/veto.conf", world.dir[SEAL_HOST]);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

/* A whole new session under this policy of the gateway's. */
static void join(const char *policy)
{
	struct message_open open = {.fence = ++world.fence,
		.purpose = PROLOGUE_SESSION,
		.psk_kind = 2,
		.viewer_min = 1,
		.viewer_max = 1,
		.host_min = 1,
		.host_max = 1};
	memset(open.session, (int)world.fence, sizeof(open.session));
	strcpy(open.policy, policy);
	world.up = world.ended = world.viewer_ended = world.told = 0;
	new_viewer();
	if (!world.session)
		new_session();
	assert_int_equal(agent_session_open(world.session,
				 (struct uplink *)&world.line[SEAL_HOST], &open),
		0);
	assert_int_equal(tunnel_open(world.viewer, &uplink_carrier,
				 &world.line[SEAL_VIEWER], &open),
		0);
	settle();
}

static void part(void)
{
	tunnel_close(world.viewer, REASON_VIEWER_LEFT);
	settle();
	assert_null(world.session);
}

static int set_up(void **state UNUSED)
{
	struct peers_device device = {.rights = INNER_RIGHTS_ALL, .class = INNER_NATIVE};
	memset(&world, 0, sizeof(world));
	log_open("test", 2, LOG_TEXT, LOG_ERROR);
	world.base = event_base_new();
	for (int side = 0; side < 2; side++) {
		strcpy(world.dir[side], "/tmp/engawa-session-XXXXXX");
		assert_non_null(mkdtemp(world.dir[side]));
		assert_int_equal(identity_open(world.dir[side], &world.identity[side]),
			0);
	}
	assert_int_equal(peers_open(world.dir[SEAL_HOST], &world.peers), 0);
	memcpy(device.key, identity_tunnel_public(world.identity[SEAL_VIEWER]),
		sizeof(device.key));
	memset(device.pair_psk, 7, sizeof(device.pair_psk));
	strcpy(device.name, "laptop");
	strcpy(device.user, "sato");
	assert_int_equal(peers_authorise(world.peers, &device), 0);
	return 0;
}

static int tear_down(void **state UNUSED)
{
	char command[128];
	world.session = agent_session_free(world.session);
	world.viewer = tunnel_free(world.viewer);
	event_base_loop(world.base, EVLOOP_NONBLOCK);
	peers_free(world.peers);
	for (int side = 0; side < 2; side++) {
		for (struct end *end = &world.line[side]; end->count; end->count--) {
			free(end->records[end->first]);
			end->first = (end->first + 1) % LINE;
		}
		identity_free(world.identity[side]);
		snprintf(command, sizeof(command), "rm -rf %s", world.dir[side]);
		assert_int_equal(system(command), 0);
	}
	event_base_free(world.base);
	return 0;
}

/* ---- tests --------------------------------------------------------------------------------- */

static void wanting_everything_gives_what_exists(void **state UNUSED)
{
	join("");
	assert_int_equal(world.told, INNER_RIGHTS_ALL);
	part();
	join("{\"rights\":65535}");
	assert_int_equal(world.told, INNER_RIGHTS_ALL);
	part();
}

/* The files that a session leaves behind are written when its first answer is on its way. */
static void nobody_waits_for_files(void **state UNUSED)
{
	join("");
	assert_int_equal(world.up, 1);
	assert_true(world.changes > 0);
	assert_false(world.early);
	part();
}

static void no_policy_widens_the_veto(void **state UNUSED)
{
	static const char *const policies[] = {"", "{\"rights\":65535}",
		"{\"rights\":63,\"veto\":false}", "{\"rights\":63,\"view_only\":false}"};
	const uint16_t left =
		INNER_RIGHTS_ALL &
		~(INNER_RIGHT_CONTROL | INNER_RIGHT_CLIP_TO_HOST |
			INNER_RIGHT_CLIP_TO_VIEWER | INNER_RIGHT_FILE_TO_HOST);
	write_veto("[session]\nview_only = yes\n[clipboard]\nto_viewer = no\n");
	for (size_t i = 0; i < ARRAY_LEN(policies); i++) {
		join(policies[i]);
		assert_int_equal(world.told, left);
		assert_int_equal(agent_session_rights(world.session), left);
		part();
	}
}

static void a_policy_that_is_nonsense_permits_nothing(void **state UNUSED)
{
	static const char *const policies[] = {"{", "[]", "null", "{}",
		"{\"rights\":\"all\"}", "{\"rights\":1e9}", "{\"rights\":[63]}",
		"{\"rights\":null}", "\x80", "rights=63", "{\"rights\":0}",
		"{\"rights\":2}", "{\"rights\":99999999999999999999}", "{\"rights\":-1}",
		"{\"rights\":63,\"rights\":63}", "{\"rights\":63,\"max_session_ms\":-1}",
		"{\"rights\":63,\"max_session_ms\":\"long\"}",
		"{\"rights\":63,\"consent\":0}", "{\"rights\":63,\"watermark\":\"no\"}",
		"{\"rights\":63,\"clip_max_bytes\":1.5}",
		"{\"rights\":63,\"viewer_kinds\":0}",
		"{\"rights\":63,\"viewer_kinds\":2}"};
	for (size_t i = 0; i < ARRAY_LEN(policies); i++) {
		join(policies[i]);
		assert_int_equal(world.up, 0);
		assert_int_equal(world.viewer_ended, REASON_POLICY);
		assert_int_equal(world.streams, 0);
		assert_null(world.session);
	}
}

static void a_device_keeps_to_its_own_rights(void **state UNUSED)
{
	struct peers_device device = *peers_find(world.peers,
		identity_tunnel_public(world.identity[SEAL_VIEWER]), 1);
	device.rights = INNER_RIGHT_VIEW;
	assert_int_equal(peers_authorise(world.peers, &device), 0);
	join("{\"rights\":65535}");
	assert_int_equal(world.told, INNER_RIGHT_VIEW);
	part();
}

/* A web page's device does not become a program by saying so. */
static void a_class_once_paired_stays(void **state UNUSED)
{
	struct peers_device device = *peers_find(world.peers,
		identity_tunnel_public(world.identity[SEAL_VIEWER]), 1);
	device.class = INNER_WEB;
	assert_int_equal(peers_authorise(world.peers, &device), 0);
	join("");
	assert_int_equal(world.up, 1);
	part();
	write_veto("[session]\nviewers = native\n");
	join("");
	assert_int_equal(world.up, 0);
	assert_int_equal(world.viewer_ended, REASON_VETO);
	write_veto("");
	join("");
	write_veto("[session]\nviewers = native\n");
	agent_session_tick(world.session, clock_wall_ms());
	settle();
	assert_int_equal(world.ended, REASON_VETO);
}

static void any_time_limit_is_no_overflow(void **state UNUSED)
{
	static const struct {
		const char *policy;
		int ends;
	} rows[] = {
		{"{\"rights\":63,\"max_session_ms\":9223372036854775807}", 0},
		{"{\"rights\":63,\"idle_ms\":9223372036854775807}", 0},
		{"{\"rights\":63,\"max_session_ms\":60000}", 1},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		join(rows[i].policy);
		assert_int_equal(world.up, 1);
		agent_session_tick(world.session, clock_wall_ms() + 30000);
		settle();
		assert_int_equal(world.ended, 0);
		agent_session_tick(world.session, clock_wall_ms() + 61000);
		settle();
		assert_int_equal(world.ended, rows[i].ends ? REASON_SESSION_TIME_UP : 0);
		if (!rows[i].ends)
			part();
	}
	/* The host's own limit stands, whatever the gateway's. */
	write_veto("[session]\nmax_session = 60s\n");
	join(rows[0].policy);
	agent_session_tick(world.session, clock_wall_ms() + 61000);
	settle();
	assert_int_equal(world.ended, REASON_SESSION_TIME_UP);
}

static void paste(const char *text)
{
	uint8_t head[INNER_CLIPBOARD_HEAD];
	inner_clipboard_pack((uint32_t)strlen(text), head);
	assert_int_equal(tunnel_write(world.viewer, SEAL_CLIPBOARD, head, sizeof(head)),
		sizeof(head));
	assert_int_equal(tunnel_write(world.viewer, SEAL_CLIPBOARD, text, strlen(text)),
		strlen(text));
	settle();
}

static void view_only_takes_no_text_on_the_clipboard_lane(void **state UNUSED)
{
	join("");
	paste("taken");
	assert_string_equal(world.clip, "taken");
	part();
	write_veto("[session]\nview_only = yes\n");
	world.clip[0] = 0;
	join("");
	paste("not taken");
	assert_string_equal(world.clip, "");
	assert_int_equal(world.ended, 0);
	/* Forbidden while it runs. */
	part();
	write_veto("");
	join("");
	write_veto("[clipboard]\nto_host = no\n");
	agent_session_tick(world.session, clock_wall_ms());
	paste("too late");
	assert_string_equal(world.clip, "");
	/* Permitted again: what was taken away stays away until the next session. */
	write_veto("");
	agent_session_tick(world.session, clock_wall_ms());
	paste("still too late");
	assert_string_equal(world.clip, "");
	part();
}

static void the_picture_stream_has_the_granted_rights(void **state UNUSED)
{
	struct inner_message wish = {.kind = INNER_RFB_OPEN};
	wish.rfb_open.id = 1;
	write_veto("[session]\nview_only = yes\n");
	join("{\"rights\":65535}");
	assert_int_equal(tunnel_message(world.viewer, &wish), 0);
	settle();
	assert_int_equal(world.streams, 1);
	assert_false(world.stream_rights &
		     (INNER_RIGHT_CONTROL | INNER_RIGHT_CLIP_TO_HOST));
	close(world.stream_end);
	part();
}

static void stand_side_by_side(int count)
{
	const struct desktop_event event = {
		.kind = DESKTOP_EV_RESIZED, .width = 800, .height = 600};
	world.monitors = count;
	agent_session_event(world.session, &event);
	settle();
}

static void open_stream(uint32_t id)
{
	struct inner_message wish = {.kind = INNER_RFB_OPEN};
	wish.rfb_open.id = id;
	assert_int_equal(tunnel_message(world.viewer, &wish), 0);
	settle();
}

static void the_viewer_is_told_of_several_monitors(void **state UNUSED)
{
	world.monitors = 1;
	join("{\"rights\":65535}");
	open_stream(1);
	assert_int_equal(world.monitors_told, 0);
	stand_side_by_side(2);
	assert_int_equal(world.monitors_told, 1);
	assert_int_equal(world.shown.count, 2);
	assert_int_equal(world.shown.at[1].x, 400);
	assert_int_equal(world.shown.at[1].height, 600);
	/* Another size, or another stream of the same viewer: nothing new. */
	stand_side_by_side(2);
	close(world.stream_end);
	open_stream(2);
	assert_int_equal(world.monitors_told, 1);
	stand_side_by_side(1);
	assert_int_equal(world.monitors_told, 2);
	assert_int_equal(world.shown.count, 0);
	close(world.stream_end);
	part();
}

/* A session that another one pushes aside ends like any other, also for the lock. */
static void replacing_a_session_locks_the_desktop(void **state UNUSED)
{
	write_veto("[session]\nlock_at_end = yes\n");
	join("{\"rights\":63,\"lock_at_end\":false}");
	assert_int_equal(world.up, 1);
	agent_session_cut(world.session, REASON_PEER_LOST);
	assert_int_equal(world.locked, 0);
	world.session = agent_session_replace(world.session);
	assert_null(world.session);
	assert_int_equal(world.locked, 1);
	assert_true(world.closed > 0);
}

/* The gateway keeps both lines up and passes nothing on. */
static void a_silent_line_is_a_cut_one(void **state UNUSED)
{
	join("");
	assert_int_equal(world.up, 1);
	for (int turn = 0; turn < 60; turn++)
		agent_session_tick(world.session, clock_wall_ms());
	assert_int_equal(world.line[SEAL_HOST].closed, REASON_KEEPALIVE_TIMEOUT);
	assert_int_equal(world.ended, 0); /* it may come back within its grace time */
	/* One that speaks is left alone. */
	world.session = agent_session_free(world.session);
	world.line[SEAL_HOST].closed = 0;
	join("");
	for (int turn = 0; turn < 60; turn++) {
		tunnel_write(world.viewer, SEAL_CLIPBOARD, "", 0);
		if (turn % 20 == 0) {
			paste("x");
			settle();
		}
		agent_session_tick(world.session, clock_wall_ms());
	}
	assert_int_equal(world.line[SEAL_HOST].closed, 0);
	part();
}

/* ---- a gateway that grants everything ------------------------------------------------------- */

#define GENEROUS                                                                         \
	"{\"rights\":65535,\"viewer_kinds\":65535,\"max_session_ms\":"                   \
	"9000000000000000000,"                                                           \
	"\"idle_ms\":9000000000000000000,\"until_ms\":9000000000000000000,"              \
	"\"clip_max_bytes\":9000000000000000000,\"file_max_bytes\":9000000000000000000," \
	"\"devices_max\":9000000000000000000,\"grace_ms\":9000000000000000000,"          \
	"\"consent\":false,\"watermark\":false,\"lock_at_end\":false,\"veto\":{},"       \
	"\"hours\":[],\"sign\":false}"

static void answer(unsigned question, int yes)
{
	const struct desktop_event event = {
		.kind = DESKTOP_EV_ANSWERED, .question = question, .yes = yes};
	agent_session_event(world.session, &event);
	settle();
}

/* A veto that says no to everything it can, and a gateway that says yes. */
static void a_generous_gateway_widens_nothing(void **state UNUSED)
{
	write_veto("[session]\nview_only = yes\nconsent = yes\nwatermark = yes\n"
		   "lock_at_end = yes\nmax_session = 60s\nidle = 2s\n"
		   "[clipboard]\nto_viewer = no\nmax_bytes = 10\n"
		   "[files]\nto_viewer = no\n");
	join(GENEROUS);
	assert_int_equal(world.up, 0); /* not before somebody said yes */
	assert_true(world.asking);
	answer(world.question, 1);
	assert_int_equal(world.up, 1);
	assert_int_equal(world.told, INNER_RIGHT_VIEW);
	assert_int_equal(agent_session_rights(world.session), INNER_RIGHT_VIEW);
	assert_int_equal(world.clip_limit, 10);
	assert_non_null(strstr(world.mark, "sato@laptop  lic_7k3qx09fa"));
	/* Nor while it runs. */
	agent_session_policy(world.session, GENEROUS);
	agent_session_tick(world.session, clock_wall_ms());
	settle();
	assert_int_equal(world.told, INNER_RIGHT_VIEW);
	assert_int_equal(world.clip_limit, 10);
	for (int i = 0; i < 400 && !world.ended; i++) {
		usleep(50 * 1000);
		agent_session_tick(world.session, clock_wall_ms());
		settle();
	}
	assert_int_equal(world.ended, REASON_IDLE_TIME_UP);
	assert_int_equal(world.locked, 1);
	assert_string_equal(world.mark, ""); /* the next session begins without */
	write_veto("[session]\nmax_session = 60s\n");
	join(GENEROUS);
	assert_int_equal(world.up, 1);
	agent_session_tick(world.session, clock_wall_ms() + 61000);
	settle();
	assert_int_equal(world.ended, REASON_SESSION_TIME_UP);
	write_veto("[session]\nviewers = web\n");
	join(GENEROUS);
	assert_int_equal(world.up, 0);
	assert_int_equal(world.viewer_ended, REASON_VETO);
	/* Three days from now, by Tokyo's clock, is another day of the week for certain. */
	static const char *const days[] = {
		"Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"};
	char veto[100];
	snprintf(veto, sizeof(veto),
		"[session]\nzone = Asia/Tokyo\nhours = %s 08:00-20:00\n",
		days[(clock_wall_ms() / 86400000 + 3) % 7]);
	write_veto(veto);
	join(GENEROUS);
	assert_int_equal(world.up, 0);
	assert_int_equal(world.viewer_ended, REASON_OUT_OF_HOURS);
}

/* ---- what the company's policy demands ------------------------------------------------------ */

static void the_policy_is_in_force(void **state UNUSED)
{
	join("{\"rights\":13,\"clip_max_bytes\":100,\"watermark\":true,"
	     "\"lock_at_end\":true}");
	assert_int_equal(world.told, 13);
	assert_int_equal(world.clip_limit, 100);
	assert_non_null(strstr(world.mark, "sato@laptop"));
	part();
	assert_int_equal(world.locked, 1);
	/* Over in the hours that OPEN named, and not to be had after them. */
	char policy[100];
	snprintf(policy, sizeof(policy), "{\"rights\":63,\"until_ms\":%lld}",
		(long long)clock_wall_ms() + 300000);
	join(policy);
	assert_int_equal(world.up, 1);
	agent_session_tick(world.session, clock_wall_ms() + 299000);
	settle();
	assert_int_equal(world.ended, 0);
	assert_int_equal(world.notice_reason, REASON_OUT_OF_HOURS);
	agent_session_tick(world.session, clock_wall_ms() + 300001);
	settle();
	assert_int_equal(world.ended, REASON_OUT_OF_HOURS);
	join("{\"rights\":63,\"until_ms\":1000}");
	assert_int_equal(world.viewer_ended, REASON_OUT_OF_HOURS);
	/* A picture that should name its viewer and cannot is not shown. */
	world.cannot_mark = 1;
	join("{\"rights\":63,\"watermark\":true}");
	assert_int_equal(world.up, 0);
	assert_int_equal(world.viewer_ended, REASON_POLICY);
}

static void idle_time_is_told_before_it_is_up(void **state UNUSED)
{
	join("{\"rights\":63,\"idle_ms\":400}");
	world.input_ms = clock_mono_ms() - 3600000; /* of a session long ago */
	agent_session_tick(world.session, clock_wall_ms());
	settle();
	assert_int_equal(world.notices, 0);
	usleep(310 * 1000);
	agent_session_tick(world.session, clock_wall_ms());
	settle();
	if (!world.ended) { /* on a machine that was not too busy to look in time */
		assert_int_equal(world.notices, 1);
		assert_int_equal(world.notice_reason, REASON_IDLE_TIME_UP);
		assert_non_null(strstr(world.notice, "ends in 1 s"));
		/* Somebody moves: all is well again. */
		world.input_ms = clock_mono_ms();
		agent_session_tick(world.session, clock_wall_ms());
		settle();
		assert_int_equal(world.ended, 0);
		usleep(410 * 1000);
		agent_session_tick(world.session, clock_wall_ms());
		settle();
	}
	assert_int_equal(world.ended, REASON_IDLE_TIME_UP);
}

static void a_policy_that_changes_only_narrows(void **state UNUSED)
{
	join("{\"rights\":63}");
	agent_session_policy(world.session,
		"{\"rights\":9,\"clip_max_bytes\":5,\"watermark\":true}");
	settle();
	assert_int_equal(world.told, 9);
	assert_int_equal(agent_session_rights(world.session), 9);
	assert_int_equal(world.clip_limit, 5);
	assert_true(*world.mark);
	agent_session_policy(world.session, "{\"rights\":63,\"max_session_ms\":60000}");
	settle();
	assert_int_equal(world.told, 9);
	assert_int_equal(world.clip_limit, 5);
	agent_session_tick(world.session, clock_wall_ms() + 61000);
	settle();
	assert_int_equal(world.ended, REASON_SESSION_TIME_UP);
	static const struct {
		const char *policy;
		int reason;
	} rows[] = {{"{\"rights\":2}", REASON_POLICY}, {"nonsense", REASON_POLICY},
		{"{\"rights\":63,\"viewer_kinds\":2}", REASON_POLICY},
		{"{\"rights\":63,\"until_ms\":5}", REASON_OUT_OF_HOURS}};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		join("{\"rights\":63}");
		assert_int_equal(world.up, 1);
		agent_session_policy(world.session, rows[i].policy);
		settle();
		assert_int_equal(world.ended, rows[i].reason);
	}
}

/* ---- the person at the office ---------------------------------------------------------------- */

static void nobody_is_let_in_unasked(void **state UNUSED)
{
	static const char consent[] = "{\"rights\":63,\"consent\":true}";
	join(consent);
	assert_int_equal(world.up, 0);
	assert_int_equal(world.viewer_ended, 0);
	assert_int_equal(world.asked_ms, 30000);
	assert_non_null(strstr(world.asked[1], "sato"));
	assert_non_null(strstr(world.asked[2], "laptop"));
	/* While nobody has answered there is no picture, whatever the viewer sends. */
	assert_int_equal(world.streams, 0);
	answer(world.question, 0);
	assert_int_equal(world.viewer_ended, REASON_CONSENT_REFUSED);
	assert_int_equal(world.up, 0);
	assert_null(world.session);
	/* The yes to a question that was taken back is none to the next one. */
	join(consent);
	unsigned before = world.question;
	agent_session_cut(world.session, REASON_PEER_LOST);
	settle();
	assert_false(world.asking);
	assert_null(world.session);
	join(consent);
	answer(before, 1);
	assert_int_equal(world.up, 0);
	/* What is forbidden meanwhile stays forbidden. */
	write_veto("[session]\nview_only = yes\n");
	answer(world.question, 1);
	assert_int_equal(world.up, 1);
	assert_false(world.told & INNER_RIGHT_CONTROL);
	part();
	world.cannot_ask = 1;
	join(consent);
	assert_int_equal(world.up, 0);
	assert_int_equal(world.viewer_ended, REASON_CONSENT_REFUSED);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(wanting_everything_gives_what_exists),
		TEST(nobody_waits_for_files),
		TEST(no_policy_widens_the_veto),
		TEST(a_policy_that_is_nonsense_permits_nothing),
		TEST(a_device_keeps_to_its_own_rights),
		TEST(a_class_once_paired_stays),
		TEST(any_time_limit_is_no_overflow),
		TEST(view_only_takes_no_text_on_the_clipboard_lane),
		TEST(the_picture_stream_has_the_granted_rights),
		TEST(the_viewer_is_told_of_several_monitors),
		TEST(replacing_a_session_locks_the_desktop),
		TEST(a_silent_line_is_a_cut_one),
		TEST(a_generous_gateway_widens_nothing),
		TEST(the_policy_is_in_force),
		TEST(idle_time_is_told_before_it_is_up),
		TEST(a_policy_that_changes_only_narrows),
		TEST(nobody_is_let_in_unasked),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
