#include "alert/alert_seed.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/reason.h"
#include "rules/alert.h"
#include "store/store_wait.h"

static int seed_one(struct state *state, const char *tenant, enum alert_when when)
{
	struct alert alert;
	char *body;
	int status = alert_default(&alert, tenant, when, clock_wall_ms());

	if (status)
		return status == -REASON_NOT_FOUND ? 0 : status;
	status = alert_write(&alert, &body);
	if (status)
		return status;
	struct state_doc doc = {
		.kind = STATE_ALERT, .id = alert.id, .tenant = tenant, .body = body};
	status = store_wait_put(state, &doc, NULL);
	free(body);
	return status == -REASON_CONFLICT ? 0 : status;
}

int alert_seed(struct state *state, const char *tenant)
{
	struct store_docs docs = {0};
	char id[STATE_ID_MAX];

	snprintf(id, sizeof(id), "alerts/%s", tenant);
	int status = store_wait_get(state, STATE_META, id, &docs);
	store_docs_free(&docs);
	if (status != -REASON_NOT_FOUND)
		return status;
	status = 0;
	for (int when = 0; !status && when < ALERT_WHENS; when++)
		status = seed_one(state, tenant, (enum alert_when)when);
	if (status)
		return status;
	struct state_doc doc = {.kind = STATE_META,
		.id = id,
		.tenant = tenant,
		.body = "{\"seeded\":true}"};
	status = store_wait_put(state, &doc, NULL);
	return status == -REASON_CONFLICT ? 0 : status;
}
