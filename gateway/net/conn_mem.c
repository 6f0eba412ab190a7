#include "net/conn_mem.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/reason.h"
#include "base/secret.h"
#include "base/text.h"
#include "net/conn.h"
#include "net/worker.h"

#define CONN_MEM_MAGIC 0x636d656du
#define TAKE_MAX (96 * 1024) /* from the wire in one turn, as conn_tls takes its share */
#define REST_MAX WORKER_SCRATCH

/* One direction or one end; the line between them is shared and locked. */
struct conn_mem {
	struct conn conn; /* first */
	struct line *line;
	int side;
	uint8_t paused, held, told, closing, room_wanted;
	int reason;
	struct buf rest;
	struct post_item turn, again, death;
	uint8_t again_due, death_due;
	/* of the line, under its lock */
	struct buf arrives; /* bytes on the way to this end */
	uint8_t turn_due, finished, lost;
};

struct line {
	pthread_mutex_t lock;
	int users;
	uint8_t exporter[32];
	struct conn_mem *ends[2]; /* NULL once it is gone */
};

static const struct conn_vtable vtable;

static struct conn_mem *conn_mem_of(const struct conn *base)
{
	struct conn_mem *conn = (struct conn_mem *)base;
	CHECK_OBJ(&conn->conn, CONN_MEM_MAGIC);
	return conn;
}

/* Under the lock: lets the end look at the line in its worker's next turn. */
static void wake(struct conn_mem *conn)
{
	if (!conn || conn->turn_due || conn->held == 2)
		return;
	conn->turn_due = 1;
	post_put(worker_box(conn->conn.worker), &conn->turn);
}

static struct conn_mem *peer_of(const struct conn_mem *conn)
{
	return conn->line->ends[!conn->side];
}

static void leave_line(struct conn_mem *conn)
{
	struct line *line = conn->line;
	pthread_mutex_lock(&line->lock);
	line->ends[conn->side] = NULL;
	struct conn_mem *peer = line->ends[!conn->side];
	if (peer) {
		peer->finished = 1;
		wake(peer);
	}
	int users = --line->users;
	pthread_mutex_unlock(&line->lock);
	if (!users) {
		pthread_mutex_destroy(&line->lock);
		free(line);
	}
}

static void release(struct conn_mem *conn)
{
	buf_done(&conn->rest);
	buf_done(&conn->arrives);
	conn->conn.magic = 0;
	free(conn);
}

static void tell_end(struct post_item *item)
{
	struct conn_mem *conn =
		(struct conn_mem *)((char *)item - offsetof(struct conn_mem, death));
	CHECK_OBJ(&conn->conn, CONN_MEM_MAGIC);
	pthread_mutex_lock(&conn->line->lock);
	int due = conn->turn_due;
	pthread_mutex_unlock(&conn->line->lock);
	if (due) { /* its box still holds a turn of this end: that one comes first */
		conn->death_due = 2;
		return;
	}
	leave_line(conn);
	conn->told = 1;
	if (conn->conn.events)
		conn->conn.events->closed(conn->conn.ctx, conn->reason);
	if (!conn->held)
		release(conn);
}

static void die(struct conn_mem *conn, int reason)
{
	if (conn->death_due)
		return;
	if (!conn->closing)
		conn->reason = reason;
	conn->death_due = 1;
	conn->closing = 1;
	conn->death.run = tell_end;
	worker_defer(conn->conn.worker, &conn->death);
}

static void show(struct conn_mem *conn, const uint8_t *bytes, size_t len)
{
	size_t used = 0;
	if (!conn->paused && !conn->held && conn->conn.events) {
		used = conn->conn.events->bytes(conn->conn.ctx, bytes, len);
		CHECK(used <= len);
	}
	if (conn->closing)
		return;
	buf_drain(&conn->rest, buf_len(&conn->rest));
	if (len == used)
		buf_release(&conn->rest);
	else if (buf_append(&conn->rest, bytes + used, len - used))
		die(conn, REASON_PROTOCOL);
}

