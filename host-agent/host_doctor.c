#include "host_doctor.h"

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
#include "link/findings.h"
#include "link/knock.h"
#include "link/loop_box.h"
#include "link/state_dir.h"
#include "veto.h"

static void look_at_files(const struct host_doctor_config *config,
	struct findings *findings, struct enrolment *enrolment,
	struct identity **identity)
{
	char detail[700], path[1024];
	struct peers *peers = NULL;
	struct veto veto = {0};
	struct conf_error error = {0};
	uint64_t fence;
	int status = enrolment_read(config->dir, enrolment);
	findings_note(findings, "enrolment", status,
		state_dir_blame(status, config->dir));
	/* Without an enrolment there may be no identity yet, and looking must not make one. */
	if (!status) {
		status = identity_open(config->dir, identity);
		findings_note(findings, "identity", status,
			state_dir_blame(status, NULL));
		findings_note(findings, "gateway's CA",
			enrolment_ca_check(config->dir, enrolment), NULL);
		status = agent_state_fence(config->dir, &fence);
		findings_note(findings, "last session's fence", status,
			state_dir_blame(status, NULL));
	}
	status = peers_open(config->dir, &peers);
	snprintf(detail, sizeof(detail), "%zu devices",
		status < 0 ? 0 : peers_count(peers));
	findings_note(findings, "paired viewers", status,
		state_dir_blame(status, detail));
	peers_free(peers);
	snprintf(path, sizeof(path), "%s/veto.conf", config->dir);
	status = veto_read(path, &veto, &error);
	*detail = 0;
	if (status < 0) {
		char text[CONF_ERROR_TEXT];
		conf_error_text(&error, text);
		text_clip(detail, sizeof(detail), text);
	}
	findings_note(findings, "veto file", status, detail);
	veto_done(&veto);
}

static void ignore_event(void *ctx UNUSED, const struct desktop_event *event UNUSED)
{
}

static void look_at_desktop(const struct host_doctor_config *config,
	struct findings *findings, struct event_base *base)
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
	findings_note(findings, "desktop", status, detail);
	desktop_free(desktop);
	loop_box_free(box);
}

static void look_at_gateway(const struct host_doctor_config *config,
	struct findings *findings, const struct enrolment *enrolment,
	const struct identity *identity)
{
	/* A second leg would drive out the running agent's. What it knows itself is as good. */
	if (agent_state_running(config->dir)) {
		json_t *told = NULL;
		int status = agent_state_ask(config->dir, &told);
		const char *reason = json_string_value(json_object_get(told, "reason"));
		if (!status && reason)
			status = -(int)reason_parse(reason);
		findings_note(findings, "gateway (asked the running agent)", status,
			json_string_value(json_object_get(told, "detail")));
		json_decref(told);
		return;
	}
	char ca[1024];
	struct knock_answer answer;
	const struct uplink_config uplink = enrolment_uplink(enrolment, identity,
		enrolment_ca(config->dir, enrolment, ca, sizeof(ca)), NULL);
	int status = knock(&uplink, &answer);
	findings_note(findings, "gateway", status,
		status < 0 ? answer.detail : answer.gateway);
}

int host_doctor_run(const struct host_doctor_config *config)
{
	struct findings *findings = NULL;
	struct enrolment enrolment = {0};
	struct identity *identity = NULL;
	struct event_base *base = event_base_new();
	int status = base ? findings_new(&findings) : -REASON_NO_MEMORY;
	if (!status) {
		look_at_files(config, findings, &enrolment, &identity);
		look_at_desktop(config, findings, base);
		if (identity)
			look_at_gateway(config, findings, &enrolment, identity);
		status = findings_print(findings,
			config->json ? FINDINGS_JSON : FINDINGS_TEXT);
	}
	findings_free(findings);
	identity_free(identity);
	access_wipe(&enrolment.access);
	if (base)
		event_base_free(base);
	return status;
}
