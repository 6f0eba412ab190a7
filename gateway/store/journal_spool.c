#include "store/journal_spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cursor.h"
#include "base/log.h"
#include "base/reason.h"
#include "metrics/metrics.h"
#include "store/journal_chain.h"
#include "store/state.h"

#define SPOOL_MAGIC 0x53706f6f
#define ROW_MAGIC 0x456e5352u
#define ROW_HEAD 32 /* magic, kind, end of group, lengths, place, number, time */
#define ROW_MAX                                                                          \
	(ROW_HEAD + STATE_TENANT_MAX + STATE_ID_MAX + JOURNAL_BOX_MAX +                  \
		JOURNAL_SERIES_MAX + JOURNAL_HASH)
#define ROW_TEXTS 4 /* each with a NUL in memory */

struct journal_spool {
	uint32_t magic;
	int file, lock;
	char *node;
	uint64_t max, size;              /* bytes in the file */
	uint64_t read;                   /* where the oldest row that waits begins */
	uint64_t last;                   /* highest number */
	uint64_t waiting;                /* rows from `read` on */
	uint8_t end_hash[JOURNAL_HASH];  /* of the last row in the file */
	uint8_t read_hash[JOURNAL_HASH]; /* of the row before `read` */
	/* what the last peek gave out */
	uint8_t *bytes;
	struct journal_row *rows;
	size_t *sizes, count;
	char *text;
};

static int say(int r, char error[static JOURNAL_SPOOL_ERROR], const char *path,
	const char *what)
{
	snprintf(error, JOURNAL_SPOOL_ERROR, "%.150s: %.90s", path, what);
	return r;
}

static int say_errno(int fallback, char error[static JOURNAL_SPOOL_ERROR],
	const char *path)
{
	int full = errno == ENOSPC || errno == EDQUOT;
	return say(full ? -REASON_DISK_FULL : fallback, error, path,
		strerrordesc_np(errno));
}

/* One row as it lies in the file; its strings point into `at`. */
struct record {
	struct journal_row row;
	const uint8_t *tenant, *license, *body, *series;
	size_t tenant_len, license_len, body_len, series_len, size;
	int ends_group;
};

/* 0, or -REASON_BAD_MESSAGE when there is no whole record. */
static int read_head(struct cursor *cursor, struct record *ret)
{
	uint32_t magic, body;
	uint64_t at_ms;
	uint16_t unused;
	uint8_t kind, ends_group, tenant, license, place, series;
	if (cursor_u32(cursor, &magic) || cursor_u8(cursor, &kind) ||
		cursor_u8(cursor, &ends_group) || cursor_u8(cursor, &tenant) ||
		cursor_u8(cursor, &license) || cursor_u32(cursor, &body) ||
		cursor_u16(cursor, &unused) || cursor_u8(cursor, &place) ||
		cursor_u8(cursor, &series) || cursor_u64(cursor, &ret->row.seq) ||
		cursor_u64(cursor, &at_ms))
		return -REASON_BAD_MESSAGE;
	if (magic != ROW_MAGIC || unused || kind >= JOURNAL_KINDS || ends_group > 1 ||
		tenant > STATE_TENANT_MAX || license > STATE_ID_MAX ||
		body > JOURNAL_BOX_MAX || place > JOURNAL_LAST ||
		series > JOURNAL_SERIES_MAX)
		return -REASON_BAD_MESSAGE;
	ret->row.kind = (enum journal_kind)kind;
	ret->row.at_ms = (int64_t)at_ms;
	ret->ends_group = ends_group;
	ret->tenant_len = tenant;
	ret->license_len = license;
	ret->body_len = body;
	ret->row.place = place;
	ret->series_len = series;
	return 0;
}