static void take_bytes(struct conn_mem *conn)
{
	uint8_t *scratch = worker_read_scratch(conn->conn.worker);
	size_t rest = buf_len(&conn->rest);
	if (rest)
		memcpy(scratch, buf_head(&conn->rest), rest);
	pthread_mutex_lock(&conn->line->lock);
	size_t len = buf_len(&conn->arrives);
	if (len > TAKE_MAX)
		len = TAKE_MAX;
	if (len)
		memcpy(scratch + rest, buf_head(&conn->arrives), len);
	buf_drain(&conn->arrives, len);
	if (buf_len(&conn->arrives) || conn->finished)
		wake(conn); /* for the rest, or to be told the end */
	if (!buf_len(&conn->arrives))
		buf_release(&conn->arrives);
	if (len)
		wake(peer_of(conn)); /* there may be room again, or all may have left */
	pthread_mutex_unlock(&conn->line->lock);
	conn->conn.bytes_in += len;
	if (len)
		show(conn, scratch, rest + len);
}

static size_t conn_mem_queued(const struct conn *base)
{
	const struct conn_mem *conn = conn_mem_of(base);
	pthread_mutex_lock(&conn->line->lock);
	struct conn_mem *peer = peer_of(conn);
	size_t queued = peer ? buf_len(&peer->arrives) : 0;
	pthread_mutex_unlock(&conn->line->lock);
	return queued;
}

static void on_turn(struct post_item *item)
{
	struct conn_mem *conn =
		(struct conn_mem *)((char *)item - offsetof(struct conn_mem, turn));
	CHECK_OBJ(&conn->conn, CONN_MEM_MAGIC);
	pthread_mutex_lock(&conn->line->lock);
	conn->turn_due = 0;
	int lost = conn->lost;
	int over = conn->finished && !buf_len(&conn->arrives);
	pthread_mutex_unlock(&conn->line->lock);
	if (conn->death_due) {
		if (conn->death_due == 2)
			worker_defer(conn->conn.worker, &conn->death);
		return;
	}
	size_t queued = conn_mem_queued(&conn->conn);
	if (lost || (conn->closing && !queued)) {
		die(conn, REASON_PEER_LOST);
		return;
	}
	if (conn->room_wanted && queued <= CONN_LOW) {
		conn->room_wanted = 0;
		if (conn->conn.events && !conn->closing && !conn->held)
			conn->conn.events->room(conn->conn.ctx);
	}
	if (conn->closing || conn->paused || conn->held)
		return;
	if (over)
		die(conn, REASON_LEG_CLOSED);
	else
		take_bytes(conn);
}

static int conn_mem_write(struct conn *base, const uint8_t *bytes, size_t len)
{
	struct conn_mem *conn = conn_mem_of(base);
	int rc = 0;
	CHECK(!conn->held);
	if (conn->closing)
		return -REASON_LEG_CLOSED;
	pthread_mutex_lock(&conn->line->lock);
	struct conn_mem *peer = peer_of(conn);
	if (peer && !peer->lost) {
		rc = buf_append(&peer->arrives, bytes, len);
		if (!rc)
			wake(peer);
		if (buf_len(&peer->arrives) > CONN_HIGH)
			conn->room_wanted = 1;
	}
	pthread_mutex_unlock(&conn->line->lock);
	if (!rc)
		base->bytes_out += len;
	return rc;
}

static void show_again(struct post_item *item)
{
	struct conn_mem *conn =
		(struct conn_mem *)((char *)item - offsetof(struct conn_mem, again));
	CHECK_OBJ(&conn->conn, CONN_MEM_MAGIC);
	conn->again_due = 0;
	size_t len = buf_len(&conn->rest);
	if (conn->closing || conn->paused || conn->held || !len)
		return;
	uint8_t *scratch = worker_read_scratch(conn->conn.worker);
	memcpy(scratch, buf_head(&conn->rest), len);
	show(conn, scratch, len);
}

/* What was left over first, then what has arrived meanwhile. */
static void go_on(struct conn_mem *conn)
{
	if (!conn->again_due && buf_len(&conn->rest)) {
		conn->again_due = 1;
		conn->again.run = show_again;
		worker_defer(conn->conn.worker, &conn->again);
	}
	pthread_mutex_lock(&conn->line->lock);
	wake(conn);
	pthread_mutex_unlock(&conn->line->lock);
}

