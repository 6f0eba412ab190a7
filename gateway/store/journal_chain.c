#include "store/journal_chain.h"

#include <inttypes.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/reason.h"
#include "rules/retention.h"

#define DAY_MS INT64_C(86400000)

static int add(EVP_MD_CTX *sha, const void *bytes, size_t len)
{
	char length[24];
	int digits = snprintf(length, sizeof(length), "%zu:", len);
	return EVP_DigestUpdate(sha, length, (size_t)digits) &&
	       EVP_DigestUpdate(sha, bytes, len) && EVP_DigestUpdate(sha, ",", 1);
}

static int add_text(EVP_MD_CTX *sha, const char *text)
{
	return add(sha, text, strlen(text));
}

/* The digest of what a stub does not have any more. */
static int rest_of(const struct journal_row *row, uint8_t ret[static JOURNAL_HASH])
{
	EVP_MD_CTX *sha = EVP_MD_CTX_new();
	int good = sha && EVP_DigestInit_ex(sha, EVP_sha256(), NULL) &&
		   add_text(sha, row->node) && add_text(sha, row->tenant) &&
		   add_text(sha, row->license) && add_text(sha, row->body) &&
		   EVP_DigestFinal_ex(sha, ret, NULL);
	EVP_MD_CTX_free(sha);
	return good ? 0 : -REASON_NO_MEMORY;
}

static int link_of(const uint8_t previous[static JOURNAL_HASH],
	const struct journal_stub *stub, uint8_t ret[static JOURNAL_HASH])
{
	char seq[24], at[24];
	uint8_t hash[JOURNAL_HASH];
	snprintf(seq, sizeof(seq), "%" PRIu64, stub->seq);
	snprintf(at, sizeof(at), "%" PRId64, stub->at_ms);
	EVP_MD_CTX *sha = EVP_MD_CTX_new();
	int good = sha && EVP_DigestInit_ex(sha, EVP_sha256(), NULL) &&
		   EVP_DigestUpdate(sha, previous, JOURNAL_HASH) &&
		   add_text(sha, "engawa-journal-2") && add_text(sha, seq) &&
		   add_text(sha, journal_kind_name(stub->kind)) && add_text(sha, at) &&
		   add(sha, stub->rest, JOURNAL_HASH) &&
		   EVP_DigestFinal_ex(sha, hash, NULL);
	EVP_MD_CTX_free(sha);
	if (!good)
		return -REASON_NO_MEMORY;
	memcpy(ret, hash, JOURNAL_HASH);
	return 0;
}

int journal_chain_stub(const struct journal_row *row, struct journal_stub *ret)
{
	struct journal_stub stub = {
		.seq = row->seq, .kind = row->kind, .at_ms = row->at_ms};
	int r = rest_of(row, stub.rest);
	if (r)
		return r;
	memcpy(stub.hash, row->hash, JOURNAL_HASH);
	*ret = stub;
	return 0;
}

int journal_chain_hash(const uint8_t previous[static JOURNAL_HASH],
	const struct journal_row *row, uint8_t ret[static JOURNAL_HASH])
{
	struct journal_stub stub;
	int r = journal_chain_stub(row, &stub);
	return r ? r : link_of(previous, &stub, ret);
}

static int64_t least_kept_ms(enum journal_kind kind)
{
	return DAY_MS * (journal_class_of(kind) == JOURNAL_COUNTS
					? RETENTION_COUNTS_MIN_DAYS
					: RETENTION_MIN_DAYS);
}

/* Points that the anchor has left behind: what they cover must have been old enough to go. */
static void pass_anchor(struct journal_check *check, const struct journal_mark *anchor)
{
	int64_t least_ms = check->now_ms - least_kept_ms(JOURNAL_AUDIT);
	for (; check->next < check->count; check->next++) {
		const struct journal_point *point = &check->points[check->next];
		if (point->seq > anchor->seq)
			return;
		if (point->seq < anchor->seq && point->at_ms > least_ms)
			journal_chain_bad(check, point->seq + 1, "removed early");
		if (point->seq == anchor->seq &&
			memcmp(point->hash, anchor->hash, JOURNAL_HASH))
			journal_chain_bad(check, point->seq, "rewritten");
	}
}

