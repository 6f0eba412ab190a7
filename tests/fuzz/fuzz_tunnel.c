/* links: proto_link PkgConfig::EVENT */
/* tunnel, from a peer who has the right keys and means no good: after a true handshake it seals whatever it
 * likes. The first byte chooses the side, the purpose and whether the hello is a right one; then records:
 * u16 length, plaintext. Between them this end writes, reads and answers as a program does. */
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/reason.h"
#include "e2e/identity.h"
#include "e2e/inner_payload.h"
#include "e2e/noise.h"
#include "link/tunnel_inside.h"

#define LICENSE "7K3QX09FA"
#define TICKET 77
#define BUFFERED (1024 * 1024)

struct victim {
	struct tunnel *tunnel;
	uint8_t place[SEAL_RECORD_MAX];
	/* The first it said: its side of the handshake. */
	uint8_t said[2][NOISE_MESSAGE_MAX];
	size_t said_len[2], said_count, heard, held;
	int ended, up;
};

static struct event_base *base;
static struct identity *identities[2];
static const uint8_t psk[INNER_KEY] = {9};

static void must(int right)
{
	if (!right)
		abort();
}

static size_t queued(void *ctx)
{
	(void)ctx;
	return 0;
}

static int reserve(void *ctx, size_t len, uint8_t **ret)
{
	struct victim *victim = ctx;
	must(len <= sizeof(victim->place));
	*ret = victim->place;
	return 0;
}

static void commit(void *ctx, size_t len)
{
	struct victim *victim = ctx;
	if (!len || len > NOISE_MESSAGE_MAX || victim->said_count == 2)
		return;
	memcpy(victim->said[victim->said_count], victim->place, len);
	victim->said_len[victim->said_count++] = len;
}

static void closed(void *ctx, int reason)
{
	(void)ctx;
	must(reason > 0);
}

static const struct carrier carrier = {queued, reserve, commit, closed};

static int on_find_psk(void *ctx, const struct tunnel_peer *peer,
	uint8_t ret_psk[static INNER_KEY])
{
	(void)ctx, (void)peer;
	memcpy(ret_psk, psk, INNER_KEY);
	return 0;
}

static int on_accept(void *ctx, const struct tunnel_peer *peer)
{
	(void)ctx, (void)peer;
	return 0;
}

static void on_admit(void *ctx, const struct tunnel_peer *peer)
{
	struct victim *victim = ctx;
	struct tunnel_grant grant = {.rights = INNER_RIGHT_VIEW, .host_name = "office"};
	(void)peer;
	tunnel_admit(victim->tunnel, REASON_NONE, &grant);
}

static void on_up(void *ctx, const struct tunnel_up *up)
{
	struct victim *victim = ctx;
	must(!victim->up++ && !victim->ended && !(up->rights & ~INNER_RIGHTS_ALL));
}

static int on_paired(void *ctx, const struct tunnel_paired *paired)
{
	struct victim *victim = ctx;
	must(!victim->ended && strlen(paired->host_name) < INNER_NAME_SIZE);
	return 0;
}

static void on_bytes(void *ctx, enum seal_lane lane, const uint8_t *bytes, size_t len)
{
	struct victim *victim = ctx;
	volatile uint8_t last = bytes[len - 1];
	(void)last;
	must(victim->up && !victim->ended && lane > SEAL_CONTROL && lane < SEAL_FILE);
	/* Every other byte stays for a while, as with a slow program. */
	victim->held += len;
	must(victim->held <= BUFFERED);
	if (len % 2 == 0) {
		tunnel_consumed(victim->tunnel, lane, len);
		victim->held -= len;
	}
}

static void on_message(void *ctx, const struct inner_message *message)
{
	struct victim *victim = ctx;
	must(victim->up && !victim->ended);
	if (message->kind == INNER_NOTICE)
		must(strlen(message->notice.en) <= INNER_TEXT_MAX);
	if (message->kind == INNER_RFB_CLOSE)
		tunnel_close(victim->tunnel, REASON_PROTOCOL);
}

static void on_ended(void *ctx, int reason, enum tunnel_end how)
{
	struct victim *victim = ctx;
	must(!victim->ended++ && reason != REASON_NONE && how <= TUNNEL_INTERRUPTED);
}

