#include "rules/license_sheet.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/reason.h"
#include "base/text.h"
#include "rules/digest.h"
#include "rules/tenant.h"

#define DAY_MS INT64_C(86400000)
#define MINUTE_MS INT64_C(60000)

static int is_passed_over(const char *name)
{
	return !strcmp(name, "id") || !strcmp(name, "created");
}

static int is_known(const char *name)
{
	static const char *const names[] = {
		"holder", "tenant", "group", "expires", "note", "state", "labels"};
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (!strcmp(names[i], name))
			return 1;
	return is_passed_over(name) || (!strncmp(name, "label:", 6) && name[6]);
}

static int has_column(const struct license_sheet *sheet, const char *name)
{
	for (size_t i = 0; i < sheet->count; i++)
		if (!strcmp(sheet->names[i], name))
			return 1;
	return 0;
}

int license_sheet_head(struct license_sheet *sheet, const struct csv_record *record,
	struct field_error *error)
{
	char shown[64];
	sheet->count = 0;
	for (size_t i = 0; i < record->count; i++) {
		const char *name = record->cells[i];
		field_plain(shown, sizeof(shown), name);
		if (!field_is_plain(name) || !is_known(name) ||
			strlen(name) >= sizeof(sheet->names[0]))
			return field_fail(error, shown, "there is no such column");
		if (has_column(sheet, name))
			return field_fail(error, shown, "the column is there twice");
		memcpy(sheet->names[sheet->count++], name, strlen(name) + 1);
	}
	return has_column(sheet, "holder")
		       ? 0
		       : field_fail(error, "holder", "this column is needed");
}

/* As the exports' own rule (http/csv.h), but for numbers with a sign, such as telephone numbers. */
static int is_formula(const char *cell)
{
	if (!*cell || !strchr("=+-@\t\r", *cell))
		return 0;
	return !strchr("+-", *cell) ||
	       cell[1 + strspn(cell + 1, "0123456789 ()-.")] != '\0';
}

/* What is meant by a cell; NULL: a formula. */
static const char *meaning(const char *cell)
{
	if (*cell == '\'' && cell[1] && strchr("=+-@\t\r", cell[1]))
		return cell + 1;
	return is_formula(cell) ? NULL : cell;
}

static int64_t days_from_civil(int year, int month, int day)
{
	year -= month <= 2;
	int64_t era = year / 400;
	int64_t of_era = year - era * 400;
	int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static int number(const char **at, int digits, int *ret)
{
	int value = 0, used = 0;
	for (; used < digits && isdigit((unsigned char)**at); ++*at, used++)
		value = value * 10 + **at - '0';
	*ret = value;
	return used;
}

static int days_of_month(int year, int month)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	int leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
	return days[month - 1] + (month == 2 && leap);
}

/* Days since 1970 of "2027-03-31" or "2027/3/31". */
static int parse_day(const char *text, int64_t *ret)
{
	const char *at = text;
	int year, month, day;
	if (number(&at, 4, &year) != 4 || (*at != '-' && *at != '/'))
		return -REASON_BAD_VALUE;
	char separator = *at++;
	if (!number(&at, 2, &month) || *at++ != separator || !number(&at, 2, &day) || *at)
		return -REASON_BAD_VALUE;
	if (year < 1970 || month < 1 || month > 12 || day < 1 ||
		day > days_of_month(year, month))
		return -REASON_BAD_VALUE;
	*ret = days_from_civil(year, month, day);
	return 0;
}

static int set_expires(const struct license_sheet *sheet, const char *cell,
	json_t *fields, struct field_error *error)
{
	int64_t days, ms;
	if (parse_day(cell, &days) == 0)
		ms = (days + 1) * DAY_MS - sheet->offset_min * MINUTE_MS;
	else if (clock_parse(cell, &ms))
		return field_fail(error, "expires",
			"a day like 2027-03-31, or a time of RFC 3339, is expected");
	json_object_set_new(fields, "expires_ms", json_integer(ms));
	return 0;
}

static int set_labels(json_t *labels, const char *cell, struct field_error *error)
{
	json_t *given = json_loads(cell, JSON_REJECT_DUPLICATES, NULL);
	int good = json_is_object(given) && !json_object_update(labels, given);
	json_decref(given);
	return good ? 0 : field_fail(error, "labels", "a JSON object is expected");
}

struct filling {
	const struct license_sheet *sheet;
	json_t *fields, *labels;
	char tenant[LICENSE_TENANT_SIZE];
};

static int set_tenant(struct filling *filling, const char *cell,
	struct field_error *error)
{
	if (!tenant_id_good(cell))
		return field_fail(error, "tenant", "small letters, digits, - and _");
	return text_copy(filling->tenant, sizeof(filling->tenant), cell);
}

static int set_cell(struct filling *filling, const char *name, const char *raw,
	struct field_error *error)
{
	const char *cell = meaning(raw);
	if (!text_utf8_valid(raw, strlen(raw)))
		return field_fail(error, name, "is not UTF-8");
	if (!cell)
		return field_fail(error, name,
			"looks like a formula; put ' in front if it is meant as text");
	if (!strcmp(name, "tenant"))
		return set_tenant(filling, cell, error);
	if (!strcmp(name, "expires"))
		return set_expires(filling->sheet, cell, filling->fields, error);
	if (!strcmp(name, "labels"))
		return set_labels(filling->labels, cell, error);
	json_t *to = filling->fields;
	if (!strncmp(name, "label:", 6)) {
		to = filling->labels;
		name += 6;
	}
	return json_object_set_new(to, name, json_string(cell)) ? -REASON_NO_MEMORY : 0;
}

static int fill(struct filling *filling, const struct csv_record *record,
	struct field_error *error)
{
	const struct license_sheet *sheet = filling->sheet;
	for (size_t i = 0; i < sheet->count; i++) {
		if (!*record->cells[i] || is_passed_over(sheet->names[i]))
			continue;
		int r = set_cell(filling, sheet->names[i], record->cells[i], error);
		if (r)
			return r;
	}
	return json_object_set(filling->fields, "labels", filling->labels)
		       ? -REASON_NO_MEMORY
		       : 0;
}

int license_sheet_line(const struct license_sheet *sheet, const struct csv_record *record,
	const char *tenant, struct license *ret, struct field_error *error)
{
	struct filling filling = {
		.sheet = sheet, .fields = json_object(), .labels = json_object()};
	struct license license = {0};
	int r = text_copy(filling.tenant, sizeof(filling.tenant), tenant);
	if (r == 0 && record->count != sheet->count)
		r = field_fail(error, "", "%zu cells instead of %zu", record->count,
			sheet->count);
	if (r == 0)
		r = fill(&filling, record, error);
	if (r == 0)
		r = license_change(&license, filling.fields, error);
	json_decref(filling.fields);
	json_decref(filling.labels);
	if (r)
		return r;
	memcpy(license.tenant, filling.tenant, sizeof(license.tenant));
	*ret = license;
	return 0;
}

int license_sheet_digest(const struct license_sheet *sheet,
	const struct csv_record *record, uint64_t *ret)
{
	uint8_t digest[DIGEST_SIZE];
	char text[CSV_READER_LINE];
	size_t used = 0;
	for (size_t i = 0; i < sheet->count && i < record->count; i++) {
		if (is_passed_over(sheet->names[i]))
			continue;
		size_t size = strlen(record->cells[i]) + 1;
		memcpy(text + used, record->cells[i], size);
		used += size;
	}
	int r = digest_sha256(text, used, digest);
	if (r == 0)
		memcpy(ret, digest, sizeof(*ret));
	return r;
}
