/* store_kill: kills a writing process 200 times and looks at what it left behind.
 *
 * A child writes documents and rows and tells through a pipe what the store acknowledged; it is
 * killed (SIGKILL) at a random moment, also while it opens the store. Afterwards the database must
 * be whole, the chain in order, and every acknowledged change there.
 *
 *   store_kill [RUNS [SEED]]
 */
#include <errno.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/reason.h"
#include "store/store_open.h"
#include "store/store_wait.h"

#define WRITERS 24

/* What the child tells: one of these per acknowledged change. */
struct acknowledged {
	uint64_t seq;     /* of a row, 0: a document */
	uint64_t version; /* of a document */
	int run, number;
};

static char dir[] = "/tmp/engawa-kill-XXXXXX", path[64], address[80];

static void die(const char *what, int r)
{
	fprintf(stderr, "store_kill: %s: %s\n", what, reason_symbol(r));
	exit(1);
}

static struct store *open_store(void)
{
	struct store *store;
	char error[STORE_ERROR];
	int r = store_open(address, "node-1", &store, error);
	if (r)
		die(error, r);
	return store;
}

/* One of several writers of the child, each with one question under way at any time. */
struct writer {
	struct store *store;
	struct post_box *box;
	int run, number, pipe;
	char body[64], id[32];
};

static void ask(struct writer *writer);

static void tell(struct writer *writer, uint64_t seq, uint64_t version)
{
	struct acknowledged one = {seq, version, writer->run, writer->number};
	/* Less than PIPE_BUF: never torn by the kill. */
	if (write(writer->pipe, &one, sizeof(one)) != sizeof(one))
		_exit(0);
	writer->number += WRITERS;
	ask(writer);
}

static void appended(void *ctx, const struct journal_answer *answer)
{
	if (answer->status)
		_exit(3);
	tell(ctx, answer->last_seq, 0);
}

static void stored(void *ctx, const struct state_answer *answer)
{
	if (answer->status)
		_exit(4);
	tell(ctx, 0, answer->docs[0].version);
}

static void ask(struct writer *writer)
{
	snprintf(writer->body, sizeof(writer->body), "{\"run\":%d,\"number\":%d}",
		writer->run, writer->number);
	if (writer->number % 2) {
		struct journal_row row = {.kind = JOURNAL_BANDWIDTH,
			.tenant = "acme",
			.license = "lic_a",
			.at_ms = clock_wall_ms(),
			.body = writer->body};
		journal_append(writer->store->journal, &row, 1, writer->box, appended,
			writer);
		return;
	}
	snprintf(writer->id, sizeof(writer->id), "%d/%d", writer->run, writer->number);
	struct state_doc doc = {STATE_META, writer->id, "", 0, writer->body};
	state_put(writer->store->state, &doc, writer->box, stored, writer);
}

static void child(int run, int pipe)
{
	static struct writer writers[WRITERS];
	struct store *store = open_store();
	struct post_pump *pump;
	if (post_pump_new(&pump))
		_exit(5);
	for (int i = 0; i < WRITERS; i++) {
		writers[i] = (struct writer){.store = store,
			.box = post_pump_box(pump),
			.run = run,
			.number = i,
			.pipe = pipe};
		ask(&writers[i]);
	}
	for (;;)
		post_pump_run(pump, -1);
}

static size_t run_and_kill(int run, struct acknowledged **ret)
{
	int ends[2];
	if (pipe(ends))
		exit(1);
	pid_t pid = fork();
	if (pid < 0)
		exit(1);
	if (pid == 0) {
		close(ends[0]);
		child(run, ends[1]);
	}
	close(ends[1]);
	struct timespec wait = {0, (1 + rand() % 60) * 1000000L};
	nanosleep(&wait, NULL);
	kill(pid, SIGKILL);
	int status;
	if (waitpid(pid, &status, 0) != pid || !WIFSIGNALED(status)) {
		fprintf(stderr, "store_kill: the child ended by itself (%x)\n",
			(unsigned)status);
		exit(1);
	}
	struct acknowledged *list = NULL, one;
	size_t count = 0;
	while (read(ends[0], &one, sizeof(one)) == sizeof(one)) {
		list = realloc(list, (count + 1) * sizeof(one));
		list[count++] = one;
	}
	close(ends[0]);
	*ret = list;
	return count;
}

