#include "fakes/fake_end.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/reason.h"
#include "net/conn.h"
#include "net/conn_mem.h"
#include "wire/frame.h"
#include "wire/proof.h"
#include "wire/session_id.h"

#define WAITING_MAX (80 << 20)

static EVP_PKEY *key_of(const uint8_t seed[static 32])
{
	EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, 32);
	CHECK(key);
	return key;
}

static void public_key(const uint8_t seed[static 32], uint8_t ret[static 32])
{
	size_t len = 32;
	EVP_PKEY *key = key_of(seed);
	CHECK(EVP_PKEY_get_raw_public_key(key, ret, &len) == 1 && len == 32);
	EVP_PKEY_free(key);
}

static void sign(const uint8_t seed[static 32], const void *bytes, size_t len,
	uint8_t ret[static 64])
{
	size_t size = 64;
	EVP_PKEY *key = key_of(seed);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	CHECK(ctx && EVP_DigestSignInit(ctx, NULL, NULL, NULL, key) == 1);
	CHECK(EVP_DigestSign(ctx, ret, &size, bytes, len) == 1 && size == 64);
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(key);
}

void fake_end_init(struct fake_end *end, enum hello_side side, const char *license,
	int device)
{
	*end = (struct fake_end){.side = side, .gen_min = 1, .gen_max = 1};
	snprintf(end->license, sizeof(end->license), "%s", license);
	snprintf(end->name, sizeof(end->name), "%s-%d", hello_side_name(side), device);
	strcpy(end->kind, "native");
	memset(end->seed, device, sizeof(end->seed));
	public_key(end->seed, end->device);
	buf_init(&end->in, WAITING_MAX);
}

/* ---- saying ------------------------------------------------------------------------------ */

void fake_end_raw(struct fake_end *end, const void *bytes, size_t len)
{
	if (end->is_tls)
		tls_end_send(&end->tls, bytes, len);
	else if (end->conn && conn_write(end->conn, bytes, len))
		end->gone = 1;
}

static void say(struct fake_end *end, int rc, struct buf *out)
{
	CHECK(!rc);
	fake_end_raw(end, buf_head(out), buf_len(out));
	buf_done(out);
}

void fake_end_hello(struct fake_end *end)
{
	struct message_hello hello = {.gen_min = (uint64_t)end->gen_min,
		.gen_max = (uint64_t)end->gen_max,
		.app_min = 1,
		.app_max = 1};
	struct buf out;
	strcpy(hello.side, hello_side_name(end->side));
	strcpy(hello.license, end->license);
	strcpy(hello.kind, end->kind);
	strcpy(hello.program, "fake_end 1");
	strcpy(hello.name, end->name);
	strcpy(hello.unreached, end->unreached);
	memcpy(hello.device, end->device, sizeof(hello.device));
	buf_init(&out, FRAME_MAX);
	say(end, message_hello_write(&hello, &out), &out);
}

void fake_end_prove(struct fake_end *end, const char *password)
{
	struct message_prove prove = {0};
	struct buf out;
	memset(prove.signature, 7, sizeof(prove.signature));
	memset(prove.secret, 8, sizeof(prove.secret));
	snprintf(prove.password, sizeof(prove.password), "%s", password ? password : "");
	buf_init(&out, FRAME_MAX);
	say(end, message_prove_write(&prove, &out), &out);
}

void fake_end_connect(struct fake_end *end, const char *resume)
{
	struct message_connect connect = {.purpose = 1, .psk_kind = 2};
	struct buf out;
	if (resume) {
		snprintf(connect.resume, sizeof(connect.resume), "%s", resume);
		connect.fence = end->open.fence;
	}
	buf_init(&out, FRAME_MAX);
	say(end, message_connect_write(&connect, &out), &out);
}

void fake_end_data(struct fake_end *end, size_t len)
{
	static const uint8_t zeros[FRAME_DATA_MAX];
	uint8_t head[FRAME_HEADER + 4];
	CHECK(len >= 16 && len <= FRAME_DATA_MAX);
	uint32_t number = end->next_sent++;
	frame_header(head, FRAME_DATA, (uint32_t)len);
	for (int i = 0; i < 4; i++)
		head[FRAME_HEADER + i] = (uint8_t)(number >> (24 - 8 * i));
	fake_end_raw(end, head, sizeof(head));
	fake_end_raw(end, zeros, len - 4);
	end->sent += len;
}

void fake_end_close(struct fake_end *end, enum fake_close what, int reason)
{
	struct message_close message = {.reason = (uint64_t)reason};
	struct buf out;
	strcpy(message.symbol, reason_symbol(reason));
	if (what == FAKE_CLOSE_SESSION)
		strcpy(message.session, fake_end_session(end));
	buf_init(&out, FRAME_MAX);
	say(end, message_close_write(&message, &out), &out);
}

static void sign_receipt(const struct fake_end *end, struct message_receipt *receipt)
{
	struct proof_receipt proof = {.fence = receipt->fence,
		.side = end->side == HELLO_HOST ? PROOF_HOST : PROOF_VIEWER,
		.bytes_sent = receipt->sent,
		.bytes_received = receipt->received,
		.reason = (uint16_t)receipt->reason};
	uint8_t bytes[PROOF_RECEIPT_BYTES], seed[32];
	memcpy(proof.session, receipt->session, sizeof(proof.session));
	memcpy(seed, end->seed, sizeof(seed));
	seed[0] ^= (uint8_t) !!end->forge;
	proof_receipt_bytes(&proof, bytes);
	sign(seed, bytes, sizeof(bytes), receipt->signature);
}

