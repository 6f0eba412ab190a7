#include "admin/api_license_import.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "admin/license_batch.h"
#include "admin/license_desk.h"
#include "base/buf.h"
#include "base/reason.h"
#include "base/secret.h"
#include "http/detail.h"
#include "rules/license_sheet.h"

/* Companies that one file may name: an operator's, and even he has few at once. */
#define COMPANIES 1000
#define READ_STEP 65536

struct company {
	char id[TENANT_ID_SIZE];
	int status; /* 0, or why it may have no more */
	long count;
};

/* Where a good line is. */
struct place {
	size_t at;
	long line;
};

struct import {
	struct call *call;
	struct buf text;
	struct csv_reader reader;
	struct license_sheet sheet;
	struct csv_record *record;
	const char *tenant;
	int dry_run, take_good;
	long done, refused, good;
	struct place *places; /* of the good ones */
	size_t place_room;
	struct company *companies;
	size_t company_count;
	/* lines seen, by digest: an open table, a power of two in size */
	struct {
		uint64_t digest;
		long line;
	} * seen;
	size_t seen_size;
	struct license_batch *batch;
};

/* what is asked for */

static int read_offset(struct call *call, int *ret)
{
	const char *text = request_query(call->exchange->request, "offset");
	int hours, minutes, used = 0;
	char sign;

	if (!text)
		return 0;
	if (sscanf(text, "%c%2d:%2d%n", &sign, &hours, &minutes, &used) != 3 ||
		text[used] || used != 6 || !strchr("+-", sign) || hours < 0 ||
		hours > 14 || minutes < 0 || minutes > 59)
		return call_wrong(call, "offset", "+09:00 is expected");
	*ret = (hours * 60 + minutes) * (sign == '-' ? -1 : 1);
	return 0;
}

static int read_options(struct import *import)
{
	struct call *call = import->call;
	const struct request *request = call->exchange->request;
	const char *take = request_query(request, "take");
	const char *dry = request_query(request, "dry_run");
	const char *type = request_header(request, "Content-Type");

	if (!type || strncasecmp(type, "text/csv", 8) || !strchr("; \t", type[8]))
		return exchange_problem_as(call->exchange, 415, REASON_BAD_VALUE,
			"Content-Type: text/csv expected");
	if (take && strcmp(take, "all") && strcmp(take, "good"))
		return call_wrong(call, "take", "all or good");
	if (dry && strcmp(dry, "1") && strcmp(dry, "0"))
		return call_wrong(call, "dry_run", "1 or 0");
	import->take_good = take && !strcmp(take, "good");
	import->dry_run = dry && !strcmp(dry, "1");
	int status = call_tenant_named(call, &import->tenant);
	return status ? status : read_offset(call, &import->sheet.offset_min);
}

static int read_text(struct import *import)
{
	struct exchange *exchange = import->call->exchange;
	uint8_t *room;
	size_t len = 1;
	int status = 0;

	while (!status && len) {
		status = buf_reserve(&import->text, READ_STEP, &room);
		if (!status)
			status = exchange_read(exchange, room, READ_STEP, &len);
		if (!status)
			buf_commit(&import->text, len);
	}
	return status ? call_fail(import->call, status, NULL) : 0;
}

static int make_room(struct import *import)
{
	size_t lines = 1;
	const char *at = (const char *)buf_head(&import->text);

	for (size_t i = 0; i < buf_len(&import->text); i++)
		lines += at[i] == '\n';
	for (import->seen_size = 1024; import->seen_size < 2 * lines;)
		import->seen_size *= 2;
	import->seen = calloc(import->seen_size, sizeof(*import->seen));
	import->companies = calloc(COMPANIES, sizeof(*import->companies));
	import->record = malloc(sizeof(*import->record));
	if (!import->seen || !import->companies || !import->record)
		return call_fail(import->call, -REASON_NO_MEMORY, NULL);
	int status = license_batch_new(import->call, &import->batch);
	return status ? call_fail(import->call, status, NULL) : 0;
}

/* the answer; once the peer is gone nothing is put any more */

static int put(struct import *import, json_t *object)
{
	char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;
	int status = text ? 0 : -REASON_NO_MEMORY;

	json_decref(object);
	if (!status)
		status = exchange_put(import->call->exchange, text, strlen(text));
	if (!status)
		status = exchange_put(import->call->exchange, "\n", 1);
	if (text)
		secret_wipe(text, strlen(text));
	free(text);
	return status;
}