static void check_file(void)
{
	sqlite3 *db;
	sqlite3_stmt *statement;
	if (sqlite3_open(path, &db) ||
		sqlite3_prepare_v2(db, "PRAGMA integrity_check", -1, &statement, NULL) ||
		sqlite3_step(statement) != SQLITE_ROW ||
		strcmp((const char *)sqlite3_column_text(statement, 0), "ok")) {
		fprintf(stderr, "store_kill: integrity_check: %s\n", sqlite3_errmsg(db));
		exit(1);
	}
	sqlite3_finalize(statement);
	sqlite3_close(db);
}

static void check_row(struct store *store, const struct acknowledged *one)
{
	char body[64];
	struct store_rows rows = {0};
	struct journal_query query = {
		.kind = JOURNAL_BANDWIDTH, .after_seq = one->seq - 1, .limit = 1};
	snprintf(body, sizeof(body), "{\"run\":%d,\"number\":%d}", one->run, one->number);
	int r = store_wait_query(store->journal, &query, &rows);
	if (r || rows.count != 1 || rows.rows[0].seq != one->seq ||
		strcmp(rows.rows[0].body, body))
		die("an acknowledged row is lost", r);
	store_rows_free(&rows);
}

static void check_doc(struct store *store, const struct acknowledged *one)
{
	char id[32], body[64];
	struct store_docs docs = {0};
	snprintf(id, sizeof(id), "%d/%d", one->run, one->number);
	snprintf(body, sizeof(body), "{\"run\":%d,\"number\":%d}", one->run, one->number);
	int r = store_wait_get(store->state, STATE_META, id, &docs);
	if (r || docs.docs[0].version != one->version || strcmp(docs.docs[0].body, body))
		die("an acknowledged document is lost", r);
	store_docs_free(&docs);
}

static uint64_t check(const struct acknowledged *list, size_t count)
{
	check_file();
	struct store *store = open_store();
	struct store_rows verdict = {0};
	int r = store_wait_verify(store->journal, NULL, 0, &verdict);
	if (r || verdict.fault)
		die(verdict.fault ? verdict.fault : "verify", r);
	for (size_t i = 0; i < count; i++)
		if (list[i].seq)
			check_row(store, &list[i]);
		else
			check_doc(store, &list[i]);
	store_close(store);
	return verdict.checked;
}

static void remove_files(void)
{
	static const char *const ends[] = {"", "-wal", "-shm", ".lock"};
	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		char name[80];
		snprintf(name, sizeof(name), "%s%s", path, ends[i]);
		unlink(name);
	}
}

int main(int argc, char **argv)
{
	int runs = argc > 1 ? atoi(argv[1]) : 200;
	unsigned seed = argc > 2 ? (unsigned)atoi(argv[2]) : (unsigned)time(NULL);
	size_t acknowledged = 0, silent = 0;
	uint64_t rows = 0;
	if (!mkdtemp(dir))
		return 1;
	snprintf(path, sizeof(path), "%s/db", dir);
	snprintf(address, sizeof(address), "sqlite:%s", path);
	printf("store_kill: %d runs, seed %u\n", runs, seed);
	fflush(stdout);
	srand(seed);
	for (int run = 0; run < runs; run++) {
		struct acknowledged *list;
		/* A file is killed often, but does not grow until looking takes all the time. */
		if (run % 20 == 0)
			remove_files();
		size_t count = run_and_kill(run, &list);
		rows = check(list, count);
		acknowledged += count;
		silent += count == 0;
		free(list);
	}
	remove_files();
	rmdir(dir);
	printf("store_kill: %zu acknowledged changes are there, %llu rows in the chain, "
	       "%zu runs were "
	       "killed before the first\n",
		acknowledged, (unsigned long long)rows, silent);
	/* A machine so slow that hardly anything was written proves nothing. */
	return acknowledged < (size_t)runs ? 1 : 0;
}
