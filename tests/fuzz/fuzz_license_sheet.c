/* links: gateway_rules */
/* Files that people hand in as lists of licenses: whatever is in them, each line is read once, in order,
 * and what comes out as a license can be written and read again. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/reason.h"
#include "rules/license_sheet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_license(struct license *license)
{
	struct field_error error;
	struct license again;
	struct license_key key;
	char *body;
	CHECK(*license->holder && field_is_plain(license->holder));
	CHECK(field_is_plain(license->note) && field_is_plain(license->group));
	CHECK(license_issue(license, &key) == 0);
	CHECK(license_write(license, NULL, &body) == 0);
	CHECK(license_read(body, &again, &error) == 0);
	CHECK(!strcmp(again.holder, license->holder));
	CHECK(again.label_count == license->label_count);
	free(body);
}

static void read_line(const struct license_sheet *sheet, const struct csv_record *record)
{
	struct field_error error = {0};
	struct license license;
	uint64_t digest;
	CHECK(license_sheet_digest(sheet, record, &digest) == 0);
	if (license_sheet_line(sheet, record, "acme", &license, &error) == 0)
		check_license(&license);
	else
		CHECK(*error.message);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct csv_record record;
	struct license_sheet sheet = {.offset_min = 540};
	struct field_error error = {0};
	struct csv_reader reader;
	long line = 0;
	size_t at;
	int r, has_head = 0;
	const char *foreign = csv_reader_foreign((const char *)data, size);

	CHECK(!foreign || *foreign);
	csv_reader_init(&reader, (const char *)data, size);
	for (at = reader.at; (r = csv_reader_next(&reader, &record, &error)) != 0;
		at = reader.at) {
		CHECK(reader.at > at && reader.at <= size && record.line > line);
		line = record.line;
		CHECK(r > 0 || *error.message);
		if (r > 0 && has_head)
			read_line(&sheet, &record);
		else if (r > 0)
			has_head = license_sheet_head(&sheet, &record, &error) == 0;
	}
	return 0;
}
