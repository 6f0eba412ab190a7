/* What OpenSSL opens, and what the receiver leaves of it. */
#include <openssl/err.h>
#include <string.h>

#include "base/reason.h"
#include "base/secret.h"
#include "net/conn_tls_inside.h"

/* No receiver leaves more than one frame; with what one turn opens it fits the read scratch. Only a
 * conn that was paused or held in the middle of a turn keeps more, and it is not read meanwhile. */
#define REST_MAX (96 * 1024)

int conn_tls_read_why(struct conn_tls *conn, int result)
{
	int error = SSL_get_error(conn->ssl, result);
	if (conn->flooded)
		return REASON_PROTOCOL;
	if (error == SSL_ERROR_ZERO_RETURN)
		return REASON_LEG_CLOSED;
	if (conn->lost || error == SSL_ERROR_SYSCALL)
		return REASON_PEER_LOST;
	return REASON_TLS_FAILED;
}

static void keep_rest(struct conn_tls *conn, const uint8_t *bytes, size_t len)
{
	buf_drain(&conn->rest, buf_len(&conn->rest));
	if (!len)
		buf_release(&conn->rest);
	else if (buf_append(&conn->rest, bytes, len))
		conn_tls_die(conn, REASON_NO_MEMORY);
}

/* `bytes` begins with what was left over before. */
static void show(struct conn_tls *conn, uint8_t *bytes, size_t len)
{
	size_t used = 0;
	int wipe = !conn->conn.bulk;
	if (!conn->paused && !conn->held && conn->conn.events) {
		used = conn->conn.events->bytes(conn->conn.ctx, bytes, len);
		CHECK(used <= len);
	}
	if (conn->state == OPEN)
		keep_rest(conn, bytes + used, len - used);
	if (wipe)
		secret_wipe(bytes, len);
}

void conn_tls_read_turn(struct conn_tls *conn)
{
	uint8_t *scratch = worker_read_scratch(conn->conn.worker);
	size_t rest = buf_len(&conn->rest), len = rest, got;
	int result;
	if (rest > REST_MAX) {
		conn_tls_die(conn, REASON_PROTOCOL);
		return;
	}
	if (rest)
		memcpy(scratch, buf_head(&conn->rest), rest);
	if (conn->conn.bulk)
		SSL_clear_options(conn->ssl, SSL_OP_CLEANSE_PLAINTEXT);
	ERR_clear_error();
	while ((result = SSL_read_ex(conn->ssl, scratch + len, WORKER_SCRATCH - len,
			&got)) == 1)
		len += got;
	int over = SSL_get_error(conn->ssl, result) != SSL_ERROR_WANT_READ;
	int reason = over ? conn_tls_read_why(conn, result) : 0;
	ERR_clear_error();
	conn->conn.bytes_in += len - rest;
	if (len > rest)
		show(conn, scratch, len);
	if (over && conn->state == OPEN)
		conn_tls_die(conn, reason);
}

static void show_again(struct post_item *item)
{
	struct conn_tls *conn =
		(struct conn_tls *)((char *)item - offsetof(struct conn_tls, again));
	CHECK_OBJ(&conn->conn, CONN_TLS_MAGIC);
	conn->again_due = 0;
	size_t len = buf_len(&conn->rest);
	if (conn->state != OPEN || conn->paused || conn->held || !len)
		return;
	uint8_t *scratch = worker_read_scratch(conn->conn.worker);
	memcpy(scratch, buf_head(&conn->rest), len);
	show(conn, scratch, len);
}

void conn_tls_read_rest_soon(struct conn_tls *conn)
{
	if (conn->again_due || !buf_len(&conn->rest))
		return;
	conn->again_due = 1;
	conn->again.run = show_again;
	worker_defer(conn->conn.worker, &conn->again);
}
