#include "keeper/checkpoint_maker.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/reason.h"
#include "base/text.h"
#include "store/journal_chain.h"
#include "store/store_open.h"
#include "store/store_wait.h"

#define DAY_MS INT64_C(86400000)
#define LAST_LINE 1024

struct checkpoint_maker {
	struct store *store;
	const struct journal_signer *signer;
	const char *node;
	char *file;
	uint64_t in_files; /* the newest one that this node's files have */
	int failing;       /* a file: said once */
};

/* The last whole line of the file, so that a start does not write it again. */
static uint64_t last_in_file(const char *path)
{
	char text[LAST_LINE + 1];
	struct journal_checkpoint last = {.rows = 0};
	FILE *file = fopen(path, "re");
	if (!file)
		return 0;
	if (fseek(file, -LAST_LINE, SEEK_END))
		rewind(file);
	size_t len = fread(text, 1, LAST_LINE, file);
	fclose(file);
	while (len && text[len - 1] != '\n')
		len--;
	if (!len)
		return 0;
	text[len - 1] = 0;
	char *line = strrchr(text, '\n');
	if (journal_checkpoint_read(line ? line + 1 : text, &last))
		return 0;
	return last.point.seq;
}

int checkpoint_maker_new(struct store *store, const struct journal_signer *signer,
	const char *node, const char *file, struct checkpoint_maker **ret)
{
	struct checkpoint_maker *maker = calloc(1, sizeof(*maker));
	if (!maker || !(maker->file = strdup(file))) {
		free(maker);
		return -REASON_NO_MEMORY;
	}
	maker->store = store;
	maker->signer = signer;
	maker->node = node;
	maker->in_files = last_in_file(file);
	*ret = maker;
	return 0;
}

struct checkpoint_maker *checkpoint_maker_free(struct checkpoint_maker *maker)
{
	if (!maker)
		return NULL;
	free(maker->file);
	free(maker);
	return NULL;
}

/* One write of a whole line, durable. What a crash tore gets its end first, so that it spoils no other
 * line. */
static int append_line(const char *path, const char *text)
{
	char line[LAST_LINE];
	char last = '\n';
	int fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	off_t size = lseek(fd, 0, SEEK_END);
	if (size > 0 && pread(fd, &last, 1, size - 1) != 1)
		last = '\n';
	int len = snprintf(line, sizeof(line), "%s%s\n", last == '\n' ? "" : "\n", text);
	int error =
		write(fd, line, (size_t)len) == len && fdatasync(fd) == 0 ? 0 : -errno;
	close(fd);
	return error;
}

static void to_file(struct checkpoint_maker *maker, const char *path, const char *text)
{
	int error = append_line(path, text);
	if (error && !maker->failing)
		log_line(LOG_ERROR, "checkpoint not copied", LOG_S("file", path),
			LOG_S("error", strerrordesc_np(-error)));
	maker->failing = error != 0;
}

static int to_files(struct checkpoint_maker *maker, const struct journal_checkpoint *from,
	const char *copy)
{
	char *text = NULL, hash[TEXT_HEX_SIZE(JOURNAL_HASH)];
	if (from->point.seq <= maker->in_files)
		return 0;
	int r = journal_checkpoint_write(from, &text);
	if (r)
		return r;
	to_file(maker, maker->file, text);
	if (*copy)
		to_file(maker, copy, text);
	maker->in_files = from->point.seq;
	text_hex(hash, from->point.hash, JOURNAL_HASH);
	log_line(LOG_INFO, "checkpoint", LOG_U("seq", from->point.seq),
		LOG_S("hash", hash), LOG_S("node", from->node));
	free(text);
	return 0;
}

/* The newest one of the store; seq 0 where there is none, or none that is ours: then a new one is made. */
static int read_newest(struct checkpoint_maker *maker, struct journal_checkpoint *ret,
	uint64_t *ret_version)
{
	struct store_docs docs = {0};
	struct journal_checkpoint newest = {.rows = 0};
	int r = store_wait_get(maker->store->state, STATE_META, JOURNAL_CHECKPOINT_NEWEST,
		&docs);
	*ret_version = r ? 0 : docs.docs[0].version;
	if (r == 0 && (journal_checkpoint_read(docs.docs[0].body, &newest) ||
			      journal_checkpoint_check(maker->signer, &newest)))
		newest = (struct journal_checkpoint){.rows = 0};
	store_docs_free(&docs);
	*ret = newest;
	return r == -REASON_NOT_FOUND ? 0 : r;
}

