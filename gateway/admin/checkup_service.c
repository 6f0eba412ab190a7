/* Probes of the service itself: whose question it is, stands in checksheet.def. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "admin/checkup.h"
#include "admin/month.h"
#include "alert/alerts.h"
#include "base/clock.h"
#include "base/reason.h"
#include "rules/notice.h"

#define DAY_MS INT64_C(86400000)
#define HOUR_MS 3600000
#define SOON_MS (60 * DAY_MS)

static void probed(struct checkup *checkup, struct probe_facts *ret)
{
	alerts_probed(checkup->call->admin->parts.alerts, ret);
}

static int measure(struct checkup *checkup, int before, struct availability *ret,
	int64_t *ret_since_ms)
{
	struct month month;

	month_of(clock_wall_ms(), before, &month);
	return month_availability(checkup->call, &month, ret, ret_since_ms);
}

struct notices {
	struct checkup *checkup;
	int64_t now_ms, current, ends, too_short, stops;
};

static void see_notice(const struct state_doc *doc, const json_t *body UNUSED, void *ctx)
{
	struct notices *notices = ctx;
	struct field_error error;
	struct notice notice;

	if (notice_read(doc->body, &notice, &error))
		return;
	int shown = notice_concerns(&notice, notices->checkup->tenant, NOTICE_CONSOLE,
		notices->now_ms);
	notices->current += shown;
	notices->ends += shown && notice.kind == NOTICE_END_OF_SERVICE;
	if (notice.kind != NOTICE_PLANNED_STOP || notice.to_ms <= notices->now_ms)
		return;
	notices->too_short += notice_is_short(&notice);
	notices->stops += notice.from_ms < notices->now_ms + SOON_MS;
}

/* Notices for everybody belong to no company. */
static int look_at_notices(struct checkup *checkup, struct notices *ret)
{
	struct checkup all = *checkup;

	*ret = (struct notices){.checkup = checkup, .now_ms = clock_wall_ms()};
	all.tenant = "";
	return checkup_documents(&all, STATE_NOTICE, see_notice, ret);
}

int checkup_service_service(struct checkup *checkup, json_t *values,
	enum checkup_verdict *ret)
{
	struct notices notices;
	struct availability is;
	char percent[48];
	int64_t since_ms;
	int status = look_at_notices(checkup, &notices);

	if (!status)
		status = measure(checkup, 0, &is, &since_ms);
	if (status)
		return status;
	month_percent(is.ppm, percent);
	checkup_number(values, "stops", notices.stops);
	checkup_text(values, "percent", percent);
	*ret = CHECKUP_GOOD;
	return 0;
}

int checkup_service_notices(struct checkup *checkup, json_t *values,
	enum checkup_verdict *ret)
{
	struct notices notices;
	int status = look_at_notices(checkup, &notices);

	if (status)
		return status;
	checkup_number(values, "lead_days", NOTICE_LEAD_MS / DAY_MS);
	checkup_number(values, "current", notices.current);
	checkup_number(values, "short", notices.too_short);
	*ret = !notices.too_short;
	return 0;
}

int checkup_service_end(struct checkup *checkup, json_t *values,
	enum checkup_verdict *ret)
{
	struct notices notices;
	int status = look_at_notices(checkup, &notices);

	if (status)
		return status;
	checkup_number(values, "current", notices.ends);
	*ret = CHECKUP_GOOD;
	return 0;
}

int checkup_service_formats(struct checkup *checkup UNUSED, json_t *values,
	enum checkup_verdict *ret)
{
	checkup_text(values, "version", ENGAWA_VERSION);
	json_object_set_new(values, "formats",
		json_pack("[s,s,s]", "JSON", "JSONL", "CSV"));
	*ret = CHECKUP_GOOD;
	return 0;
}

int checkup_service_availability(struct checkup *checkup, json_t *values,
	enum checkup_verdict *ret)
{
	static const char *const too_early[] = {
		[REASON_EN] = "Not measured yet: less than an hour of this month",
		[REASON_JA] = "まだ計測していません（今月の計測は1時間未満です）"};
	struct availability is;
	char percent[48];
	int64_t since_ms;
	int status = measure(checkup, 0, &is, &since_ms);

	if (status)
		return status;
	month_percent(is.ppm, percent);
	checkup_text(values, "percent", percent);
	checkup_number(values, "measured_h", is.measured_ms / HOUR_MS);
	checkup_number(values, "down_s", is.down_ms / 1000);
	checkup_time(values, "since", since_ms);
	*ret = is.ppm >= 999000;
	/* What was measured for less than an hour says nothing yet. */
	if (is.measured_ms < HOUR_MS) {
		checkup->instead = too_early;
		checkup_text(values, "percent", NULL);
		*ret = CHECKUP_UNKNOWN;
	}
	return 0;
}

