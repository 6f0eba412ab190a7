#include "alert/alarm_note.h"

#include <stdlib.h>
#include <string.h>

#include "base/reason.h"
#include "store/store_wait.h"

#define TRIES 8

typedef void (*alarm_change)(struct alarm *alarm, const void *what);

static int change_once(struct state *state, const char *id, alarm_change change,
	const void *what)
{
	struct store_docs docs = {0};
	struct field_error error;
	struct alarm alarm;
	char *body;
	int status = store_wait_get(state, STATE_ALARM, id, &docs);

	if (status)
		return status;
	status = alarm_read(docs.docs[0].body, &alarm, &error);
	if (!status) {
		change(&alarm, what);
		status = alarm_write(&alarm, &body);
	}
	if (!status) {
		struct state_doc doc = docs.docs[0];
		doc.body = body;
		status = store_wait_put(state, &doc, NULL);
		free(body);
	}
	store_docs_free(&docs);
	return status;
}

static int change_it(struct state *state, const char *id, alarm_change change,
	const void *what)
{
	int status = -REASON_CONFLICT;

	for (int i = 0; status == -REASON_CONFLICT && i < TRIES; i++)
		status = change_once(state, id, change, what);
	return status;
}

static void set_delivery(struct alarm *alarm, const void *what)
{
	const struct alarm_delivery *delivery = what;
	struct alarm_delivery *to = alarm_delivery_to(alarm, delivery->route);

	if (to)
		*to = *delivery;
}

int alarm_note_delivery(struct state *state, const char *id,
	const struct alarm_delivery *delivery)
{
	return change_it(state, id, set_delivery, delivery);
}

static void set_over(struct alarm *alarm, const void *what)
{
	if (!alarm->over_ms)
		alarm->over_ms = *(const int64_t *)what;
}

int alarm_note_over(struct state *state, const char *id, int64_t over_ms)
{
	return change_it(state, id, set_over, &over_ms);
}
