/* links: proto_link PkgConfig::EVENT */
/* uplink, from a gateway that means no good: whatever it sends, at any time. The first byte chooses the side;
 * then u16 length, bytes as they come out of TLS (which is not here), or a whole frame made of type, length and
 * payload. The owner answers as a program does. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "e2e/identity.h"
#include "link/dial.h"
#include "link/uplink_inside.h"

/* A redirect names any host it likes: nobody is asked for its address, and nothing answers. */
int dial_new(struct dial **ret, struct event_base *base UNUSED,
	const struct text_endpoint *targets UNUSED, size_t count, dial_fn done UNUSED,
	void *ctx UNUSED)
{
	if (!count)
		abort();
	*ret = NULL;
	return 0;
}

const char *dial_detail(const struct dial *dial UNUSED, size_t target UNUSED)
{
	return "";
}

struct dial *dial_free(struct dial *dial UNUSED)
{
	return NULL;
}

/* The TLS connection: takes everything, and stands for a certificate whose dates are right. */
struct uplink_tls {
	uint8_t *out;
	size_t len, cap;
};
static struct uplink_tls line;

int uplink_tls_context(const char *ca_file UNUSED, struct ssl_ctx_st **ret)
{
	*ret = NULL;
	return 0;
}

struct ssl_ctx_st *uplink_tls_context_free(struct ssl_ctx_st *context UNUSED)
{
	return NULL;
}

int uplink_tls_new(struct uplink_tls **ret UNUSED, struct event_base *base UNUSED,
	struct ssl_ctx_st *context UNUSED, int fd UNUSED, const char *name UNUSED,
	const struct uplink_tls_events *events UNUSED, void *ctx UNUSED)
{
	abort();
}

const char *uplink_tls_date(const struct uplink_tls *tls)
{
	return tls && tls->cap == 1 ? "not valid yet" : NULL;
}

int uplink_tls_exporter(struct uplink_tls *tls UNUSED, uint8_t ret[static 32])
{
	memset(ret, 5, 32);
	return 0;
}

int uplink_tls_reserve(struct uplink_tls *tls, size_t len, uint8_t **ret)
{
	if (tls->len + len > UPLINK_TLS_HARD)
		return -REASON_LIMIT;
	*ret = tls->out + tls->len;
	return 0;
}

void uplink_tls_commit(struct uplink_tls *tls, size_t len)
{
	tls->len += len;
}

size_t uplink_tls_queued(const struct uplink_tls *tls)
{
	return tls->len;
}

size_t uplink_tls_waiting(const struct uplink_tls *tls)
{
	return tls->len;
}

void uplink_tls_watch(struct uplink_tls *tls UNUSED)
{
}

struct uplink_tls *uplink_tls_free(struct uplink_tls *tls UNUSED)
{
	return NULL;
}

/* The owner. */
struct owner {
	struct uplink *uplink;
	int down, joined;
	uint8_t turn;
};

static void must(int right)
{
	if (!right)
		abort();
}

static void on_welcome(void *ctx, const struct message_welcome *welcome)
{
	struct owner *owner = ctx;
	struct message_connect connect = {.purpose = 1, .psk_kind = 2};
	must(strlen(welcome->leg) <= 40 && !owner->down);
	int ignored UNUSED = uplink_connect(owner->uplink, &connect);
}

static void on_open(void *ctx, const struct message_open *open)
{
	struct owner *owner = ctx;
	must(strlen(open->policy) <= 4096 && !owner->down);
	owner->joined = 1;
	if (owner->turn++ % 4 == 3)
		uplink_close(owner->uplink, REASON_E2E_FAILED, NULL);
}

static void on_data(void *ctx, uint8_t *record, size_t len)
{
	struct owner *owner = ctx;
	uint8_t *place;
	must(owner->joined && !owner->down);
	/* Opened where it lies, as the tunnel does. */
	memset(record, 0, len);
	if (!uplink_carrier.reserve(owner->uplink, 64, &place)) {
		memset(place, 1, 64);
		uplink_carrier.commit(owner->uplink, 64);
	}
}