static int read_record(const uint8_t *at, size_t len, struct record *ret)
{
	struct cursor cursor = cursor_of(at, len);
	struct record record = {0};
	const uint8_t *hash;
	int r = read_head(&cursor, &record);
	if (r)
		return r;
	if (cursor_bytes(&cursor, record.tenant_len, &record.tenant) ||
		cursor_bytes(&cursor, record.license_len, &record.license) ||
		cursor_bytes(&cursor, record.body_len, &record.body) ||
		cursor_bytes(&cursor, record.series_len, &record.series) ||
		cursor_bytes(&cursor, JOURNAL_HASH, &hash))
		return -REASON_BAD_MESSAGE;
	memcpy(record.row.hash, hash, JOURNAL_HASH);
	record.size = len - cursor_left(&cursor);
	*ret = record;
	return 0;
}

static const char *take_text(char **at, const uint8_t *bytes, size_t len)
{
	char *text = *at;
	memcpy(text, bytes, len);
	text[len] = 0;
	*at += len + 1;
	return text;
}

/* Gives the row its strings (at `text`) and checks it against `previous`, which then is its own.
 * -REASON_STATE_DAMAGED, -REASON_NO_MEMORY. */
static int finish_row(const struct journal_spool *spool, struct record *record,
	char **text, uint8_t previous[static JOURNAL_HASH])
{
	uint8_t hash[JOURNAL_HASH];
	struct journal_row *row = &record->row;
	row->tenant = take_text(text, record->tenant, record->tenant_len);
	row->license = take_text(text, record->license, record->license_len);
	row->body = take_text(text, record->body, record->body_len);
	row->series = take_text(text, record->series, record->series_len);
	row->node = spool->node;
	int r = journal_chain_hash(previous, row, hash);
	if (r)
		return r;
	if (memcmp(hash, row->hash, JOURNAL_HASH))
		return -REASON_STATE_DAMAGED;
	memcpy(previous, hash, JOURNAL_HASH);
	return 0;
}

/* A walk over the whole file at open: where its last whole group ends. */
struct scan {
	uint64_t at, good;
	uint8_t hash[JOURNAL_HASH], good_hash[JOURNAL_HASH];
	uint64_t last, good_last;
	uint64_t rows, good_rows;
};

static int scan_step(const struct journal_spool *spool, struct scan *scan, uint8_t *bytes,
	char *text)
{
	struct record record;
	ssize_t got = pread(spool->file, bytes, ROW_MAX, (off_t)scan->at);
	if (got < 0)
		return -REASON_FILE_UNREADABLE;
	int r = read_record(bytes, (size_t)got, &record);
	if (r == 0)
		r = finish_row(spool, &record, &text, scan->hash);
	if (r)
		return r;
	if (scan->last && record.row.seq <= scan->last)
		return -REASON_STATE_DAMAGED;
	scan->at += record.size;
	scan->last = record.row.seq;
	scan->rows++;
	if (record.ends_group) {
		scan->good = scan->at;
		scan->good_last = scan->last;
		scan->good_rows = scan->rows;
		memcpy(scan->good_hash, scan->hash, JOURNAL_HASH);
	}
	return 0;
}

static int scan_file(struct journal_spool *spool)
{
	struct scan scan = {0};
	uint8_t *bytes = malloc(ROW_MAX);
	char *text = malloc(ROW_MAX + ROW_TEXTS);
	int r = bytes && text ? 0 : -REASON_NO_MEMORY;
	while (r == 0 && scan.at < spool->size)
		r = scan_step(spool, &scan, bytes, text);
	free(bytes);
	free(text);
	if (r == -REASON_NO_MEMORY || r == -REASON_FILE_UNREADABLE)
		return r;
	/* A whole first row that is not ours: another node's file, which must not be cut. */
	if (spool->size && !scan.at && r == -REASON_STATE_DAMAGED)
		return r;
	if (scan.good < spool->size) {
		log_line(LOG_WARN,
			"spool ends in a torn group, which nobody was promised",
			LOG_U("bytes", spool->size - scan.good));
		if (ftruncate(spool->file, (off_t)scan.good))
			return -REASON_FILE_UNWRITABLE;
		spool->size = scan.good;
	}
	spool->last = scan.good_last;
	spool->waiting = scan.good_rows;
	memcpy(spool->end_hash, scan.good_hash, JOURNAL_HASH);
	return 0;
}

