#include "store/journal.h"

#include <string.h>

#include "base/reason.h"
#include "store/state.h"

const char *journal_kind_name(enum journal_kind kind)
{
	static const char *const names[] = {"audit", "login", "session", "bandwidth"};
	_Static_assert(ARRAY_LEN(names) == JOURNAL_KINDS, "every kind has a name");
	return (unsigned)kind < JOURNAL_KINDS ? names[kind] : "unknown";
}

int journal_rows_check(const struct journal_row *rows, size_t count)
{
	if (count > JOURNAL_APPEND_MAX)
		return -REASON_LIMIT;
	for (size_t i = 0; i < count; i++) {
		const struct journal_row *row = &rows[i];
		CHECK((unsigned)row->kind < JOURNAL_KINDS);
		if (strnlen(row->tenant, STATE_TENANT_MAX + 1) > STATE_TENANT_MAX ||
			strnlen(row->license, STATE_ID_MAX + 1) > STATE_ID_MAX ||
			strnlen(row->body, JOURNAL_BODY_MAX + 1) > JOURNAL_BODY_MAX)
			return -REASON_LIMIT;
	}
	return 0;
}
