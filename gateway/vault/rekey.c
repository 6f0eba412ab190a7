#include "vault/rekey.h"

#include <stdlib.h>
#include <string.h>

#include "base/reason.h"
#include "base/secret.h"
#include "base/text.h"
#include "store/journal_checkpoint.h"
#include "store/sealed/sealed_keys.h"
#include "store/store_open.h"
#include "store/store_wait.h"

#define PAGE 500
#define LINE 2048

struct rekey {
	struct state *state;
	const uint8_t *from, *to;
	struct journal_signer *old_signer, *new_signer;
	struct rekey_counts counts;
};

int rekey_is_checkpoint(const char *id)
{
	return strcmp(id, JOURNAL_CHECKPOINT_NEWEST) == 0 ||
	       strncmp(id, JOURNAL_CHECKPOINT_PREFIX,
		       sizeof(JOURNAL_CHECKPOINT_PREFIX) - 1) == 0;
}

int rekey_checkpoint(const char *body, const struct journal_signer *from,
	const struct journal_signer *to, char **ret)
{
	struct journal_checkpoint checkpoint;
	/* One that nobody has signed must not become one that we have. */
	if (journal_checkpoint_read(body, &checkpoint) ||
		journal_checkpoint_check(from, &checkpoint))
		return 1;
	int r = journal_checkpoint_sign(to, &checkpoint);
	return r ? r : journal_checkpoint_write(&checkpoint, ret);
}

int rekey_lines(FILE *in, FILE *out, const struct journal_signer *from,
	const struct journal_signer *to)
{
	char line[LINE];
	while (fgets(line, sizeof(line), in)) {
		char *fresh = NULL;
		line[strcspn(line, "\n")] = 0;
		int r = rekey_checkpoint(line, from, to, &fresh);
		if (r < 0)
			return r;
		int put = fprintf(out, "%s\n", r ? line : fresh);
		free(fresh);
		if (put < 0)
			return -REASON_FILE_UNWRITABLE;
	}
	return ferror(in) ? -REASON_FILE_UNREADABLE : 0;
}

static int put(struct rekey *rekey, const struct state_doc *doc, char *body)
{
	struct state_doc fresh = *doc;
	uint64_t version;
	fresh.body = body;
	int r = store_wait_put(rekey->state, &fresh, &version);
	free(body);
	return r;
}

static int renew_key(struct rekey *rekey, const struct state_doc *doc)
{
	uint8_t key[SEALED_BOX_KEY];
	char *body = NULL;
	int there;
	int r = sealed_keys_unwrap(rekey->to, doc->id, doc->body, key, &there);
	if (r != -REASON_MASTER_KEY_WRONG)
		goto out;
	r = sealed_keys_unwrap(rekey->from, doc->id, doc->body, key, &there);
	if (r == 0)
		r = sealed_keys_rewrap(rekey->to, doc->id, doc->body, key, &body);
	if (r == 0)
		r = put(rekey, doc, body);
	rekey->counts.keys += r == 0;
out:
	secret_wipe(key, sizeof(key));
	return r;
}

static int renew_checkpoint(struct rekey *rekey, const struct state_doc *doc)
{
	char *body = NULL;
	if (!rekey_is_checkpoint(doc->id))
		return 0;
	int r = rekey_checkpoint(doc->body, rekey->old_signer, rekey->new_signer, &body);
	if (r)
		return r > 0 ? 0 : r;
	r = put(rekey, doc, body);
	rekey->counts.checkpoints += r == 0;
	return r;
}

static int renew_kind(struct rekey *rekey, enum state_kind kind,
	int (*each)(struct rekey *, const struct state_doc *))
{
	char after[STATE_ID_MAX + 1] = "";
	size_t count = PAGE;
	int r = 0;
	while (r == 0 && count == PAGE) {
		struct store_docs docs = {0};
		r = store_wait_list(rekey->state, kind, NULL, after, PAGE, &docs);
		count = docs.count;
		for (size_t i = 0; i < count && r == 0; i++)
			r = each(rekey, &docs.docs[i]);
		if (count && r == 0)
			r = text_copy(after, sizeof(after), docs.docs[count - 1].id);
		store_docs_free(&docs);
	}
	return r;
}

int rekey_run(struct store *below, const uint8_t *from, const uint8_t *to,
	struct rekey_counts *ret)
{
	struct rekey rekey = {.state = below->state, .from = from, .to = to};
	int r = journal_checkpoint_signer_new(from, &rekey.old_signer);
	if (r == 0)
		r = journal_checkpoint_signer_new(to, &rekey.new_signer);
	if (r == 0)
		r = renew_kind(&rekey, STATE_META, renew_checkpoint);
	if (r == 0)
		r = renew_kind(&rekey, STATE_KEY, renew_key);
	journal_checkpoint_signer_free(rekey.old_signer);
	journal_checkpoint_signer_free(rekey.new_signer);
	if (r == 0)
		*ret = rekey.counts;
	return r;
}