/* For whoever watches the node: what waits here is lost with its disk. */
static void tell(const struct journal_spool *spool)
{
	metrics_set(METRIC_SPOOL_ROWS, (int64_t)spool->waiting);
	metrics_set(METRIC_SPOOL_BYTES, (int64_t)(spool->size - spool->read));
	metrics_set(METRIC_SPOOL_LIMIT, (int64_t)spool->max);
}

static int take_lock(struct journal_spool *spool, const char *path,
	char error[static JOURNAL_SPOOL_ERROR])
{
	spool->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (spool->lock < 0)
		return say_errno(-REASON_FILE_UNWRITABLE, error, path);
	if (flock(spool->lock, LOCK_EX | LOCK_NB))
		return say(-REASON_ALREADY_RUNNING, error, path,
			"another process has this spool open");
	return 0;
}

static int open_file(struct journal_spool *spool, const char *dir, const char *path,
	char error[static JOURNAL_SPOOL_ERROR])
{
	struct stat st;
	spool->file = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (spool->file < 0 || fstat(spool->file, &st))
		return say_errno(-REASON_FILE_UNWRITABLE, error, path);
	/* The name has to survive a power cut as well as what will be in it. */
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = fd < 0 || fsync(fd) ? say_errno(-REASON_FILE_UNWRITABLE, error, dir) : 0;
	if (fd >= 0)
		close(fd);
	if (r)
		return r;
	spool->size = (uint64_t)st.st_size;
	r = scan_file(spool);
	if (r == -REASON_STATE_DAMAGED)
		return say(r, error, path, "the rows in it are not this node's");
	return r ? say(r, error, path, reason_text(r, REASON_EN)) : 0;
}

int journal_spool_open(const char *dir, const char *node, uint64_t max_bytes,
	struct journal_spool **ret, char error[static JOURNAL_SPOOL_ERROR])
{
	char path[4096], lock[4096];
	if (snprintf(path, sizeof(path), "%s/journal.spool", dir) >= (int)sizeof(path) ||
		snprintf(lock, sizeof(lock), "%s/lock", dir) >= (int)sizeof(lock))
		return say(-REASON_CONFIG, error, dir, "the path is too long");
	if (mkdir(dir, 0700) && errno != EEXIST)
		return say_errno(-REASON_FILE_UNWRITABLE, error, dir);
	struct journal_spool *spool = calloc(1, sizeof(*spool));
	if (!spool)
		return say(-REASON_NO_MEMORY, error, dir,
			reason_text(REASON_NO_MEMORY, REASON_EN));
	*spool = (struct journal_spool){
		.magic = SPOOL_MAGIC, .file = -1, .lock = -1, .max = max_bytes};
	spool->node = strdup(node);
	int r = spool->node ? take_lock(spool, lock, error)
			    : say(-REASON_NO_MEMORY, error, dir,
				      reason_text(REASON_NO_MEMORY, REASON_EN));
	if (r == 0)
		r = open_file(spool, dir, path, error);
	if (r) {
		journal_spool_close(spool);
		return r;
	}
	tell(spool);
	*ret = spool;
	return 0;
}

static void forget_peek(struct journal_spool *spool)
{
	free(spool->bytes);
	free(spool->rows);
	free(spool->sizes);
	free(spool->text);
	spool->bytes = NULL;
	spool->rows = NULL;
	spool->sizes = NULL;
	spool->count = 0;
	spool->text = NULL;
}

struct journal_spool *journal_spool_close(struct journal_spool *spool)
{
	if (!spool)
		return NULL;
	CHECK_OBJ(spool, SPOOL_MAGIC);
	forget_peek(spool);
	if (spool->file >= 0)
		close(spool->file);
	if (spool->lock >= 0)
		close(spool->lock);
	free(spool->node);
	spool->magic = 0;
	free(spool);
	return NULL;
}