static void on_close(void *ctx, const struct message_close *close)
{
	struct owner *owner = ctx;
	must(close->reason != REASON_NONE && !owner->down);
	owner->joined = 0;
	if (owner->turn++ % 4 == 1)
		uplink_leave(owner->uplink, REASON_VIEWER_LEFT);
}

static void on_notice(void *ctx, const struct message_notice *notice)
{
	struct owner *owner = ctx;
	must(strlen(notice->en) <= 1024 && !owner->down);
	if (owner->turn++ % 8 == 7)
		owner->uplink = uplink_free(owner->uplink);
}

static void on_down(void *ctx, const struct uplink_down *down)
{
	struct owner *owner = ctx;
	must(!owner->down++ && down->reason != REASON_NONE);
	must(strlen(down->detail) < UPLINK_DETAIL);
}

static const struct uplink_events events = {
	.welcome = on_welcome,
	.down = on_down,
	.open = on_open,
	.data = on_data,
	.close = on_close,
	.notice = on_notice,
};

static struct event_base *base;
static struct identity *identity;

static void prepare(void)
{
	char dir[] = "/tmp/engawa-fuzz-XXXXXX", file[64];
	if (base)
		return;
	log_open("fuzz", 2, LOG_TEXT, LOG_ERROR);
	base = event_base_new();
	line.out = malloc(UPLINK_TLS_HARD);
	must(line.out && mkdtemp(dir) && identity_open(dir, &identity) == 0);
	snprintf(file, sizeof(file), "rm -rf %s", dir);
	must(system(file) == 0);
}

/* As after the TLS handshake with the only gateway there is. */
static void reach(struct owner *owner, enum hello_side side)
{
	static const uint8_t secret[LICENSE_KEY_SECRET] = {1};
	struct text_endpoint gateway = {.host = "127.0.0.1", .port = 1};
	const struct uplink_config config = {
		.gateways = &gateway,
		.gateway_count = 1,
		.side = side,
		.license = "7K3QX09FA",
		.secret = secret,
		.identity = identity,
		.kind = "native",
		.password = "password",
	};
	must(uplink_new(&owner->uplink, base, &config, &events, owner) == 0);
	owner->uplink->started = owner->uplink->alive = true;
	owner->uplink->tried[0] = true;
	owner->uplink->tls = &line;
	uplink_talk_begin(owner->uplink);
}

static void hear(struct owner *owner, const uint8_t *bytes, size_t len)
{
	/* From the heap and exactly so long. */
	uint8_t *copy = malloc(len + 1);
	memcpy(copy, bytes, len);
	struct uplink *uplink = owner->uplink;
	uplink_enter(uplink);
	if (uplink->tls)
		must(uplink_talk_bytes(uplink, copy, len) <= len);
	uplink_leave_turn(uplink);
	free(copy);
	event_base_loop(base, EVLOOP_NONBLOCK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct owner owner = {0};
	static uint8_t frame[FRAME_HEADER + FRAME_DATA_MAX];
	if (size < 1)
		return 0;
	prepare();
	line.len = 0;
	line.cap = data[0] >> 1 & 1;
	reach(&owner, data[0] & 1 ? HELLO_HOST : HELLO_VIEWER);
	const uint8_t *at = data + 1;
	for (size_t left = size - 1; left >= 3 && owner.uplink && !owner.down;) {
		uint8_t type = at[0];
		size_t len = (size_t)(at[1] << 8 | at[2]);
		at += 3;
		left -= 3;
		len = len < left ? len : left;
		if (type == 0xfe) { /* not even a frame */
			hear(&owner, at, len);
		} else {
			frame_header(frame, type, (uint32_t)len);
			memcpy(frame + FRAME_HEADER, at, len);
			hear(&owner, frame, FRAME_HEADER + len);
		}
		at += len;
		left -= len;
	}
	/* A door that has heard WELCOME, or is over, needs its password no more. */
	if (owner.uplink && owner.uplink->state >= HELLO_IDLE)
		must(!owner.uplink->secrets || owner.uplink->down_due);
	uplink_free(owner.uplink);
	event_base_loop(base, EVLOOP_NONBLOCK);
	return 0;
}
