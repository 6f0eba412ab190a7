#include "rekey_verb.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/reason.h"
#include "base/secret.h"
#include "base/text.h"
#include "setup/data_dir.h"
#include "store/journal_checkpoint.h"
#include "store/store_open.h"

#define NEW_KEY "master.key.new"
#define CHECKPOINTS "checkpoints.jsonl"
#define CHECKPOINTS_MAX (64 << 20)

static int say(char *error, int r, const char *path, const char *what)
{
	snprintf(error, REKEY_VERB_ERROR, "%.300s: %.300s", path, what);
	return r;
}

/* The one that an interrupted run has made, or a new one. */
static int new_master(const char *data, uint8_t ret[static DATA_DIR_MASTER], char *error)
{
	char path[DATA_DIR_PATH], hex[TEXT_HEX_SIZE(DATA_DIR_MASTER) + 1], *text;
	int r;
	data_dir_file(data, NEW_KEY, path);
	if (access(path, F_OK) == 0) {
		r = data_dir_read(data, NEW_KEY, 128, &text, error);
		if (r)
			return r;
		text[strcspn(text, "\n")] = 0;
		r = text_unhex(ret, DATA_DIR_MASTER, text);
		data_dir_wipe(text);
		return r ? say(error, -REASON_STATE_DAMAGED, path,
				   "64 hexadecimal digits expected")
			 : 0;
	}
	r = secret_random(ret, DATA_DIR_MASTER);
	if (r)
		return say(error, r, path, reason_text(r, REASON_EN));
	text_hex(hex, ret, DATA_DIR_MASTER);
	hex[sizeof(hex) - 2] = '\n';
	r = data_dir_write(data, NEW_KEY, hex, sizeof(hex) - 1, 0600, error);
	secret_wipe(hex, sizeof(hex));
	return r;
}

static int renew_store(const struct data_dir *dir, const char *given, const uint8_t *to,
	struct rekey_counts *ret, char *error)
{
	char address[DATA_DIR_PATH + 16], more[STORE_ERROR] = "";
	struct store *below;
	if (given)
		text_clip(address, sizeof(address), given);
	else
		snprintf(address, sizeof(address), "sqlite:%.4080s/engawa.db", dir->path);
	int r = store_open_in(dir->path, address, dir->node, &below, more);
	if (r)
		return say(error, r, dir->path, more);
	r = rekey_run(below, dir->master, to, ret);
	/* The old wrapping must not wait in a log of the database. */
	if (r == 0 && below->scrub)
		r = below->scrub(below);
	store_close(below);
	return r ? say(error, r, address, reason_text(r, REASON_EN)) : 0;
}

static int renew_lines(const char *data, FILE *in, const struct journal_signer *from,
	const struct journal_signer *to, char *error)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	int r = out ? rekey_lines(in, out, from, to) : -REASON_NO_MEMORY;
	if (out && fclose(out) && r == 0)
		r = -REASON_NO_MEMORY;
	if (r == 0 && len > CHECKPOINTS_MAX)
		r = -REASON_LIMIT;
	if (r)
		say(error, r, CHECKPOINTS, reason_text(r, REASON_EN));
	else
		r = data_dir_write(data, CHECKPOINTS, text, len, 0600, error);
	free(text);
	return r;
}

static int renew_file(const struct data_dir *dir, const uint8_t *to, char *error)
{
	char path[DATA_DIR_PATH];
	struct journal_signer *old_signer = NULL, *new_signer = NULL;
	data_dir_file(dir->path, CHECKPOINTS, path);
	FILE *in = fopen(path, "re");
	if (!in)
		return errno == ENOENT ? 0
				       : say(error, -REASON_FILE_UNREADABLE, path,
						 strerror(errno));
	int r = journal_checkpoint_signer_new(dir->master, &old_signer);
	if (r == 0)
		r = journal_checkpoint_signer_new(to, &new_signer);
	if (r)
		say(error, r, path, reason_text(r, REASON_EN));
	else
		r = renew_lines(dir->path, in, old_signer, new_signer, error);
	fclose(in);
	journal_checkpoint_signer_free(old_signer);
	journal_checkpoint_signer_free(new_signer);
	return r;
}

static int take_over(const char *data, const uint8_t *to, char *error)
{
	char path[DATA_DIR_PATH], hex[TEXT_HEX_SIZE(DATA_DIR_MASTER) + 1];
	text_hex(hex, to, DATA_DIR_MASTER);
	hex[sizeof(hex) - 2] = '\n';
	int r = data_dir_write(data, "master.key", hex, sizeof(hex) - 1, 0600, error);
	secret_wipe(hex, sizeof(hex));
	data_dir_file(data, NEW_KEY, path);
	if (r == 0)
		unlink(path);
	return r;
}

int rekey_verb_run(const char *data, const char *store, struct rekey_counts *ret,
	char error[static REKEY_VERB_ERROR])
{
	uint8_t *to = secret_alloc(DATA_DIR_MASTER);
	struct data_dir dir = {.lock = -1};
	int r = to ? data_dir_open(data, &dir, error) : -REASON_NO_MEMORY;
	if (r) {
		secret_free(to, DATA_DIR_MASTER);
		return r;
	}
	r = data_dir_lock(&dir, error);
	if (r == 0)
		r = new_master(dir.path, to, error);
	if (r == 0)
		r = renew_store(&dir, store, to, ret, error);
	if (r == 0)
		r = renew_file(&dir, to, error);
	if (r == 0)
		r = take_over(dir.path, to, error);
	data_dir_close(&dir);
	secret_free(to, DATA_DIR_MASTER);
	return r;
}