int checkup_service_upgrade(struct checkup *checkup UNUSED, json_t *values,
	enum checkup_verdict *ret)
{
	checkup_text(values, "version", ENGAWA_VERSION);
	*ret = CHECKUP_GOOD;
	return 0;
}

int checkup_service_mttr(struct checkup *checkup, json_t *values,
	enum checkup_verdict *ret)
{
	struct availability is;
	int64_t since_ms;
	int status = measure(checkup, 0, &is, &since_ms);

	if (status)
		return status;
	checkup_number(values, "mttr_s", is.mttr_ms / 1000);
	checkup_number(values, "longest_s", is.longest_ms / 1000);
	*ret = is.mttr_ms <= HOUR_MS;
	return 0;
}

int checkup_service_faults(struct checkup *checkup, json_t *values,
	enum checkup_verdict *ret)
{
	struct availability is, before;
	int64_t since_ms;
	int status = measure(checkup, 0, &is, &since_ms);

	if (!status)
		status = measure(checkup, 1, &before, &since_ms);
	if (status)
		return status;
	checkup_number(values, "faults", is.faults);
	checkup_number(values, "last_month", before.faults);
	*ret = CHECKUP_GOOD;
	return 0;
}

int checkup_service_watched(struct checkup *checkup, json_t *values,
	enum checkup_verdict *ret)
{
	struct probe_facts facts;
	struct admin_facts admin;

	probed(checkup, &facts);
	checkup->call->admin->parts.facts(checkup->call->admin->parts.ctx, &admin);
	checkup_number(values, "every_s", facts.every_ms / 1000);
	checkup_number(values, "asked", facts.asked);
	checkup_time(values, "since", admin.started_ms);
	*ret = facts.asked && facts.every_ms <= 5 * 60000 &&
	       clock_wall_ms() - facts.last_ms < 3 * facts.every_ms + 60000;
	return 0;
}

int checkup_service_status(struct checkup *checkup, json_t *values,
	enum checkup_verdict *ret)
{
	struct admin_facts facts;

	checkup->call->admin->parts.facts(checkup->call->admin->parts.ctx, &facts);
	checkup_text(values, "state",
		facts.draining ? "draining"
		: facts.ready  ? "ready"
			       : "not ready");
	*ret = CHECKUP_GOOD;
	return 0;
}

int checkup_service_response(struct checkup *checkup, json_t *values,
	enum checkup_verdict *ret)
{
	struct probe_facts facts;

	probed(checkup, &facts);
	checkup_number(values, "asked", facts.asked);
	checkup_number(values, "p50_ms", facts.p50_us / 1000);
	checkup_number(values, "p95_ms", facts.p95_us / 1000);
	checkup_number(values, "worst_ms", facts.worst_us / 1000);
	*ret = facts.asked ? facts.p95_us < 1000000 : CHECKUP_UNKNOWN;
	return 0;
}

int checkup_service_batch(struct checkup *checkup, json_t *values,
	enum checkup_verdict *ret)
{
	checkup_text(values, "meter", checkup_setting(checkup, "relay.meter_interval"));
	*ret = CHECKUP_GOOD;
	return 0;
}

int checkup_service_capacity(struct checkup *checkup, json_t *values,
	enum checkup_verdict *ret)
{
	struct admin_facts facts;
	struct store_docs docs = {0};
	int status = store_wait_list(call_store(checkup->call)->state, STATE_NODE, NULL,
		NULL, 1000, &docs);

	if (status)
		return status;
	checkup->call->admin->parts.facts(checkup->call->admin->parts.ctx, &facts);
	checkup_number(values, "legs", checkup_setting_number(checkup, "relay.legs"));
	checkup_number(values, "viewers_per_license",
		checkup_setting_number(checkup, "relay.viewers_per_license"));
	checkup_number(values, "nodes", (int64_t)docs.count);
	checkup_number(values, "sessions", (int64_t)facts.sessions);
	store_docs_free(&docs);
	*ret = CHECKUP_GOOD;
	return 0;
}

static void count_one(const struct state_doc *doc UNUSED, const json_t *body UNUSED,
	void *ctx)
{
	(*(int64_t *)ctx)++;
}

int checkup_service_adapt(struct checkup *checkup, json_t *values,
	enum checkup_verdict *ret)
{
	int64_t policies = 0, groups = 0;
	int status = checkup_documents(checkup, STATE_POLICY, count_one, &policies);