static int put_refusal(struct import *import, long line, int reason, const char *field,
	const char *message)
{
	char shown[64], room[DETAIL_MAX];

	/* A column's name may be anything, and a cut one may end within a character. */
	field_plain(shown, sizeof(shown), field);
	import->refused++;
	return put(import,
		json_pack("{s:I, s:s, s:s, s:s}", "line", (json_int_t)line, "field",
			shown, "code", reason_symbol(reason), "message",
			detail_in(import->call->exchange->lang, message, room)));
}

static int put_end(struct import *import, int applied)
{
	int status = put(import,
		json_pack("{s:I, s:I, s:I, s:b}", "done", (json_int_t)import->done,
			"refused", (json_int_t)import->refused, "good",
			(json_int_t)import->good, "applied", applied));
	return status ? status : exchange_end(import->call->exchange);
}

/* looking at a line */

/* 0, or the line that was the same. */
static long seen_before(struct import *import)
{
	uint64_t digest;

	if (license_sheet_digest(&import->sheet, import->record, &digest))
		return 0;
	size_t at = digest & (import->seen_size - 1);
	while (import->seen[at].line) {
		if (import->seen[at].digest == digest)
			return import->seen[at].line;
		at = (at + 1) & (import->seen_size - 1);
	}
	import->seen[at].digest = digest;
	import->seen[at].line = import->record->line;
	return 0;
}

static int load_limit(struct call *call, const char *id, long *ret)
{
	const struct license_filter own = {.tenant = id, .online = -1};
	long limit;
	int status = license_desk_limit(call, id, &limit);

	*ret = -1;
	if (status || !limit)
		return status;
	long count = license_index_count(call->admin->licenses, &own);
	*ret = count < limit ? limit - count : 0;
	return count < 0 ? (int)count : 0;
}

/* Whether the company exists, is the caller's business, and may have one license more. */
static int check_company(struct import *import, const char *id)
{
	struct company *company = import->companies;
	size_t i = 0;

	if (!call_may_see(import->call, id))
		return -REASON_FORBIDDEN;
	if (!*id)
		return 0;
	while (i < import->company_count && strcmp(company[i].id, id))
		i++;
	if (i == COMPANIES)
		return -REASON_LIMIT;
	if (i == import->company_count) {
		import->company_count++;
		memcpy(company[i].id, id, strlen(id) + 1);
		company[i].status = load_limit(import->call, id, &company[i].count);
	}
	if (company[i].status || company[i].count < 0)
		return company[i].status;
	return company[i].count-- > 0 ? 0 : -REASON_LIMIT;
}

/* 0: *ret is a license to be made. Else the line was refused, or (*ret_broken) nobody listens. */
static int look_at(struct import *import, struct license *ret, int *ret_broken)
{
	const struct csv_record *record = import->record;
	struct field_error error = {0};
	char message[80];
	int status =
		license_sheet_line(&import->sheet, record, import->tenant, ret, &error);
	long same = status ? 0 : seen_before(import);

	if (same) {
		status = -REASON_CONFLICT;
		snprintf(message, sizeof(message), "the same as line %ld", same);
		*ret_broken = put_refusal(import, record->line, status, "", message);
	} else if (status) {
		*ret_broken = put_refusal(import, record->line, status, error.field,
			error.message);
	} else {
		status = check_company(import, ret->tenant);
		if (status)
			*ret_broken = put_refusal(import, record->line, status, "tenant",
				status == -REASON_NOT_FOUND
					? "there is no such company"
					: reason_text(-status,
						  import->call->exchange->lang));
	}
	return status;
}

static int remember(struct import *import, size_t at)
{
	if ((size_t)import->good == import->place_room) {
		size_t room = import->place_room ? import->place_room * 2 : 1024;
		struct place *places = realloc(import->places, room * sizeof(*places));
		if (!places)
			return -REASON_NO_MEMORY;
		import->places = places;
		import->place_room = room;
	}
	import->places[import->good++] = (struct place){at, import->record->line};
	return 0;
}

/* Every line once: what is wrong is told, where the good ones are is remembered. */
static int look_at_all(struct import *import)
{
	struct csv_reader *reader = &import->reader;
	struct field_error error = {0};
	struct license license = {0};
	int broken = 0, r = 1;

	while (!broken && r) {
		size_t at = reader->at;
		r = csv_reader_next(reader, import->record, &error);
		if (r < 0)
			broken = put_refusal(import, import->record->line, r, error.field,
				error.message);
		else if (r && !look_at(import, &license, &broken))
			broken = remember(import, at);
	}
	secret_wipe(&license, sizeof(license));
	return broken;
}

