/* engawa-host: the command line of the office side. Its verbs are one table. */

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent.h"
#include "agent_state.h"
#include "base/clock.h"
#include "base/program.h"
#include "base/reason.h"
#include "base/text.h"
#include "e2e/license_id.h"
#include "e2e/peers.h"
#include "e2e/private_file.h"
#include "e2e/ticket_book.h"
#include "enroll.h"
#include "enrolment.h"
#include "host_doctor.h"
#include "link/state_dir.h"
#include "veto.h"

struct options {
	const char *state, *log_format;
	int json;
	const char *gateway, *ca, *license, *license_file, *name;
	const char *display, *vnc, *vnc_password_file;
	int test_picture;
	long ready_fd, hours;
};

#define AT(field) offsetof(struct options, field)

// clang-format off
static const struct args_option globals[] = {
	{"--state", "DIR", ARGS_TEXT, AT(state), "where keys and enrolment are kept (default: ~/.local/state/engawa/host)"},
	{"--log-format", "text|json", ARGS_TEXT, AT(log_format), "how log lines look"},
	{"--json", NULL, ARGS_FLAG, AT(json), "answer in JSON"},
	{NULL},
};
static const struct args_option enroll_options[] = {
	{"--gateway", "HOST:PORT[,…]", ARGS_TEXT, AT(gateway), "gateways, in the order in which they are tried (port 7443 if not given)"},
	{"--ca", "FILE", ARGS_TEXT, AT(ca), "the gateway's CA (ca.pem); without it, the system's"},
	{"--license", "KEY", ARGS_TEXT, AT(license), "the license key: 25 letters and digits"},
	{"--license-file", "FILE", ARGS_TEXT, AT(license_file), "a file with the license key, so that no process list shows it"},
	{"--name", "NAME", ARGS_TEXT, AT(name), "what people call this PC (default: its host name)"},
	{NULL},
};
static const struct args_option run_options[] = {
	{"--display", ":N", ARGS_TEXT, AT(display), "the X display to share (default: $DISPLAY)"},
	{"--vnc", "HOST:PORT", ARGS_TEXT, AT(vnc), "share what this VNC server shows, instead of a display"},
	{"--vnc-password-file", "FILE", ARGS_TEXT, AT(vnc_password_file), "password of that VNC server (first line)"},
	{"--test-picture", NULL, ARGS_FLAG, AT(test_picture), "share a moving test picture; needs no display"},
	{"--ready-fd", "N", ARGS_LONG, AT(ready_fd), "write one line to this descriptor when online"},
	{NULL},
};
static const struct args_option pair_options[] = {
	{"--hours", "N", ARGS_LONG, AT(hours), "how long the code is good for (default 24, at most 168)"},
	{NULL},
};
static const struct args_option no_options[] = {{NULL}};
// clang-format on

static int ensure_state(struct options *options)
{
	static char dir[PRIVATE_FILE_PATH];
	int status = state_dir(options->state, "host", dir, sizeof(dir));
	if (status < 0)
		return program_fail(status, "(%s)",
			options->state ? options->state : "~/.local/state");
	options->state = dir;
	return 0;
}

static int do_enroll(void *ctx, int count UNUSED, char **words UNUSED)
{
	struct options *options = ctx;
	char key[128] = "", detail[ENROLL_DETAIL];
	int status = ensure_state(options);
	if (status < 0)
		return status;
	if (!options->gateway || (!options->license && !options->license_file))
		return program_fail(-REASON_USAGE,
			"enroll needs --gateway and --license.");
	if (options->license_file) {
		status = state_dir_first_line(options->license_file, key, sizeof(key));
		if (status < 0)
			return program_fail(status, "(%s)", options->license_file);
	}
	const struct enroll_request request = {options->state, options->gateway,
		options->ca, options->license_file ? key : options->license,
		options->name};
	struct enroll_answer answer;
	status = enroll_run(&request, &answer, detail);
	if (status < 0)
		return program_fail(status, "%s", detail);
	if (options->json) {
		json_t *object = json_pack("{s:s, s:s, s:s, s:s}", "license",
			answer.license, "gateway", answer.gateway, "holder",
			answer.holder, "device", answer.device);
		json_dumpf(object, stdout, JSON_COMPACT);
		puts("");
		json_decref(object);
	} else {
		printf("This PC is enrolled for %s (%s) at %s.\n", answer.license,
			answer.holder, answer.gateway);
		puts("Next: engawa-host run, then engawa-host pair for each viewer.");
	}
	return 0;
}