static const struct tunnel_events events = {
	.find_psk = on_find_psk,
	.accept = on_accept,
	.admit = on_admit,
	.up = on_up,
	.paired = on_paired,
	.bytes = on_bytes,
	.message = on_message,
	.ended = on_ended,
};

static void prepare(void)
{
	char command[96];
	if (base)
		return;
	base = event_base_new();
	for (int side = 0; side < 2; side++) {
		char dir[] = "/tmp/engawa-fuzz-XXXXXX";
		must(mkdtemp(dir) && identity_open(dir, &identities[side]) == 0);
		snprintf(command, sizeof(command), "rm -rf %s", dir);
		must(system(command) == 0);
	}
}

static void open_victim(struct victim *victim, enum seal_side side,
	enum prologue_purpose purpose)
{
	struct tunnel_config config = {
		.side = side,
		.identity = identities[side],
		.license = LICENSE,
		.features = INNER_FEATURE_CLIPBOARD_LANE,
		.purpose = purpose,
		.ticket = purpose == PROLOGUE_PAIRING ? TICKET : 0,
		.device = "laptop",
		.wanted = INNER_RIGHTS_ALL,
		.rekey_every = 4,
	};
	struct message_open open = {
		.session = {1},
		.fence = 1,
		.purpose = purpose,
		.psk_kind = purpose == PROLOGUE_PAIRING ? 1 : 2,
		.ticket = config.ticket,
		.viewer_min = 1,
		.viewer_max = 1,
		.host_min = 1,
		.host_max = 1,
	};
	memcpy(config.psk, psk, INNER_KEY);
	must(tunnel_new(&victim->tunnel, base, &config, &events, victim) == 0);
	must(tunnel_open(victim->tunnel, &carrier, victim, &open) == 0);
}

static struct noise *attacker(const struct victim *victim, enum seal_side side)
{
	uint8_t prologue[PROLOGUE_SIZE];
	must(prologue_build(&victim->tunnel->prologue, prologue) == 0);
	struct noise_config config = {
		.protocol = NOISE_ENGAWA,
		.role = side == SEAL_VIEWER ? NOISE_INITIATOR : NOISE_RESPONDER,
		.prologue = prologue,
		.prologue_len = sizeof(prologue),
		.static_private = identity_tunnel_private(identities[side]),
		.psks = psk,
		.psk_count = 1,
		.rekey_every = 4,
	};
	struct noise *noise;
	must(noise_new(&noise, &config) == 0);
	return noise;
}

static void write_to(struct victim *victim, struct noise *noise, const void *payload,
	size_t len)
{
	uint8_t message[NOISE_MESSAGE_MAX];
	size_t used;
	must(noise_write(noise, payload, len, message, sizeof(message), &used) == 0);
	tunnel_data(victim->tunnel, message, used);
}

static void read_from(struct victim *victim, struct noise *noise)
{
	uint8_t plain[NOISE_MESSAGE_MAX];
	size_t used;
	size_t at = victim->heard++;
	must(at < victim->said_count &&
		noise_read(noise, victim->said[at], victim->said_len[at], plain,
			sizeof(plain), &used) == 0);
}

static struct noise_cipher *shake(struct victim *victim, enum seal_side side)
{
	struct noise *noise = attacker(victim, side);
	struct noise_cipher *send, *receive;
	uint8_t payload[INNER_PAYLOAD_MAX];
	size_t len;
	if (side == SEAL_VIEWER) {
		struct inner_payload_viewer viewer = {
			.class = INNER_NATIVE, .wanted = 0xffff, .device = "laptop"};
		write_to(victim, noise, NULL, 0);
		read_from(victim, noise);
		must(noise_decide(noise, NOISE_ALLOW) == 0);
		must(inner_payload_pack_viewer(&viewer, payload, &len) == 0);
		write_to(victim, noise, payload, len);
	} else {
		struct inner_payload_host host = {.version = 1};
		read_from(victim, noise);
		must(inner_payload_pack_host(&host, payload, &len) == 0);
		write_to(victim, noise, payload, len);
		read_from(victim, noise);
		must(noise_decide(noise, NOISE_ALLOW) == 0);
	}
	must(tunnel_state(victim->tunnel) == TUNNEL_ADMITTING);
	must(noise_finish(noise, &send, &receive) == 0);
	noise_cipher_free(receive);
	noise_free(noise);
	return send;
}