static int begin_lines(struct import *import, struct field_error *error)
{
	const char *text = (const char *)buf_head(&import->text);
	const char *foreign = csv_reader_foreign(text, buf_len(&import->text));

	csv_reader_init(&import->reader, text, buf_len(&import->text));
	import->record->line = 1;
	if (foreign)
		return field_fail(error, "",
			"the file is %s; save it as \"CSV UTF-8\" and import that",
			foreign);
	int r = csv_reader_next(&import->reader, import->record, error);
	if (r == 0)
		r = field_fail(error, "", "the file is empty");
	return r < 0 ? r : license_sheet_head(&import->sheet, import->record, error);
}

/* making */

static int put_made(struct import *import, const struct license_batch_made *made)
{
	if (made->status)
		return put_refusal(import, made->line, made->status, "",
			reason_text(-made->status, import->call->exchange->lang));
	import->done++;
	return put(import,
		json_pack("{s:I, s:s, s:s, s:s}", "line", (json_int_t)made->line, "id",
			made->id, "key", made->key, "password", made->password));
}

static int write_batch(struct import *import)
{
	const struct license_batch_made *made;
	size_t count;
	int status = license_batch_write(import->batch, &made, &count);

	if (status) {
		put_refusal(import, import->record->line, status, "",
			reason_text(-status, import->call->exchange->lang));
		return status;
	}
	for (size_t i = 0; !status && i < count; i++)
		status = put_made(import, &made[i]);
	return status;
}

/* A line that was good a moment ago, read again. */
static int make(struct import *import, const struct place *place)
{
	struct field_error error;
	struct license license = {0};

	import->reader.at = place->at;
	import->reader.line = place->line;
	int status = csv_reader_next(&import->reader, import->record, &error);
	CHECK(status == 1);
	status = license_sheet_line(&import->sheet, import->record, import->tenant,
		&license, &error);
	if (!status)
		status = license_batch_add(import->batch, &license, place->line);
	if (!status && license_batch_full(import->batch))
		status = write_batch(import);
	secret_wipe(&license, sizeof(license));
	return status;
}

static int record(struct import *import)
{
	const char *tenant =
		*import->call->by.tenant ? import->call->by.tenant : import->tenant;
	int status = call_record(import->call, AUDIT_LICENSES_IMPORTED, tenant, "",
		json_pack("{s:I, s:I}", "count", (json_int_t)import->good, "refused",
			(json_int_t)import->refused));

	if (status)
		return put_refusal(import, 0, -REASON_RECORDING_FAILED, "",
			       reason_text(REASON_RECORDING_FAILED,
				       import->call->exchange->lang))
			       ? status
			       : -REASON_RECORDING_FAILED;
	return 0;
}

/* An error of the store ends it: what was made until then has been told. */
static void make_all(struct import *import)
{
	int status = record(import);

	for (long i = 0; !status && i < import->good; i++)
		status = make(import, &import->places[i]);
	if (!status)
		status = write_batch(import);
	if (import->done)
		call_changed(import->call, "license", "", import->tenant, "created");
}

static int run(struct import *import)
{
	struct field_error error = {0};
	int status = exchange_begin(import->call->exchange, "application/x-ndjson");

	if (status)
		return status;
	if (begin_lines(import, &error))
		status = put_refusal(import, import->record->line, -REASON_BAD_VALUE,
			error.field, error.message);
	else
		status = look_at_all(import);
	if (status)
		return status;
	int applied = !import->dry_run && import->good &&
		      (!import->refused || import->take_good);
	if (applied)
		make_all(import);
	return put_end(import, applied);
}

static void import_done(struct import *import)
{
	buf_done(&import->text);
	free(import->record);
	free(import->seen);
	free(import->companies);
	free(import->places);
	license_batch_free(import->batch);
}

void api_license_import(void *admin, struct exchange *exchange)
{
	sem_t *streams = &((struct admin *)admin)->streams;
	struct import import = {.call = call_of(exchange)};

	/* It holds an office thread for long, and up to 16 MiB. */
	if (sem_trywait(streams)) {
		call_fail(import.call, -REASON_BUSY, "other long answers are under way");
		return;
	}
	buf_init(&import.text, REQUEST_UPLOAD_MAX + 2 * READ_STEP);
	int status = read_options(&import);
	if (!status)
		status = read_text(&import);
	if (!status)
		status = make_room(&import);
	if (!status)
		status = run(&import);
	if (status && exchange->streaming)
		call_fail(import.call, status, NULL);
	import_done(&import);
	sem_post(streams);
}
