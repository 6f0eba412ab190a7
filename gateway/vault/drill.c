#include "vault/drill.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/reason.h"
#include "base/secret.h"
#include "base/text.h"
#include "store/sealed/sealed_docs.h"
#include "store/sealed/sealed_store.h"
#include "store/store_open.h"
#include "store/store_wait.h"
#include "vault/restore.h"

#define PAGE 500
#define PATH 4352

/* Everything as the gateway would read it. */
static int open_kind(struct store *store, enum state_kind kind, struct drill_result *ret)
{
	char after[STATE_ID_MAX + 1] = "";
	size_t count = PAGE;
	int r = 0;
	while (r == 0 && count == PAGE) {
		struct store_docs docs = {0};
		r = store_wait_list(store->state, kind, NULL, after, PAGE, &docs);
		count = docs.count;
		for (size_t i = 0; i < count; i++) {
			int damaged =
				strcmp(docs.docs[i].body, "{\"damaged\":true}") == 0;
			ret->damaged += (uint64_t)damaged;
			ret->opened += (uint64_t)!damaged;
		}
		if (count && r == 0)
			r = text_copy(after, sizeof(after), docs.docs[count - 1].id);
		store_docs_free(&docs);
	}
	return r;
}

static int look_at(struct store *store, const struct backup_counts *counts,
	struct drill_result *ret)
{
	struct store_rows rows = {0};
	int r = 0;
	for (int kind = 0; kind < STATE_KINDS && r == 0; kind++)
		if (backup_has_kind((enum state_kind)kind))
			r = open_kind(store, (enum state_kind)kind, ret);
	if (r == 0)
		r = store_wait_verify(store->journal, NULL, 0, &rows);
	if (r == 0) {
		ret->checked = rows.checked + rows.stubs;
		int good = !rows.fault && rows.last_seq == counts->head_seq &&
			   ret->checked == counts->rows &&
			   ret->opened == counts->documents && !ret->damaged;
		r = good ? 0 : -REASON_BACKUP_DAMAGED;
	}
	store_rows_free(&rows);
	return r;
}

static int restore_into(const char *file, const uint8_t key[static BACKUP_FILE_KEY],
	const char *dir, struct drill_result *ret)
{
	char address[PATH], error[STORE_ERROR];
	uint8_t master[SEALED_KEYS_MASTER];
	struct backup_counts counts;
	struct store *store;
	snprintf(address, sizeof(address), "sqlite:%s/drill.db", dir);
	int r = secret_random(master, sizeof(master));
	if (r == 0)
		r = store_open(address, "drill", &store, error);
	if (r)
		return r;
	r = restore_fill(file, key, store, master, NULL, &counts);
	if (r) {
		store_close(store);
		return r;
	}
	ret->documents = counts.documents;
	ret->rows = counts.rows;
	r = sealed_store_open(store, master, &store, error);
	secret_wipe(master, sizeof(master));
	if (r)
		return r;
	r = look_at(store, &counts, ret);
	store_close(store);
	return r;
}

void drill_clear(const char *dir)
{
	char path[PATH];
	DIR *entries = opendir(dir);
	for (struct dirent *entry; entries && (entry = readdir(entries));) {
		snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name);
		unlink(path);
	}
	if (entries)
		closedir(entries);
	rmdir(dir);
}

int drill_run(const char *file, const uint8_t key[static BACKUP_FILE_KEY],
	const char *dir, struct drill_result *ret)
{
	int64_t start = clock_mono_ms();
	*ret = (struct drill_result){0};
	if (mkdir(dir, 0700))
		return errno == ENOSPC ? -REASON_DISK_FULL : -REASON_FILE_UNWRITABLE;
	int r = restore_into(file, key, dir, ret);
	drill_clear(dir);
	ret->took_ms = clock_mono_ms() - start;
	return r;
}