static int do_pair(void *ctx, int count UNUSED, char **words UNUSED)
{
	struct options *options = ctx;
	struct enrolment enrolment;
	struct ticket ticket;
	uint8_t license_id[LICENSE_ID_SIZE];
	char code[TICKET_TEXT_SIZE], until[CLOCK_TEXT];
	int status = ensure_state(options);
	if (status < 0)
		return status;
	if (options->hours < 0 || options->hours > 168)
		return program_fail(-REASON_USAGE, "--hours takes 1 to 168.");
	status = enrolment_read(options->state, &enrolment);
	if (!status)
		status = license_id_hash(enrolment.access.key.public_id, license_id);
	access_wipe(&enrolment.access);
	int64_t life_ms = (options->hours ? options->hours : 24) * INT64_C(3600000);
	int64_t now_ms = clock_wall_ms();
	if (!status)
		status = ticket_book_issue(options->state, license_id, life_ms, now_ms,
			&ticket);
	if (status < 0)
		return program_fail(status, "(%s)",
			state_dir_blame(status, options->state));
	ticket_print(&ticket, code);
	clock_text(now_ms + life_ms, until);
	int runs = agent_state_running(options->state);
	if (options->json)
		printf("{\"code\":\"%s\",\"expires\":\"%s\",\"agent_running\":%s}\n",
			code, until, runs ? "true" : "false");
	else {
		printf("Pairing code: %s\n\nGood until %s, for one viewer, once.\n", code,
			until);
		puts("At home: engawa-viewer pair … --code CODE");
		if (!runs)
			puts("The agent does not run at the moment; start it: "
			     "engawa-host run");
	}
	return 0;
}

static int do_run(void *ctx, int count UNUSED, char **words UNUSED)
{
	struct options *options = ctx;
	char detail[AGENT_DETAIL];
	int status = ensure_state(options);
	if (status < 0)
		return status;
	if (options->vnc && options->display)
		return program_fail(-REASON_USAGE,
			"--display and --vnc exclude each other.");
	const struct agent_config config = {
		.dir = options->state,
		.display = options->display,
		.vnc = options->vnc,
		.vnc_password_file = options->vnc_password_file,
		.pattern = options->test_picture,
		.ready_fd = options->ready_fd ? (int)options->ready_fd : -1,
	};
	status = agent_run(&config, detail);
	return status < 0 ? program_fail(status, "%s", detail) : 0;
}

static void print_notices(const json_t *status)
{
	const json_t *notices = json_object_get(status, "notices"), *notice;
	size_t i;
	json_array_foreach(notices, i, notice)
	{
		printf("! %s\n", json_string_value(notice));
	}
}

static int do_status(void *ctx, int count UNUSED, char **words UNUSED)
{
	struct options *options = ctx;
	struct enrolment enrolment;
	json_t *object = NULL;
	char license[LICENSE_KEY_ID_SIZE];
	int status = ensure_state(options);
	if (status < 0)
		return status;
	status = enrolment_read(options->state, &enrolment);
	if (status < 0)
		return program_fail(status, "(%s)",
			state_dir_blame(status, options->state));
	license_key_id(enrolment.access.key.public_id, license);
	access_wipe(&enrolment.access);
	int runs = agent_state_running(options->state);
	if (!runs || agent_state_ask(options->state, &object) < 0)
		object = json_pack("{s:s, s:s, s:s, s:n}", "state", "stopped", "reason",
			"NONE", "license", license, "session");
	const char *state = json_string_value(json_object_get(object, "state"));
	int online = state && !strcmp(state, "online");
	if (options->json) {
		json_dumpf(object, stdout, JSON_COMPACT | JSON_ENSURE_ASCII);
		puts("");
	} else {
		const json_t *session = json_object_get(object, "session");
		const char *viewer =
			json_string_value(json_object_get(session, "viewer"));
		const char *gateway =
			json_string_value(json_object_get(object, "gateway"));
		const char *reason = json_string_value(json_object_get(object, "reason"));
		printf("%s%s%s\n", state ? state : "unknown",
			gateway && *gateway ? " at " : "", gateway ? gateway : "");
		if (!runs)
			puts("The agent does not run; start it: engawa-host run");
		else if (!online && reason)
			printf("%s\n  %s\n",
				reason_text((int)reason_parse(reason), reason_lang_env()),
				reason_hint((int)reason_parse(reason),
					reason_lang_env()));
		printf("session: %s\n", viewer ? viewer : "none");
		print_notices(object);
	}
	json_decref(object);
	return 0;
}

