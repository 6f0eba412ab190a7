#include "doctor.h"

#include <event2/event.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent_state.h"
#include "base/reason.h"
#include "base/text.h"
#include "desktop/desktop.h"
#include "e2e/identity.h"
#include "e2e/peers.h"
#include "enrolment.h"
#include "link/loop_box.h"
#include "link/uplink.h"
#include "veto.h"

struct findings {
	json_t *list;
	int first; /* -REASON_* of the first failure */
};

static void note(struct findings *findings, const char *check, int status,
	const char *detail)
{
	enum reason_lang lang = reason_lang_env();
	if (status < 0 && !findings->first)
		findings->first = status;
	json_array_append_new(findings->list,
		json_pack("{s:s, s:b, s:s, s:s, s:s}", "check", check, "ok", status == 0,
			"code", reason_symbol(status), "detail", detail ? detail : "",
			"hint", status < 0 ? reason_hint(status, lang) : ""));
}

static void look_at_files(const struct doctor_config *config, struct findings *findings,
	struct enrolment *enrolment, struct identity **identity)
{
	char detail[700], path[1024];
	struct peers *peers = NULL;
	struct veto veto = {0};
	struct conf_error error = {0};
	int status = enrolment_read(config->dir, enrolment);
	note(findings, "enrolment", status, config->dir);
	/* Without an enrolment there may be no identity yet, and looking must not make one. */
	if (!status)
		note(findings, "identity", identity_open(config->dir, identity), NULL);
	status = peers_open(config->dir, &peers);
	snprintf(detail, sizeof(detail), "%zu devices",
		status < 0 ? 0 : peers_count(peers));
	note(findings, "paired viewers", status, detail);
	peers_free(peers);
	snprintf(path, sizeof(path), "%s/veto.conf", config->dir);
	status = veto_read(path, &veto, &error);
	*detail = 0;
	if (status < 0)
		snprintf(detail, sizeof(detail), "%s:%d:%d: %s", error.file, error.line,
			error.column, error.message);
	note(findings, "veto file", status, detail);
	veto_done(&veto);
}

static void ignore_event(void *ctx UNUSED, const struct desktop_event *event UNUSED)
{
}

static void look_at_desktop(const struct doctor_config *config, struct findings *findings,
	struct event_base *base)
{
	struct desktop *desktop = NULL;
	struct text_endpoint vnc = {0};
	struct loop_box *box = NULL;
	char detail[100] = "";
	int status = config->vnc ? text_endpoint(&vnc, config->vnc, 5900) : 0;
	if (!status)
		status = loop_box_new(base, &box);
	if (!status) {
		const struct desktop_events events = {
			loop_box_post(box), ignore_event, NULL};
		const struct desktop_config desktop_config = {
			.kind = config->vnc ? DESKTOP_VNC : DESKTOP_X11,
			.display = config->display,
			.vnc_host = vnc.host,
			.vnc_port = vnc.port,
		};
		status = desktop_new(&desktop_config, &events, &desktop);
	}
	if (!status) {
		int width, height;
		desktop_size(desktop, &width, &height);
		snprintf(detail, sizeof(detail), "%d x %d", width, height);
	}
	note(findings, "desktop", status, detail);
	desktop_free(desktop);
	loop_box_free(box);
}

struct call {
	struct event_base *base;
	struct uplink *uplink;
	int status;
	char detail[UPLINK_DETAIL];
};

static void on_welcome(void *ctx, const struct message_welcome *welcome UNUSED)
{
	struct call *call = ctx;
	call->status = 0;
	uplink_leave(call->uplink, REASON_LEG_CLOSED);
}

static void on_down(void *ctx, const struct uplink_down *down)
{
	struct call *call = ctx;
	if (call->status) {
		call->status = -down->reason;
		text_clip(call->detail, sizeof(call->detail), down->detail);
	}
	event_base_loopbreak(call->base);
}

static void look_at_gateway(const struct doctor_config *config, struct findings *findings,
	struct event_base *base, const struct enrolment *enrolment,
	const struct identity *identity)
{
	static const struct uplink_events events = {
		.welcome = on_welcome, .down = on_down};
	/* A second leg would drive out the running agent's. What it knows itself is as good. */
	if (agent_state_running(config->dir)) {
		json_t *told = NULL;
		int status = agent_state_ask(config->dir, &told);
		const char *reason = json_string_value(json_object_get(told, "reason"));
		if (!status && reason)
			status = -(int)reason_parse(reason);
		note(findings, "gateway (asked the running agent)", status,
			json_string_value(json_object_get(told, "detail")));
		json_decref(told);
		return;
	}
	char ca[1024];
	struct call call = {.base = base, .status = -REASON_GATEWAY_UNREACHABLE};
	const struct uplink_config uplink = {
		.gateways = enrolment->access.gateways,
		.gateway_count = enrolment->access.gateway_count,
		.ca_file = enrolment_ca(config->dir, enrolment, ca, sizeof(ca)),
		.side = HELLO_HOST,
		.license = enrolment->access.key.public_id,
		.secret = enrolment->access.key.secret,
		.identity = identity,
		.kind = "native",
		.program = "engawa-host " ENGAWA_VERSION,
		.name = enrolment->name,
	};
	int status = uplink_new(&call.uplink, base, &uplink, &events, &call);
	if (!status)
		status = uplink_start(call.uplink);
	if (!status) {
		event_base_dispatch(base);
		status = call.status;
	}
	uplink_free(call.uplink);
	event_base_loop(base, EVLOOP_NONBLOCK);
	note(findings, "gateway", status, call.detail);
}

static void print(const struct findings *findings, int json)
{
	size_t i;
	json_t *finding;
	if (json) {
		json_dumpf(findings->list, stdout, JSON_COMPACT);
		puts("");
		return;
	}
	json_array_foreach(findings->list, i, finding)
	{
		const char *detail =
			json_string_value(json_object_get(finding, "detail"));
		int ok = json_is_true(json_object_get(finding, "ok"));
		printf("%-5s %s%s%s\n", ok ? "ok" : "FAIL",
			json_string_value(json_object_get(finding, "check")),
			*detail ? ": " : "", detail);
		if (!ok)
			printf("      %s: %s\n",
				json_string_value(json_object_get(finding, "code")),
				json_string_value(json_object_get(finding, "hint")));
	}
}

int doctor_run(const struct doctor_config *config)
{
	struct findings findings = {.list = json_array()};
	struct enrolment enrolment = {0};
	struct identity *identity = NULL;
	struct event_base *base = event_base_new();
	if (!base || !findings.list)
		return -REASON_NO_MEMORY;
	look_at_files(config, &findings, &enrolment, &identity);
	look_at_desktop(config, &findings, base);
	if (identity)
		look_at_gateway(config, &findings, base, &enrolment, identity);
	print(&findings, config->json);
	identity_free(identity);
	access_wipe(&enrolment.access);
	event_base_free(base);
	json_decref(findings.list);
	return findings.first;
}