static int add_record(struct buf *buf, const struct journal_row *row, int ends_group)
{
	const char *of = row->series ? row->series : "";
	size_t tenant = strlen(row->tenant), license = strlen(row->license),
	       body = strlen(row->body), series = strlen(of);
	int bad = buf_put_u32(buf, ROW_MAGIC) || buf_put_u8(buf, (uint8_t)row->kind) ||
		  buf_put_u8(buf, (uint8_t)ends_group) ||
		  buf_put_u8(buf, (uint8_t)tenant) || buf_put_u8(buf, (uint8_t)license) ||
		  buf_put_u32(buf, (uint32_t)body) || buf_put_u16(buf, 0) ||
		  buf_put_u8(buf, (uint8_t)row->place) ||
		  buf_put_u8(buf, (uint8_t)series) || buf_put_u64(buf, row->seq) ||
		  buf_put_u64(buf, (uint64_t)row->at_ms) ||
		  buf_append(buf, row->tenant, tenant) ||
		  buf_append(buf, row->license, license) ||
		  buf_append(buf, row->body, body) || buf_append(buf, of, series) ||
		  buf_append(buf, row->hash, JOURNAL_HASH);
	return bad ? -REASON_NO_MEMORY : 0;
}

static int build_group(struct journal_spool *spool, uint64_t first,
	const struct journal_row *rows, size_t count, struct buf *buf,
	uint8_t hash[static JOURNAL_HASH])
{
	for (size_t i = 0; i < count; i++) {
		struct journal_row row = rows[i];
		row.seq = first + i;
		row.node = spool->node;
		int r = journal_chain_hash(hash, &row, row.hash);
		if (r == 0)
			r = add_record(buf, &row, i == count - 1);
		if (r)
			return r;
		memcpy(hash, row.hash, JOURNAL_HASH);
	}
	return 0;
}

static int write_group(struct journal_spool *spool, const uint8_t *bytes, size_t len)
{
	size_t done = 0;
	while (done < len) {
		ssize_t n = pwrite(spool->file, bytes + done, len - done,
			(off_t)(spool->size + done));
		if (n < 0 && errno != EINTR)
			break;
		done += n > 0 ? (size_t)n : 0;
	}
	if (done == len && fdatasync(spool->file) == 0)
		return 0;
	int r = errno == ENOSPC || errno == EDQUOT ? -REASON_DISK_FULL
						   : -REASON_FILE_UNWRITABLE;
	/* What is left of it has no end mark that counts: the next group overwrites it. */
	if (ftruncate(spool->file, (off_t)spool->size))
		log_line(LOG_ERROR, "spool cannot be cut back",
			LOG_S("detail", strerrordesc_np(errno)));
	return r;
}

int journal_spool_put(struct journal_spool *spool, uint64_t first,
	const struct journal_row *rows, size_t count)
{
	CHECK_OBJ(spool, SPOOL_MAGIC);
	CHECK(first > spool->last);
	uint8_t hash[JOURNAL_HASH];
	struct buf buf;
	if (!count)
		return 0;
	memcpy(hash, spool->end_hash, JOURNAL_HASH);
	buf_init(&buf, count * ROW_MAX);
	int r = build_group(spool, first, rows, count, &buf, hash);
	if (r == 0 && spool->size + buf_len(&buf) > spool->max)
		r = -REASON_DISK_FULL;
	if (r == 0)
		r = write_group(spool, buf_head(&buf), buf_len(&buf));
	if (r == 0) {
		spool->size += buf_len(&buf);
		spool->last = first + count - 1;
		spool->waiting += count;
		memcpy(spool->end_hash, hash, JOURNAL_HASH);
		metrics_add(METRIC_SPOOLED, (int64_t)count);
		tell(spool);
	}
	buf_done(&buf);
	return r;
}

