/* tunnel_host: the host's half of a tunnel, for tests of the browser's half: the C code that office PCs run,
 * with a test at its standard input and output instead of a gateway.
 *
 *   in    'O' session 16 | fence u64 | purpose u8 | ticket u32       OPEN
 *         'D' record          'C'  the leg is cut          'X' reason u16  the host ends the session
 *   out   'K' static key 32, first     'C'  cut: what came before was the old leg's
 *         'D' record                 'E' reason u16  CLOSE to the node
 *         'P' pair_psk 32              'Z' reason u16  the session is over
 *   each  u8 kind | u32 length | payload
 *
 * It admits everybody whose psk is 32 times 0x5a (ticket: 0xa5), gives all rights, and sends what comes on the
 * input lane back on the picture lane, and the clipboard back on its own. Ends with its input.
 */
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cursor.h"
#include "base/log.h"
#include "base/reason.h"
#include "base/secret.h"
#include "e2e/identity.h"
#include "link/tunnel.h"

#define LICENSE "7K3QX09FA"
#define HEAD 5

static struct {
	struct event_base *base;
	struct tunnel *tunnel;
	struct identity *identity;
	struct buf in, echo[SEAL_LANES];
	uint8_t record[SEAL_RECORD_MAX];
} host;

static void must(int right, const char *what)
{
	if (right)
		return;
	fprintf(stderr, "tunnel_host: %s\n", what);
	exit(70);
}

static void say(char kind, const void *payload, size_t len)
{
	uint8_t head[HEAD] = {(uint8_t)kind, (uint8_t)(len >> 24), (uint8_t)(len >> 16),
		(uint8_t)(len >> 8), (uint8_t)len};
	must(fwrite(head, 1, HEAD, stdout) == HEAD &&
			(!len || fwrite(payload, 1, len, stdout) == len) &&
			!fflush(stdout),
		"cannot write");
}

static void say_reason(char kind, int reason)
{
	uint8_t bytes[2] = {(uint8_t)(reason >> 8), (uint8_t)reason};
	say(kind, bytes, sizeof(bytes));
}

static size_t carrier_queued(void *ctx UNUSED)
{
	return 0;
}

static int carrier_reserve(void *ctx UNUSED, size_t len, uint8_t **ret)
{
	must(len <= sizeof(host.record), "too long a record");
	*ret = host.record;
	return 0;
}

static void carrier_commit(void *ctx UNUSED, size_t len)
{
	if (len)
		say('D', host.record, len);
}

static void carrier_close(void *ctx UNUSED, int reason)
{
	say_reason('E', reason);
}

static const struct carrier carrier = {
	carrier_queued, carrier_reserve, carrier_commit, carrier_close};

static int find_psk(void *ctx UNUSED, const struct tunnel_peer *peer,
	uint8_t ret_psk[static INNER_KEY])
{
	memset(ret_psk, peer->purpose == PROLOGUE_PAIRING ? 0xa5 : 0x5a, INNER_KEY);
	return 0;
}

static int accept_viewer(void *ctx UNUSED, const struct tunnel_peer *peer)
{
	must(peer->class == INNER_WEB && !strcmp(peer->device, "ブラウザ"),
		"p3 says something else");
	return 0;
}

static void admit(void *ctx UNUSED, const struct tunnel_peer *peer UNUSED)
{
	struct tunnel_grant grant = {.rights = INNER_RIGHTS_ALL,
		.width = 1920,
		.height = 1080,
		.host_name = "会社のPC"};
	must(!secret_random(grant.pair_psk, sizeof(grant.pair_psk)), "no random");
	tunnel_admit(host.tunnel, REASON_NONE, &grant);
}

static int paired(void *ctx UNUSED, const struct tunnel_paired *told)
{
	say('P', told->pair_psk, INNER_KEY);
	return 0;
}

static void send_back(enum seal_lane lane)
{
	struct buf *echo = &host.echo[lane];
	size_t sent = tunnel_write(host.tunnel, lane, buf_head(echo), buf_len(echo));
	buf_drain(echo, sent);
}

static void on_bytes(void *ctx UNUSED, enum seal_lane lane, const uint8_t *bytes,
	size_t len)
{
	enum seal_lane to = lane == SEAL_INPUT ? SEAL_PICTURE : lane;
	must(!buf_append(&host.echo[to], bytes, len), "no memory");
	tunnel_consumed(host.tunnel, lane, len);
	send_back(to);
}

static void on_room(void *ctx UNUSED, enum seal_lane lane)
{
	send_back(lane);
}

