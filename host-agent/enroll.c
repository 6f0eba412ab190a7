#include "enroll.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "agent_state.h"
#include "base/clock.h"
#include "base/reason.h"
#include "base/text.h"
#include "e2e/identity.h"
#include "e2e/inner.h"
#include "e2e/private_file.h"
#include "enrolment.h"
#include "inventory.h"
#include "link/knock.h"
#include "link/state_dir.h"

static int ask_gateway(const struct enroll_request *request,
	const struct enrolment *enrolment, const struct identity *identity,
	struct knock_answer *ret)
{
	char *inventory = inventory_collect("", 0, 0);
	struct uplink_config config =
		enrolment_uplink(enrolment, identity, request->ca_file, inventory);
	config.enrol = UPLINK_ENROL;
	int status = knock(&config, ret);
	free(inventory);
	return status;
}

static int prepare(const struct enroll_request *request, struct enrolment *enrolment,
	char detail[static ENROLL_DETAIL])
{
	struct utsname system;
	int status = license_key_parse(request->license_key, &enrolment->access.key);
	if (status < 0)
		return status;
	status = access_gateways(&enrolment->access, request->gateways);
	if (status < 0) {
		snprintf(detail, ENROLL_DETAIL,
			"--gateway takes HOST:PORT[,HOST:PORT…], not \"%s\".",
			request->gateways);
		return status;
	}
	/* The tunnel carries no other names: with such a one every pairing would fail. */
	if (request->name &&
		(!*request->name || strlen(request->name) > INNER_NAME_MAX ||
			!inner_name_valid(request->name, strlen(request->name)))) {
		snprintf(detail, ENROLL_DETAIL,
			"--name takes text of 1 to %d bytes without control characters.",
			INNER_NAME_MAX);
		return -REASON_BAD_VALUE;
	}
	uname(&system);
	text_clip(enrolment->name, sizeof(enrolment->name),
		request->name ? request->name : system.nodename);
	if (!inner_name_valid(enrolment->name, strlen(enrolment->name)))
		text_clip(enrolment->name, sizeof(enrolment->name), "office");
	enrolment->access.own_ca = request->ca_file != NULL;
	enrolment->enrolled_ms = clock_wall_ms();
	return 0;
}

/* The fence of another gateway's store means nothing here. */
static int store(const struct enroll_request *request, const struct enrolment *enrolment)
{
	char ca[PRIVATE_FILE_PATH];
	int status = 0;
	if (request->ca_file) {
		status = private_file_path(ca, request->dir, "ca", "pem");
		if (!status)
			status = access_keep_ca(request->ca_file, ca);
	}
	if (!status)
		status = agent_state_keep_fence(request->dir, 0);
	return status < 0 ? status : enrolment_write(request->dir, enrolment);
}

int enroll_run(const struct enroll_request *request, struct enroll_answer *ret,
	char detail[static ENROLL_DETAIL])
{
	struct enrolment enrolment = {0};
	struct identity *identity = NULL;
	int lock = -1;
	*detail = 0;
	memset(ret, 0, sizeof(*ret));
	signal(SIGPIPE, SIG_IGN);
	int status = prepare(request, &enrolment, detail);
	if (!status && request->ca_file) {
		status = access_ca_readable(request->ca_file);
		if (status < 0)
			snprintf(detail, ENROLL_DETAIL, "(%s)", request->ca_file);
	}
	if (!status)
		status = private_file_directory(request->dir);
	if (!status)
		status = agent_state_lock(request->dir, &lock);
	if (!status)
		status = identity_open(request->dir, &identity);
	if (status < 0) {
		if (!*detail)
			snprintf(detail, ENROLL_DETAIL, "(%s)",
				state_dir_blame(status, request->dir));
		goto out;
	}
	struct knock_answer answer;
	status = ask_gateway(request, &enrolment, identity, &answer);
	if (status < 0)
		text_clip(detail, ENROLL_DETAIL, answer.detail);
	else
		status = store(request, &enrolment);
	if (!status) {
		license_key_id(enrolment.access.key.public_id, ret->license);
		text_clip(ret->gateway, sizeof(ret->gateway), answer.gateway);
		text_clip(ret->holder, sizeof(ret->holder), answer.welcome.holder);
		text_clip(ret->device, sizeof(ret->device), identity_id(identity));
	}
out:
	identity_free(identity);
	access_wipe(&enrolment.access);
	if (lock >= 0)
		close(lock);
	return status;
}