	if (!status)
		status = checkup_documents(checkup, STATE_GROUP, count_one, &groups);
	if (status)
		return status;
	checkup_number(values, "policies", policies);
	checkup_number(values, "groups", groups);
	checkup_number(values, "roles", ROLES);
	*ret = CHECKUP_GOOD;
	return 0;
}

struct interfaces {
	int64_t webhooks, syslogs;
};

static void see_route(const struct state_doc *doc UNUSED, const json_t *body, void *ctx)
{
	struct interfaces *interfaces = ctx;
	const char *kind = json_string_value(json_object_get(body, "kind"));

	interfaces->webhooks += kind && !strcmp(kind, "webhook");
	interfaces->syslogs += kind && !strcmp(kind, "syslog");
}

int checkup_service_interfaces(struct checkup *checkup, json_t *values,
	enum checkup_verdict *ret)
{
	struct interfaces interfaces = {0};
	int64_t tokens = 0;
	int status = checkup_documents(checkup, STATE_ROUTE, see_route, &interfaces);

	if (!status)
		status = checkup_documents(checkup, STATE_TOKEN, count_one, &tokens);
	if (status)
		return status;
	checkup_number(values, "tokens", tokens);
	checkup_number(values, "webhooks", interfaces.webhooks);
	checkup_number(values, "syslogs", interfaces.syslogs);
	*ret = CHECKUP_GOOD;
	return 0;
}

/* Asked of the listener itself, now: what it speaks, and whether it would speak anything older. */
static int ask_transport(struct checkup *checkup, json_t *values)
{
	struct probe_facts facts;
	struct probe_answer answer = {0};

	probed(checkup, &facts);
	for (int i = 0; i < PROBE_TARGETS; i++) {
		enum probe_ask_how how =
			i == PROBE_ADMIN ? PROBE_ASK_HEALTH : PROBE_ASK_NATIVE;
		if (probe_ask(facts.endpoints[i], how, &answer))
			return -1;
	}
	int old = probe_ask_takes_old_tls(facts.endpoints[PROBE_ADMIN]);
	checkup_text(values, "version", answer.version);
	checkup_text(values, "suite", answer.suite);
	checkup_flag(values, "old_tls", old);
	return !old && !strcmp(answer.version, "TLSv1.3");
}

int checkup_service_transport(struct checkup *checkup, json_t *values,
	enum checkup_verdict *ret)
{
	int good = ask_transport(checkup, values);

	*ret = good < 0 ? CHECKUP_UNKNOWN : (enum checkup_verdict)good;
	return 0;
}

/* Looks for the end-to-end code in this very program: its name with the NUL that ends a text of C, since the page for
 * browsers, which is served and never run here, has it too, in quotes. The mark stands in two pieces, or it would
 * find itself. */
static int holds_tunnel_code(void)
{
	static const char *const mark[] = {"Noise_XXpsk3_", "25519_AESGCM_SHA256"};
	char name[64], *text = NULL;
	size_t size = 0, got;
	char piece[65536];
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	FILE *in = fd < 0 ? NULL : fdopen(fd, "r");
	FILE *out = open_memstream(&text, &size);

	while (in && out && (got = fread(piece, 1, sizeof(piece), in)))
		fwrite(piece, 1, got, out);
	if (in)
		fclose(in);
	if (out)
		fclose(out);
	snprintf(name, sizeof(name), "%s%s", mark[0], mark[1]);
	/* Unreadable counts as found: what cannot be shown is not claimed. */
	int found = !text || !size || memmem(text, size, name, strlen(name) + 1) != NULL;
	free(text);
	return found;
}

int checkup_service_blind(struct checkup *checkup, json_t *values,
	enum checkup_verdict *ret)
{
	int able = holds_tunnel_code();
	int good = ask_transport(checkup, values);

	checkup_text(values, "tunnel", "Noise XXpsk3, X25519, AES-256-GCM");
	checkup_flag(values, "able", able);
	*ret = good < 0 ? CHECKUP_UNKNOWN : (enum checkup_verdict)(good && !able);
	return 0;
}

int checkup_service_validators(struct checkup *checkup, json_t *values,
	enum checkup_verdict *ret)
{
	const char *body = checkup_setting(checkup, "http.body");
	const char *header = checkup_setting(checkup, "http.header");

	checkup_text(values, "body", body ? body : "64K");
	checkup_text(values, "header", header ? header : "8K");
	*ret = CHECKUP_GOOD;
	return 0;
}
