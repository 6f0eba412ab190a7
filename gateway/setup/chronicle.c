#include "setup/chronicle.h"

#include <stdlib.h>

#include "base/clock.h"
#include "store/store_open.h"
#include "store/store_wait.h"

int chronicle_write(struct store *store, enum audit_event event, json_t *fields)
{
	char *body = NULL;
	int status = audit_body(event, "gateway", "", fields, &body);

	if (status)
		return status;
	struct journal_row row = {.kind = JOURNAL_AUDIT,
		.tenant = "",
		.license = "",
		.at_ms = clock_wall_ms(),
		.body = body};
	status = store_wait_append(store->journal, &row, 1);
	free(body);
	return status;
}