void journal_chain_start(struct journal_check *check, const struct journal_mark *anchor,
	const struct journal_point *points, size_t count)
{
	*check = (struct journal_check){.at = *anchor,
		.now_ms = clock_wall_ms(),
		.points = points,
		.count = count};
	pass_anchor(check, anchor);
}

void journal_chain_bad(struct journal_check *check, uint64_t seq, const char *fault)
{
	if (check->fault)
		return;
	check->first_bad = seq;
	check->fault = fault;
	/* A row that was in order as such may turn out bad by what surrounds it. */
	uint64_t undone = seq <= check->at.seq ? check->at.seq - seq + 1 : 0;
	check->checked -= undone < check->checked ? undone : check->checked;
}

/* 1: the fault is noted. */
static int meet_points(struct journal_check *check)
{
	while (check->next < check->count &&
		check->points[check->next].seq == check->at.seq) {
		const struct journal_point *point = &check->points[check->next++];
		if (memcmp(point->hash, check->at.hash, JOURNAL_HASH)) {
			journal_chain_bad(check, point->seq, "rewritten");
			return 1;
		}
		check->met++;
	}
	return 0;
}

static int pass(struct journal_check *check, const struct journal_stub *stub)
{
	uint8_t hash[JOURNAL_HASH];
	uint64_t due = check->at.seq + 1;
	if (check->fault)
		return 1;
	if (stub->seq != due) {
		/* A row that is not there is named by the number it had. */
		journal_chain_bad(check, stub->seq > due ? due : stub->seq,
			stub->seq > due ? "gap" : "order");
		return 1;
	}
	int r = link_of(check->at.hash, stub, hash);
	if (r)
		return r;
	if (memcmp(hash, stub->hash, JOURNAL_HASH)) {
		journal_chain_bad(check, stub->seq, "hash");
		return 1;
	}
	check->at.seq = stub->seq;
	memcpy(check->at.hash, hash, JOURNAL_HASH);
	return 0;
}

int journal_chain_row(struct journal_check *check, const struct journal_row *row)
{
	struct journal_stub stub;
	int r = journal_chain_stub(row, &stub);
	if (r == 0)
		r = pass(check, &stub);
	if (r)
		return r;
	check->checked++;
	return meet_points(check);
}

int journal_chain_gone(struct journal_check *check, const struct journal_stub *stub)
{
	if (stub->seq == check->at.seq + 1 &&
		stub->at_ms > check->now_ms - least_kept_ms(stub->kind)) {
		journal_chain_bad(check, stub->seq, "removed early");
		return 1;
	}
	int r = pass(check, stub);
	if (r)
		return r;
	check->stubs++;
	return meet_points(check);
}

void journal_chain_end(struct journal_check *check, const struct journal_mark *head)
{
	if (check->at.seq < head->seq)
		journal_chain_bad(check, check->at.seq + 1, "missing tail");
	else if (check->at.seq > head->seq)
		journal_chain_bad(check, head->seq + 1, "order");
	else if (memcmp(check->at.hash, head->hash, JOURNAL_HASH))
		journal_chain_bad(check, head->seq, "hash");
	else if (check->next < check->count)
		journal_chain_bad(check, head->seq + 1, "missing tail");
}

void journal_chain_answer(const struct journal_check *check, struct journal_answer *ret)
{
	ret->checked = check->checked;
	ret->stubs = check->stubs;
	ret->points = check->met;
	ret->first_bad = check->first_bad;
	ret->fault = check->fault;
	ret->last_seq = check->at.seq;
	memcpy(ret->last_hash, check->at.hash, JOURNAL_HASH);
}