static void conn_mem_pause(struct conn *base)
{
	conn_mem_of(base)->paused = 1;
}

static void conn_mem_resume(struct conn *base)
{
	struct conn_mem *conn = conn_mem_of(base);
	if (!conn->paused || conn->closing)
		return;
	conn->paused = 0;
	if (!conn->held)
		go_on(conn);
}

static void conn_mem_close(struct conn *base, int reason, enum conn_flush flush)
{
	struct conn_mem *conn = conn_mem_of(base);
	if (!conn->closing)
		conn->reason = reason;
	conn->closing = 1;
	if (flush == CONN_DROP || !conn_mem_queued(base))
		die(conn, reason);
}

static int conn_mem_exporter(struct conn *base, uint8_t ret[static 32])
{
	memcpy(ret, conn_mem_of(base)->line->exporter, 32);
	return 0;
}

static void conn_mem_hold(struct conn *base)
{
	conn_mem_of(base)->held = 1;
}

static int conn_mem_detach(struct conn *base)
{
	struct conn_mem *conn = conn_mem_of(base);
	if (conn->told) {
		release(conn);
		return -REASON_PEER_LOST;
	}
	if (conn->closing) {
		conn->held = 0;
		return -REASON_PEER_LOST;
	}
	pthread_mutex_lock(&conn->line->lock);
	int due = conn->turn_due;
	if (!due)
		conn->held = 2; /* no new turn may enter the old worker's box */
	pthread_mutex_unlock(&conn->line->lock);
	return due ? -REASON_BUSY : 0;
}

static void conn_mem_attach(struct conn *base, struct worker *worker)
{
	struct conn_mem *conn = conn_mem_of(base);
	pthread_mutex_lock(&conn->line->lock);
	base->worker = worker;
	conn->held = 0;
	pthread_mutex_unlock(&conn->line->lock);
	if (!conn->paused)
		go_on(conn);
}

static const struct conn_vtable vtable = {
	.write = conn_mem_write,
	.queued = conn_mem_queued,
	.pause = conn_mem_pause,
	.resume = conn_mem_resume,
	.close = conn_mem_close,
	.exporter = conn_mem_exporter,
	.hold = conn_mem_hold,
	.detach = conn_mem_detach,
	.attach = conn_mem_attach,
};

static struct conn_mem *new_end(struct worker *worker, struct line *line, int side)
{
	struct conn_mem *conn = calloc(1, sizeof(*conn));
	if (!conn)
		return NULL;
	conn->conn = (struct conn){CONN_MEM_MAGIC, &vtable, .worker = worker};
	conn->line = line;
	conn->side = side;
	conn->turn.run = on_turn;
	buf_init(&conn->rest, REST_MAX);
	buf_init(&conn->arrives, CONN_HARD);
	line->ends[side] = conn;
	line->users++;
	return conn;
}

int conn_mem_pair(struct worker *worker_a, struct worker *worker_b,
	const char *address_of_a, struct conn **ret_a, struct conn **ret_b)
{
	struct line *line = calloc(1, sizeof(*line));
	if (!line)
		return -REASON_NO_MEMORY;
	pthread_mutex_init(&line->lock, NULL);
	struct conn_mem *a = new_end(worker_a, line, 0);
	struct conn_mem *b = new_end(worker_b, line, 1);
	if (!a || !b || secret_random(line->exporter, sizeof(line->exporter))) {
		free(a);
		free(b);
		free(line);
		return -REASON_NO_MEMORY;
	}
	/* An end shows the address of its peer. */
	text_clip(b->conn.address, CONN_ADDRESS, address_of_a);
	text_clip(a->conn.address, CONN_ADDRESS, "node");
	*ret_a = &a->conn;
	*ret_b = &b->conn;
	return 0;
}

void conn_mem_cut(struct conn *base)
{
	struct line *line = conn_mem_of(base)->line;
	pthread_mutex_lock(&line->lock);
	for (int i = 0; i < 2; i++) {
		if (!line->ends[i])
			continue;
		line->ends[i]->lost = 1;
		wake(line->ends[i]);
	}
	pthread_mutex_unlock(&line->lock);
}