static void on_message(void *ctx UNUSED, const struct inner_message *message)
{
	if (message->kind != INNER_RFB_OPEN)
		return;
	struct inner_message answer = {.kind = INNER_RFB_OPENED};
	answer.rfb_opened.id = message->rfb_open.id;
	answer.rfb_opened.picture_offset = message->rfb_open.input_offset;
	must(!tunnel_message(host.tunnel, &answer), "no room for a message");
}

static void on_ended(void *ctx UNUSED, int reason, enum tunnel_end how UNUSED)
{
	say_reason('Z', reason);
}

static const struct tunnel_events events = {
	.find_psk = find_psk,
	.accept = accept_viewer,
	.admit = admit,
	.paired = paired,
	.bytes = on_bytes,
	.room = on_room,
	.message = on_message,
	.ended = on_ended,
};

static void start(void)
{
	const struct tunnel_config config = {.side = SEAL_HOST,
		.identity = host.identity,
		.license = LICENSE,
		.features = INNER_FEATURE_CLIPBOARD_LANE,
		.grace_ms = 60000};
	must(!tunnel_new(&host.tunnel, host.base, &config, &events, NULL), "no tunnel");
	say('K', identity_tunnel_public(host.identity), INNER_KEY);
}

static void open_leg(struct cursor *cursor)
{
	const uint8_t *session;
	uint64_t fence;
	uint8_t purpose;
	uint32_t ticket;
	must(!cursor_bytes(cursor, 16, &session) && !cursor_u64(cursor, &fence) &&
			!cursor_u8(cursor, &purpose) && !cursor_u32(cursor, &ticket),
		"half an OPEN");
	struct message_open open = {.fence = fence,
		.purpose = purpose,
		.psk_kind = purpose == PROLOGUE_PAIRING ? PROLOGUE_PSK_TICKET
							: PROLOGUE_PSK_PAIR,
		.ticket = ticket,
		.viewer_min = 1,
		.viewer_max = 1,
		.host_min = 1,
		.host_max = 1};
	memcpy(open.session, session, sizeof(open.session));
	int rc = tunnel_open(host.tunnel, &carrier, NULL, &open);
	if (rc)
		say_reason('Z', -rc);
}

static void obey(uint8_t kind, const uint8_t *payload, size_t len)
{
	struct cursor cursor = cursor_of(payload, len);
	uint16_t reason;
	if (kind == 'O')
		open_leg(&cursor);
	else if (kind == 'C') {
		tunnel_cut(host.tunnel, REASON_PEER_LOST);
		say('C', NULL, 0);
	} else if (kind == 'X' && !cursor_u16(&cursor, &reason))
		tunnel_close(host.tunnel, reason);
	else if (kind == 'D' && len <= sizeof(host.record)) {
		static uint8_t record[SEAL_RECORD_MAX];
		memcpy(record, payload, len);
		tunnel_data(host.tunnel, record, len);
	}
}

static void on_input(evutil_socket_t fd, short what UNUSED, void *arg UNUSED)
{
	uint8_t bytes[65536];
	ssize_t got = read(fd, bytes, sizeof(bytes));
	if (got <= 0) {
		event_base_loopbreak(host.base);
		return;
	}
	must(!buf_append(&host.in, bytes, (size_t)got), "too much at once");
	while (buf_len(&host.in) >= HEAD) {
		const uint8_t *head = buf_head(&host.in);
		size_t len = (size_t)head[1] << 24 | (size_t)head[2] << 16 |
			     (size_t)head[3] << 8 | head[4];
		if (buf_len(&host.in) < HEAD + len)
			return;
		obey(head[0], head + HEAD, len);
		buf_drain(&host.in, HEAD + len);
	}
}

int main(int argc, char **argv)
{
	must(argc == 2, "tunnel_host STATE-DIRECTORY");
	log_open("tunnel_host", 2, LOG_TEXT, LOG_WARN);
	buf_init(&host.in, 64 << 20);
	for (int lane = 0; lane < SEAL_LANES; lane++)
		buf_init(&host.echo[lane], 64 << 20);
	host.base = event_base_new();
	must(host.base && !identity_open(argv[1], &host.identity), "no identity");
	start();
	struct event *input =
		event_new(host.base, 0, EV_READ | EV_PERSIST, on_input, NULL);
	must(input && !event_add(input, NULL), "no input");
	event_base_dispatch(host.base);
	event_free(input);
	tunnel_free(host.tunnel);
	for (int lane = 0; lane < SEAL_LANES; lane++)
		buf_done(&host.echo[lane]);
	buf_done(&host.in);
	identity_free(host.identity);
	event_base_free(host.base);
	return 0;
}
