#include "admin/api_events.h"

#include <stdlib.h>
#include <string.h>

#include "base/reason.h"
#include "base/text.h"
#include "http/event_stream.h"

/* What a page asks for again after these news, and who may see that page. Ids alone travel, so news
 * of what belongs to no company (nodes, the operator's notices) go to all who may see them. */
static const struct {
	const char *type;
	enum role_permission permission;
	enum event_reach reach;
} kinds[] = {
	{"license", ROLE_MAY_LICENSE_READ, EVENT_TENANT},
	{"session", ROLE_MAY_SESSION_READ, EVENT_TENANT},
	{"host", ROLE_MAY_HOST_READ, EVENT_TENANT},
	{"group", ROLE_MAY_GROUP_READ, EVENT_TENANT},
	{"policy", ROLE_MAY_POLICY_READ, EVENT_EVERYBODY},
	{"account", ROLE_MAY_ACCOUNT_READ, EVENT_TENANT},
	{"sign_in", ROLE_MAY_ACCOUNT_READ, EVENT_TENANT},
	{"security", ROLE_MAY_ACCOUNT_READ, EVENT_TENANT},
	{"directory", ROLE_MAY_ACCOUNT_READ, EVENT_TENANT},
	{"token", ROLE_MAY_TOKEN_READ, EVENT_TENANT},
	{"tenant", ROLE_MAY_TENANT_READ, EVENT_TENANT},
	{"alarm", ROLE_MAY_ALERT_READ, EVENT_TENANT},
	{"alert", ROLE_MAY_ALERT_READ, EVENT_TENANT},
	{"route", ROLE_MAY_ALERT_READ, EVENT_TENANT},
	{"notice", ROLE_MAY_NOTICE_READ, EVENT_EVERYBODY},
	{"node", ROLE_MAY_NODE_READ, EVENT_EVERYBODY},
	{"backup", ROLE_MAY_BACKUP, EVENT_TENANT},
	{"key", ROLE_MAY_BACKUP, EVENT_TENANT},
	{"statement", ROLE_MAY_REPORT_READ, EVENT_EVERYBODY},
};

_Static_assert(ROLE_PERMISSIONS <= 64, "a listener's rights are 64 bits");

static uint64_t right(enum role_permission permission)
{
	return UINT64_C(1) << permission;
}

static const char *member(const json_t *news, const char *name)
{
	const char *text = json_string_value(json_object_get(news, name));
	return text ? text : "";
}

/* Whose rights may have changed is asked again who he is, on whatever node he listens: his stream
 * ends, and a browser that is still signed in comes back at once. */
static void ask_again(struct admin *admin, const json_t *news)
{
	static const char *const types[] = {"sign_in", "token", "account"};

	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (!strcmp(types[i], member(news, "type")))
			event_stream_all_drop(admin->parts.events, member(news, "id"));
}

static void on_news(void *ctx, const char *topic UNUSED, const char *json)
{
	struct admin *admin = ctx;
	json_t *news = json_loads(json, 0, NULL);
	const char *type = member(news, "type");

	/* What is sent on is made anew: one line, however it was written. */
	char *line = json_is_object(news) ? json_dumps(news, JSON_COMPACT) : NULL;
	for (size_t i = 0; line && i < ARRAY_LEN(kinds); i++) {
		if (strcmp(kinds[i].type, type))
			continue;
		const char *tenant = member(news, "tenant");
		struct event event = {.tenant = tenant,
			.reach = *tenant ? EVENT_TENANT : kinds[i].reach,
			.rights = right(kinds[i].permission),
			.json = line};
		event_stream_all_send(admin->parts.events, &event);
		ask_again(admin, news);
	}
	free(line);
	json_decref(news);
}

int api_events_start(struct admin *admin, struct post_box *box)
{
	if (!admin->parts.events)
		return 0;
	return bus_subscribe(admin->parts.store->bus, "news", box, on_news, admin,
		&admin->news);
}

void api_events_stop(struct admin *admin)
{
	if (admin->news)
		bus_unsubscribe(admin->parts.store->bus, admin->news);
	admin->news = NULL;
}

void api_events_listen(void *ctx, struct exchange *exchange)
{
	struct admin *admin = ctx;
	struct call *call = call_of(exchange);
	struct event_listener listener = {.rights = 0};

	if (!admin->parts.events) {
		call_fail(call, -REASON_BUSY, NULL);
		return;
	}
	text_clip(listener.tenant, sizeof(listener.tenant), call->by.tenant);
	text_clip(listener.key, sizeof(listener.key), call->by.id);
	text_clip(listener.name, sizeof(listener.name), call->by.name);
	for (int i = 0; i < ROLE_PERMISSIONS; i++)
		if (call_may(call, (enum role_permission)i))
			listener.rights |= right((enum role_permission)i);
	event_stream_open(admin->parts.events, exchange, &listener);
}

/* "/api/v1/accounts/yamada/unlock" changed the account "yamada". */
static const struct {
	const char *segment, *type;
} paths[] = {{"accounts", "account"}, {"alerts", "alert"}, {"routes", "route"},
	{"alarms", "alarm"}, {"notices", "notice"}, {"tokens", "token"},
	{"nodes", "node"}, {"directories", "directory"}, {"security", "security"},
	{"backups", "backup"}, {"keys", "key"}, {"statements", "statement"},
	{"licenses", "license"}, {"tenants", "tenant"}, {"groups", "group"},
	{"policies", "policy"}};

static const char *act_of(const struct call *call)
{
	const struct request *request = call->exchange->request;

	if (request->method == REQUEST_DELETE && request->segment_count == 4)
		return "deleted";
	return request->method == REQUEST_POST && request->segment_count == 3 ? "created"
									      : "changed";
}

/* What somebody changes of himself: the path does not name him. */
static void tell_own(struct call *call, const struct request *request)
{
	const char *const *at = request->segments;

	if (!strcmp(at[2], "sign-out"))
		call_changed(call, "sign_in", call->by.id, call->by.tenant, "deleted");
	else if (request->segment_count == 5 && !strcmp(at[3], "sign-ins"))
		call_changed(call, "sign_in", at[4], call->by.tenant, "deleted");
	else if (!strcmp(at[2], "me"))
		call_changed(call, "account", call->by.name, call->by.tenant, "changed");
}

static int is_change(const struct call *call)
{
	const struct request *request = call->exchange->request;
	int status = call->exchange->status;

	return status >= 200 && status <= 299 && request->method != REQUEST_GET &&
	       request->method != REQUEST_HEAD && request->segment_count >= 3;
}

void api_events_tell(struct call *call)
{
	const struct request *request = call->exchange->request;

	if (call->told || !call->recorded || !is_change(call))
		return;
	for (size_t i = 0; i < ARRAY_LEN(paths); i++)
		if (!strcmp(paths[i].segment, request->segments[2]))
			call_changed(call, paths[i].type,
				request->segment_count > 3 ? request->segments[3] : "",
				call->recorded_tenant, act_of(call));
	if (!call->told)
		tell_own(call, request);
}