/* Up to `len` bytes from where the oldest row begins. */
static int read_ahead(struct journal_spool *spool, size_t len, size_t *ret)
{
	size_t done = 0;
	if (len > spool->size - spool->read)
		len = (size_t)(spool->size - spool->read);
	forget_peek(spool);
	spool->bytes = malloc(len + 1);
	if (!spool->bytes)
		return -REASON_NO_MEMORY;
	while (done < len) {
		ssize_t n = pread(spool->file, spool->bytes + done, len - done,
			(off_t)(spool->read + done));
		if (n == 0 || (n < 0 && errno != EINTR))
			return -REASON_FILE_UNREADABLE;
		done += n > 0 ? (size_t)n : 0;
	}
	*ret = len;
	return 0;
}

int journal_spool_peek(struct journal_spool *spool, size_t most, size_t bytes,
	const struct journal_row **ret, size_t *ret_count, uint64_t *ret_first)
{
	CHECK_OBJ(spool, SPOOL_MAGIC);
	uint8_t hash[JOURNAL_HASH];
	struct record record;
	size_t len, at = 0, count = 0;
	int r = read_ahead(spool, bytes > ROW_MAX ? bytes : ROW_MAX, &len);
	if (r)
		return r;
	spool->rows = calloc(most, sizeof(*spool->rows));
	spool->sizes = calloc(most, sizeof(*spool->sizes));
	spool->text = malloc(len + ROW_TEXTS * most);
	if (!spool->rows || !spool->sizes || !spool->text)
		return -REASON_NO_MEMORY;
	char *text = spool->text;
	memcpy(hash, spool->read_hash, JOURNAL_HASH);
	while (count < most && read_record(spool->bytes + at, len - at, &record) == 0) {
		r = finish_row(spool, &record, &text, hash);
		if (r)
			return r;
		spool->rows[count] = record.row;
		spool->sizes[count++] = record.size;
		at += record.size;
	}
	if (!count && len)
		return -REASON_STATE_DAMAGED;
	spool->count = count;
	*ret = spool->rows;
	*ret_count = count;
	*ret_first = count ? spool->rows[0].seq : 0;
	return 0;
}

static void start_over(struct journal_spool *spool)
{
	/* When it cannot be emptied the rows stay, are offered again at the next start, and are known
	 * there by their numbers. */
	if (ftruncate(spool->file, 0))
		return;
	spool->size = spool->read = 0;
	memset(spool->end_hash, 0, JOURNAL_HASH);
	memset(spool->read_hash, 0, JOURNAL_HASH);
}

static void pass_row(struct journal_spool *spool, size_t size,
	const uint8_t hash[static JOURNAL_HASH])
{
	spool->read += size;
	spool->waiting--;
	memcpy(spool->read_hash, hash, JOURNAL_HASH);
}

void journal_spool_drop(struct journal_spool *spool, uint64_t up_to)
{
	CHECK_OBJ(spool, SPOOL_MAGIC);
	uint8_t head[ROW_MAX];
	struct record record;
	/* Most often exactly what was looked at; the file is read for the rest. */
	for (size_t i = 0; i < spool->count && spool->rows[i].seq <= up_to; i++)
		pass_row(spool, spool->sizes[i], spool->rows[i].hash);
	forget_peek(spool);
	while (spool->read < spool->size) {
		ssize_t got = pread(spool->file, head, sizeof(head), (off_t)spool->read);
		if (got <= 0 || read_record(head, (size_t)got, &record) ||
			record.row.seq > up_to)
			break;
		pass_row(spool, record.size, record.row.hash);
	}
	if (spool->size && spool->read == spool->size)
		start_over(spool);
	tell(spool);
}

int journal_spool_empty(const struct journal_spool *spool)
{
	CHECK_OBJ(spool, SPOOL_MAGIC);
	return spool->read == spool->size;
}

uint64_t journal_spool_last(const struct journal_spool *spool)
{
	CHECK_OBJ(spool, SPOOL_MAGIC);
	return spool->last;
}

uint64_t journal_spool_rows(const struct journal_spool *spool)
{
	CHECK_OBJ(spool, SPOOL_MAGIC);
	return spool->waiting;
}

uint64_t journal_spool_bytes(const struct journal_spool *spool)
{
	CHECK_OBJ(spool, SPOOL_MAGIC);
	return spool->size - spool->read;
}
