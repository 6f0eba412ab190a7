#include "http/body.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/secret.h"
#include "base/text.h"

/* A form of a foreign page can send text/plain and form types without asking, but not this one. */
static int is_json(const struct request *request)
{
	const char *type = request_header(request, "Content-Type");
	size_t len = type ? strcspn(type, "; \t") : 0;
	return len == 16 && !strncasecmp(type, "application/json", 16);
}

static int holds_nul(const json_t *value)
{
	return json_is_string(value) &&
	       strlen(json_string_value(value)) != json_string_length(value);
}

/* jansson tells the place of a NUL; people look for the field. Its own words for it speak of its flags. */
static int refuse_nul(struct exchange *exchange, const json_error_t *error)
{
	const struct request *request = exchange->request;
	char detail[BODY_DETAIL], field[60] = "";
	struct body again = {0};
	const char *name;
	json_t *value;

	again.object = json_loadb(request->body, request->body_len, JSON_ALLOW_NUL, NULL);
	json_object_foreach(again.object, name, value)
	{
		if (!*field && holds_nul(value))
			text_escape(field, sizeof(field), name);
	}
	body_done(&again);
	if (*field)
		snprintf(detail, sizeof(detail), "%s: a text holds NUL", field);
	else
		snprintf(detail, sizeof(detail), "line %d column %d: a text holds NUL",
			error->line, error->column);
	exchange->field = *field ? field : NULL;
	int status = exchange_problem(exchange, REASON_BAD_VALUE, detail);
	exchange->field = NULL;
	return status;
}

int body_parse(struct body *body, struct exchange *exchange)
{
	const struct request *request = exchange->request;
	json_error_t error;
	char detail[BODY_DETAIL];

	*body = (struct body){0};
	if (!request->body_len) {
		body->object = json_object();
		return body->object ? 0
				    : exchange_problem(exchange, REASON_NO_MEMORY, NULL);
	}
	if (!is_json(request))
		return exchange_problem_as(exchange, 415, REASON_BAD_VALUE,
			"Content-Type: application/json expected");
	body->object = json_loadb(request->body, request->body_len,
		JSON_REJECT_DUPLICATES, &error);
	if (!body->object) {
		char what[100];
		if (json_error_code(&error) == json_error_null_character)
			return refuse_nul(exchange, &error);
		text_escape(what, sizeof(what), error.text);
		snprintf(detail, sizeof(detail), "line %d column %d: %s", error.line,
			error.column, what);
		return exchange_problem(exchange, REASON_BAD_VALUE, detail);
	}
	if (!json_is_object(body->object)) {
		body_done(body);
		return exchange_problem(exchange, REASON_BAD_VALUE,
			"a JSON object is expected");
	}
	return 0;
}

/* Bodies carry passwords; what somebody else holds on to is his. */
static void wipe(json_t *object)
{
	const char *name;
	json_t *value;

	if (!object || object->refcount != 1)
		return;
	json_object_foreach(object, name,
		value) if (json_is_string(value) && value->refcount == 1)
		secret_wipe((char *)json_string_value(value), json_string_length(value));
}

void body_done(struct body *body)
{
	wipe(body->object);
	json_decref(body->object);
	body->object = NULL;
}

void body_wrong(struct body *body, const char *name, const char *what)
{
	if (body->status)
		return;
	body->status = -REASON_BAD_VALUE;
	snprintf(body->field, sizeof(body->field), "%.60s", name);
	snprintf(body->detail, sizeof(body->detail), "%.60s: %.120s", name, what);
}

static json_t *ask(struct body *body, const char *name)
{
	if (body->asked_count < BODY_MEMBERS)
		body->asked[body->asked_count++] = name;
	return json_object_get(body->object, name);
}

const char *body_text(struct body *body, const char *name, size_t max,
	enum body_need need)
{
	json_t *value = ask(body, name);
	char what[64];

	if (!value || json_is_null(value)) {
		if (need == BODY_NEED)
			body_wrong(body, name, "is missing");
		return NULL;
	}
	if (!json_is_string(value)) {
		body_wrong(body, name, "text expected");
		return NULL;
	}
	if (json_string_length(value) > max) {
		snprintf(what, sizeof(what), "at most %zu bytes", max);
		body_wrong(body, name, what);
		return NULL;
	}
	/* jansson keeps a NUL in the middle, and nobody after it would see the rest. */
	if (strlen(json_string_value(value)) != json_string_length(value) ||
		!text_is_plain(json_string_value(value))) {
		body_wrong(body, name, "holds characters that cannot be shown");
		return NULL;
	}
	if (need == BODY_NEED && !json_string_length(value)) {
		body_wrong(body, name, "is empty");
		return NULL;
	}
	return json_string_value(value);
}

int64_t body_number(struct body *body, const char *name, int64_t min, int64_t max,
	int64_t fallback)
{
	json_t *value = ask(body, name);
	char what[96];

	if (!value || json_is_null(value))
		return fallback;
	int64_t number = json_integer_value(value);
	if (!json_is_integer(value) || number < min || number > max) {
		snprintf(what, sizeof(what), "a whole number from %lld to %lld expected",
			(long long)min, (long long)max);
		body_wrong(body, name, what);
		return fallback;
	}
	return number;
}

static int was_asked(const struct body *body, const char *name)
{
	for (size_t i = 0; i < body->asked_count; i++)
		if (!strcmp(body->asked[i], name))
			return 1;
	return 0;
}

int body_check(struct body *body, struct exchange *exchange)
{
	const char *name;
	json_t *value;

	json_object_foreach(body->object, name, value)
	{
		char shown[60];
		text_escape(shown, sizeof(shown), name);
		if (!was_asked(body, name))
			body_wrong(body, shown, "is not known here");
	}
	if (body->status) {
		exchange->field = body->field;
		exchange_problem(exchange, body->status, body->detail);
		exchange->field = NULL;
	}
	return body->status;
}