static int put(struct checkpoint_maker *maker, const char *id, uint64_t version,
	const struct journal_checkpoint *checkpoint)
{
	char *body = NULL;
	int r = journal_checkpoint_write(checkpoint, &body);
	if (r)
		return r;
	struct state_doc doc = {STATE_META, id, "", version, body};
	r = store_wait_put(maker->store->state, &doc, NULL);
	free(body);
	/* Another node was faster. */
	return r == -REASON_CONFLICT ? 0 : r;
}

static int make(struct checkpoint_maker *maker, const struct store_rows *facts,
	const struct journal_checkpoint *newest, uint64_t version, const char *copy)
{
	char id[JOURNAL_CHECKPOINT_ID];
	struct journal_checkpoint next = {
		.point = {.seq = facts->last_seq, .at_ms = clock_wall_ms()},
		.rows = facts->last_seq - newest->point.seq};
	memcpy(next.point.hash, facts->last_hash, JOURNAL_HASH);
	text_clip(next.node, sizeof(next.node), maker->node);
	int r = journal_checkpoint_sign(maker->signer, &next);
	journal_checkpoint_id(next.point.seq, id);
	if (r == 0)
		r = put(maker, id, 0, &next);
	if (r == 0)
		r = put(maker, JOURNAL_CHECKPOINT_NEWEST, version, &next);
	return r ? r : to_files(maker, &next, copy);
}

int checkpoint_maker_run(struct checkpoint_maker *maker, enum checkpoint_maker_when when,
	const char *copy)
{
	struct store_rows facts = {0};
	struct journal_checkpoint newest = {.rows = 0};
	uint64_t version = 0;
	int r = store_wait_look(maker->store->journal, &facts);
	if (r == 0)
		r = read_newest(maker, &newest, &version);
	if (r == 0)
		r = to_files(maker, &newest, copy);
	/* A journal that is shorter than what was signed is a matter for who verifies it, not to be signed. */
	if (r || facts.last_seq <= newest.point.seq)
		return r;
	int64_t age_ms = clock_wall_ms() - newest.point.at_ms;
	if (when == CHECKPOINT_MAKER_DUE &&
		facts.last_seq - newest.point.seq < CHECKPOINT_MAKER_ROWS &&
		age_ms >= 0 && age_ms < CHECKPOINT_MAKER_MS)
		return 0;
	return make(maker, &facts, &newest, version, copy);
}

int checkpoint_maker_prune(struct checkpoint_maker *maker, int64_t now_ms)
{
	char after[STATE_ID_MAX + 1] = JOURNAL_CHECKPOINT_PREFIX;
	struct store_rows facts = {0};
	int r = store_wait_look(maker->store->journal, &facts), more = 1;
	while (r == 0 && more) {
		struct store_docs docs = {0};
		r = store_wait_list(maker->store->state, STATE_META, NULL, after, 100,
			&docs);
		more = r == 0 && docs.count == 100;
		for (size_t i = 0; r == 0 && i < docs.count; i++) {
			struct journal_checkpoint old;
			if (strncmp(docs.docs[i].id, JOURNAL_CHECKPOINT_PREFIX,
				    strlen(JOURNAL_CHECKPOINT_PREFIX)) ||
				journal_checkpoint_read(docs.docs[i].body, &old) ||
				old.point.seq >= facts.facts.anchor_seq ||
				old.point.at_ms >
					now_ms - JOURNAL_CHAIN_STUB_DAYS * DAY_MS) {
				more = 0;
				break;
			}
			r = store_wait_remove(maker->store->state, STATE_META,
				docs.docs[i].id, docs.docs[i].version);
			r = r == -REASON_NOT_FOUND ? 0 : r;
		}
		if (docs.count)
			snprintf(after, sizeof(after), "%s",
				docs.docs[docs.count - 1].id);
		store_docs_free(&docs);
	}
	return r;
}
