#include "rules/statement.h"

#include "base/reason.h"

int statement_change(struct statement *statement, const json_t *changes,
	struct field_error *error)
{
	static const char *const known[] = {"text", NULL};
	static const char *const languages[] = {"en", "ja", NULL};
	struct statement changed = *statement;
	const json_t *text = json_object_get(changes, "text");

	changed.en[0] = changed.ja[0] = '\0';
	int r = field_known(changes, known, error);
	if (r == 0 && !json_is_object(text))
		r = field_fail(error, "text", "an object with en and ja is expected");
	if (r == 0)
		r = field_known(text, languages, error);
	if (r == 0)
		r = field_text(text, "en", FIELD_MAY, changed.en, sizeof(changed.en),
			error);
	if (r == 0)
		r = field_text(text, "ja", FIELD_MAY, changed.ja, sizeof(changed.ja),
			error);
	if (r == 0 && !*changed.en && !*changed.ja)
		r = field_fail(error, "text", "en or ja must not be empty");
	if (r == 0)
		*statement = changed;
	return r;
}

int statement_write(const struct statement *statement, char **ret)
{
	const char *en = *statement->en ? statement->en : statement->ja;
	const char *ja = *statement->ja ? statement->ja : statement->en;
	json_t *object = json_pack("{s:s, s:{s:s, s:s}, s:I, s:s}", "row", statement->row,
		"text", "en", en, "ja", ja, "written_ms",
		(json_int_t)statement->written_ms, "by", statement->by);

	if (!object)
		return -REASON_NO_MEMORY;
	int r = field_print(object, ret);
	json_decref(object);
	return r;
}