void fake_end_receipt(struct fake_end *end)
{
	struct message_receipt receipt = {.fence = end->open.fence,
		.sent = end->sent + (uint64_t)end->lie,
		.received = end->received + (uint64_t)end->lie,
		.reason = end->close.reason};
	struct buf out;
	memcpy(receipt.session, end->open.session, sizeof(receipt.session));
	sign_receipt(end, &receipt);
	receipt.sent += (uint64_t)end->bend;
	buf_init(&out, FRAME_MAX);
	say(end, message_receipt_write(&receipt, &out), &out);
}

const char *fake_end_session(const struct fake_end *end)
{
	static char text[SESSION_ID_TEXT];
	session_id_text(end->open.session, text);
	return text;
}

/* ---- hearing ----------------------------------------------------------------------------- */

static void hear_data(struct fake_end *end, const struct frame *frame)
{
	uint32_t number = 0;
	for (uint32_t i = 0; i < 4 && i < frame->len; i++)
		number = number << 8 | frame->payload[i];
	end->out_of_order += number != end->next_received++;
	end->received += frame->len;
	end->frames++;
}

static void hear_close(struct fake_end *end, const struct frame *frame)
{
	CHECK(!message_close_parse(frame->payload, frame->len, &end->close));
	if (end->close.session[0]) {
		end->closes++;
		if (!end->no_receipts && !end->mute)
			fake_end_receipt(end);
	} else {
		end->leg_closes++;
	}
}

static void hear_open(struct fake_end *end, const struct frame *frame)
{
	CHECK(!message_open_parse(frame->payload, frame->len, &end->open));
	end->opens++;
	end->sent = end->received = end->frames = 0;
	end->next_sent = end->next_received = 0;
}

static void hear_ping(struct fake_end *end, const struct frame *frame)
{
	uint8_t pong[FRAME_HEADER + 8];
	end->pings++;
	if (end->mute)
		return;
	frame_header(pong, FRAME_PONG, 8);
	memcpy(pong + FRAME_HEADER, frame->payload, 8);
	fake_end_raw(end, pong, sizeof(pong));
}

static void hear(struct fake_end *end, const struct frame *frame)
{
	switch (frame->type) {
	case FRAME_CHALLENGE:
		CHECK(!message_challenge_parse(frame->payload, frame->len,
			&end->challenge));
		end->challenged++;
		break;
	case FRAME_WELCOME:
		CHECK(!message_welcome_parse(frame->payload, frame->len, &end->welcome));
		end->welcomed++;
		break;
	case FRAME_REFUSED:
		CHECK(!message_refused_parse(frame->payload, frame->len, &end->refused));
		end->refusals++;
		break;
	case FRAME_OPEN:
		hear_open(end, frame);
		break;
	case FRAME_CLOSE:
		hear_close(end, frame);
		break;
	case FRAME_NOTICE:
		CHECK(!message_notice_parse(frame->payload, frame->len, &end->notice));
		end->notices++;
		break;
	case FRAME_POLICY:
		CHECK(!message_policy_parse(frame->payload, frame->len, &end->policy));
		end->policies++;
		break;
	case FRAME_NOTICES:
		CHECK(!message_notices_parse(frame->payload, frame->len, &end->board));
		end->noted++;
		break;
	case FRAME_PING:
		hear_ping(end, frame);
		break;
	case FRAME_DATA:
		hear_data(end, frame);
		break;
	default:
		CHECK(frame->type == FRAME_PONG);
	}
}

void fake_end_feed(struct fake_end *end, const uint8_t *bytes, size_t len)
{
	struct frame frame;
	int rc;
	CHECK(!buf_append(&end->in, bytes, len));
	while ((rc = frame_parse(buf_head(&end->in), buf_len(&end->in), &frame)) == 1) {
		hear(end, &frame);
		buf_drain(&end->in, frame_size(&frame));
	}
	CHECK(rc == 0);
}

/* ---- transport --------------------------------------------------------------------------- */

static size_t on_bytes(void *ctx, const uint8_t *bytes, size_t len)
{
	fake_end_feed(ctx, bytes, len);
	return len;
}

static void on_room(void *ctx)
{
	(void)ctx;
}

static void on_closed(void *ctx, int reason)
{
	struct fake_end *end = ctx;
	end->gone = 1;
	end->gone_reason = reason;
	end->conn = NULL;
}

void fake_end_on_conn(struct fake_end *end, struct conn *conn)
{
	static const struct conn_events events = {on_bytes, on_room, on_closed};
	end->conn = conn;
	conn_listen(conn, &events, end);
}

void fake_end_on_tls(struct fake_end *end, uint16_t port)
{
	end->is_tls = 1;
	tls_end_dial(&end->tls, port, HELLO_ALPN);
}

void fake_end_pump(struct fake_end *end)
{
	if (!end->is_tls)
		return;
	tls_end_pump(&end->tls);
	size_t len = buf_len(&end->tls.in);
	if (len) {
		fake_end_feed(end, buf_head(&end->tls.in), len);
		buf_drain(&end->tls.in, len);
	}
	end->gone = end->tls.over || end->tls.lost;
}

void fake_end_vanish(struct fake_end *end)
{
	if (end->is_tls)
		tls_end_done(&end->tls);
	else if (end->conn)
		conn_mem_cut(end->conn);
}

void fake_end_done(struct fake_end *end)
{
	if (end->is_tls)
		tls_end_done(&end->tls);
	else if (end->conn)
		conn_close(end->conn, REASON_LEG_CLOSED, CONN_DROP);
	buf_done(&end->in);
}