static json_t *describe_peer(const struct peers_device *device)
{
	static const char *const classes[] = {"", "native", "web", "mobile"};
	char added[CLOCK_TEXT], seen[CLOCK_TEXT];
	clock_text(device->added_ms, added);
	clock_text(device->seen_ms, seen);
	return json_pack("{s:s, s:s, s:s, s:s, s:i, s:s, s:s, s:b}", "id", device->id,
		"name", device->name, "user", device->user, "kind",
		classes[device->class & 3], "rights", (int)device->rights, "added", added,
		"seen", seen, "removed", device->revoked_ms != 0);
}

static int do_peers_list(void *ctx, int count UNUSED, char **words UNUSED)
{
	struct options *options = ctx;
	struct peers *peers;
	int status = ensure_state(options);
	if (!status)
		status = peers_open(options->state, &peers);
	if (status < 0)
		return program_fail(status, "(%s)",
			state_dir_blame(status, options->state));
	json_t *list = json_array();
	for (size_t i = 0; i < peers_count(peers); i++)
		json_array_append_new(list, describe_peer(peers_at(peers, i)));
	if (options->json) {
		json_dumpf(list, stdout, JSON_COMPACT);
		puts("");
	} else if (!json_array_size(list)) {
		puts("No viewer is paired yet: engawa-host pair");
	} else {
		size_t i;
		json_t *peer;
		json_array_foreach(list, i, peer)
		{
			printf("%s  %-24s %s%s\n",
				json_string_value(json_object_get(peer, "id")),
				json_string_value(json_object_get(peer, "name")),
				json_string_value(json_object_get(peer, "seen")),
				json_is_true(json_object_get(peer, "removed"))
					? "  removed"
					: "");
		}
	}
	json_decref(list);
	peers_free(peers);
	return 0;
}

static int do_peers_remove(void *ctx, int count, char **words)
{
	struct options *options = ctx;
	struct peers *peers;
	if (count != 1)
		return program_fail(-REASON_USAGE, "peers remove takes one id or name.");
	int status = ensure_state(options);
	if (!status)
		status = peers_open(options->state, &peers);
	if (status < 0)
		return program_fail(status, "(%s)",
			state_dir_blame(status, options->state));
	status = peers_revoke(peers, words[0], clock_wall_ms());
	peers_free(peers);
	if (status < 0)
		return program_fail(status, "(%s)", words[0]);
	if (options->json)
		puts("{}");
	else
		puts("Removed. A session of this device ends within seconds.");
	return 0;
}

static int do_veto(void *ctx UNUSED, int count UNUSED, char **words UNUSED)
{
	veto_sample(stdout);
	return 0;
}

static int do_doctor(void *ctx, int count UNUSED, char **words UNUSED)
{
	struct options *options = ctx;
	int status = ensure_state(options);
	if (status < 0)
		return status;
	const struct host_doctor_config config = {
		options->state, options->display, options->vnc, options->json};
	return program_told(host_doctor_run(&config));
}

// clang-format off
static const struct program_verb verbs[] = {
	{"enroll", "", "Binds this PC to a license at a gateway; once.", enroll_options, 0, do_enroll},
	{"pair", "", "Makes a pairing code for one viewer; works while the agent runs.", pair_options, 0, do_pair},
	{"run", "", "Serves: connects to the gateway and waits for the paired viewers.", run_options, 0, do_run},
	{"status", "", "How the agent of this state directory is doing.", no_options, 0, do_status},
	{"peers list", "", "The paired viewers.", no_options, 0, do_peers_list},
	{"peers remove", "ID|NAME", "Takes a viewer's access away; its session ends.", no_options, 1, do_peers_remove},
	{"veto", "", "Prints a sample of veto.conf, this PC's own rules; its place is in the state directory.", no_options, 0, do_veto},
	{"doctor", "", "Checks everything that a session needs and says what is missing.", run_options, 0, do_doctor},
	{NULL},
};
// clang-format on

int main(int argc, char **argv)
{
	static struct options options;
	const struct program program = {
		.name = "engawa-host",
		.summary = "Shares this PC's desktop with paired viewers, through a "
			   "gateway that cannot see it.",
		.verbs = verbs,
		.globals = globals,
		.options = &options,
		.json = &options.json,
		.log_format = &options.log_format,
	};
	program_harden();
	return program_main(&program, argc, argv);
}