static void give(struct victim *victim, struct noise_cipher *send, const uint8_t *plain,
	size_t len)
{
	static uint8_t record[SEAL_RECORD_MAX];
	must(noise_cipher_encrypt_with_ad(send, NULL, 0, plain, len, record) == 0);
	tunnel_data(victim->tunnel, record, len + SEAL_TAG);
}

static void say(struct victim *victim, struct noise_cipher *send,
	const struct inner_message *message)
{
	uint8_t plain[SEAL_HEAD + INNER_MESSAGE_MAX] = {SEAL_CONTROL, SEAL_END};
	size_t len;
	must(inner_pack(message, plain + SEAL_HEAD, INNER_MESSAGE_MAX, &len) == 0);
	plain[2] = (uint8_t)(len >> 8);
	plain[3] = (uint8_t)len;
	give(victim, send, plain, SEAL_HEAD + len);
}

static void say_hello(struct victim *victim, struct noise_cipher *send,
	enum seal_side side)
{
	struct inner_message message = {
		.kind = side == SEAL_VIEWER ? INNER_VIEWER_HELLO : INNER_HELLO_OK};
	if (side == SEAL_VIEWER)
		message.viewer_hello = (struct inner_viewer_hello){
			.fence = 1, .wanted = 0xffff, .features = UINT32_MAX};
	else
		message.hello_ok = (struct inner_hello_ok){.fence = 1,
			.granted = 0xffff,
			.features = UINT32_MAX,
			.width = 1280,
			.height = 720};
	say(victim, send, &message);
}

static void work(struct victim *victim)
{
	struct tunnel *tunnel = victim->tunnel;
	struct inner_message message = {.kind = INNER_RFB_CLOSE};
	tunnel_write(tunnel, SEAL_INPUT, "input", 5);
	tunnel_write(tunnel, SEAL_PICTURE, "picture", 7);
	tunnel_write(tunnel, SEAL_CLIPBOARD, "text", 4);
	int ignored UNUSED = tunnel_message(tunnel, &message);
	event_base_loop(base, EVLOOP_NONBLOCK);
}

static void records(struct victim *victim, struct noise_cipher *send, const uint8_t *data,
	size_t size)
{
	while (size >= 2 && !victim->ended) {
		size_t len = (size_t)(data[0] << 8 | data[1]) %
			     (SEAL_RECORD_MAX - SEAL_TAG + 1);
		data += 2;
		size -= 2;
		len = len < size ? len : size;
		/* From the heap and exactly so long: nothing behind it may be read. */
		uint8_t *plain = malloc(len + 1);
		memcpy(plain, data, len);
		give(victim, send, plain, len);
		free(plain);
		data += len;
		size -= len;
		work(victim);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct victim victim;
	if (size < 1)
		return 0;
	prepare();
	memset(&victim, 0, sizeof(victim));
	enum seal_side side = data[0] & 1 ? SEAL_HOST : SEAL_VIEWER; /* the attacker's */
	enum prologue_purpose purpose = data[0] & 2 ? PROLOGUE_PAIRING : PROLOGUE_SESSION;
	open_victim(&victim, side == SEAL_HOST ? SEAL_VIEWER : SEAL_HOST, purpose);
	struct noise_cipher *send = shake(&victim, side);
	if (data[0] & 4)
		say_hello(&victim, send, side);
	records(&victim, send, data + 1, size - 1);
	event_base_loop(base, EVLOOP_NONBLOCK);
	/* Whoever ended it: no key stays. */
	if (tunnel_state(victim.tunnel) == TUNNEL_OVER)
		must(!victim.tunnel->seal && !victim.tunnel->noise);
	noise_cipher_free(send);
	tunnel_free(victim.tunnel);
	event_base_loop(base, EVLOOP_NONBLOCK);
	return 0;
}
