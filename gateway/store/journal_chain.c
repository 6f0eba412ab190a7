#include "store/journal_chain.h"

#include <inttypes.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "base/reason.h"

static int add_netstring(EVP_MD_CTX *sha, const char *text)
{
	char length[24];
	size_t len = strlen(text);
	int digits = snprintf(length, sizeof(length), "%zu:", len);
	return EVP_DigestUpdate(sha, length, (size_t)digits) &&
	       EVP_DigestUpdate(sha, text, len) && EVP_DigestUpdate(sha, ",", 1);
}

static int add_row(EVP_MD_CTX *sha, const struct journal_row *row)
{
	char seq[24], at[24];
	snprintf(seq, sizeof(seq), "%" PRIu64, row->seq);
	snprintf(at, sizeof(at), "%" PRId64, row->at_ms);
	return add_netstring(sha, "engawa-journal-1") && add_netstring(sha, seq) &&
	       add_netstring(sha, row->node) &&
	       add_netstring(sha, journal_kind_name(row->kind)) &&
	       add_netstring(sha, row->tenant) && add_netstring(sha, row->license) &&
	       add_netstring(sha, at) && add_netstring(sha, row->body);
}

int journal_chain_hash(const uint8_t previous[static JOURNAL_HASH],
	const struct journal_row *row, uint8_t ret[static JOURNAL_HASH])
{
	uint8_t hash[JOURNAL_HASH];
	EVP_MD_CTX *sha = EVP_MD_CTX_new();
	int good = sha && EVP_DigestInit_ex(sha, EVP_sha256(), NULL) &&
		   EVP_DigestUpdate(sha, previous, JOURNAL_HASH) && add_row(sha, row) &&
		   EVP_DigestFinal_ex(sha, hash, NULL);
	EVP_MD_CTX_free(sha);
	if (!good)
		return -REASON_NO_MEMORY;
	memcpy(ret, hash, JOURNAL_HASH);
	return 0;
}

void journal_chain_start(struct journal_check *check, const struct journal_mark *anchor)
{
	*check = (struct journal_check){.at = *anchor};
}

void journal_chain_bad(struct journal_check *check, uint64_t seq, const char *fault)
{
	if (check->fault)
		return;
	check->first_bad = seq;
	check->fault = fault;
	/* A row that was in order as such may turn out bad by what surrounds it. */
	if (seq <= check->at.seq)
		check->checked -= check->at.seq - seq + 1;
}

int journal_chain_row(struct journal_check *check, const struct journal_row *row)
{
	uint8_t hash[JOURNAL_HASH];
	uint64_t due = check->at.seq + 1;
	if (check->fault)
		return 1;
	if (row->seq != due) {
		/* A row that is not there is named by the number it had. */
		journal_chain_bad(check, row->seq > due ? due : row->seq,
			row->seq > due ? "gap" : "order");
		return 1;
	}
	int r = journal_chain_hash(check->at.hash, row, hash);
	if (r)
		return r;
	if (memcmp(hash, row->hash, JOURNAL_HASH)) {
		journal_chain_bad(check, row->seq, "hash");
		return 1;
	}
	check->at.seq = row->seq;
	memcpy(check->at.hash, hash, JOURNAL_HASH);
	check->checked++;
	return 0;
}

void journal_chain_end(struct journal_check *check, const struct journal_mark *head)
{
	if (check->at.seq < head->seq)
		journal_chain_bad(check, check->at.seq + 1, "missing tail");
	else if (check->at.seq > head->seq)
		journal_chain_bad(check, head->seq + 1, "order");
	else if (memcmp(check->at.hash, head->hash, JOURNAL_HASH))
		journal_chain_bad(check, head->seq, "hash");
}

void journal_chain_answer(const struct journal_check *check, struct journal_answer *ret)
{
	ret->checked = check->checked;
	ret->first_bad = check->first_bad;
	ret->fault = check->fault;
	ret->last_seq = check->at.seq;
	memcpy(ret->last_hash, check->at.hash, JOURNAL_HASH);
}
