/* engawa-viewer: the command line of the home side. Its verbs are one table. */

#include <event2/event.h>
#include <jansson.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/program.h"
#include "base/reason.h"
#include "base/secret.h"
#include "base/text.h"
#include "e2e/inner.h"
#include "e2e/pins.h"
#include "e2e/private_file.h"
#include "e2e/ticket.h"
#include "face_listen.h"
#include "face_screenshot.h"
#include "face_window.h"
#include "link/news.h"
#include "link/state_dir.h"
#include "profile.h"
#include "prompt.h"
#include "viewer.h"
#include "viewer_doctor.h"

struct options {
	const char *state, *log_format;
	int json;
	const char *gateway, *ca, *license, *license_file, *password_file, *totp,
		*totp_file, *code, *code_file, *name;
	const char *listen, *screenshot, *device_name;
	long after, ready_fd;
	int full_screen, lossless;
};

#define AT(field) offsetof(struct options, field)
#define AFTER_DEFAULT LONG_MIN /* --after was not given */

// clang-format off
static const struct args_option globals[] = {
	{"--state", "DIR", ARGS_TEXT, AT(state), "where keys and profiles are kept (default: ~/.local/state/engawa/viewer)"},
	{"--log-format", "text|json", ARGS_TEXT, AT(log_format), "how log lines look"},
	{"--json", NULL, ARGS_FLAG, AT(json), "answer in JSON"},
	{NULL},
};
static const struct args_option pair_options[] = {
	{"--gateway", "HOST:PORT[,…]", ARGS_TEXT, AT(gateway), "gateways, in the order in which they are tried (port 7443 if not given)"},
	{"--ca", "FILE", ARGS_TEXT, AT(ca), "the gateway's CA (ca.pem); without it, the system's"},
	{"--license", "KEY", ARGS_TEXT, AT(license), "the license key: 25 letters and digits"},
	{"--license-file", "FILE", ARGS_TEXT, AT(license_file), "a file with the license key, so that no process list shows it"},
	{"--password-file", "FILE", ARGS_TEXT, AT(password_file), "a file with the access password (first line); - is standard input; asked for if not given"},
	{"--totp", "CODE", ARGS_TEXT, AT(totp), "one-time code, where the license needs one; asked for if not given"},
	{"--totp-file", "FILE", ARGS_TEXT, AT(totp_file), "a file with the one-time code (first line); - is standard input"},
	{"--code", "CODE", ARGS_TEXT, AT(code), "the pairing code that engawa-host pair printed"},
	{"--code-file", "FILE", ARGS_TEXT, AT(code_file), "a file with the pairing code"},
	{"--name", "NAME", ARGS_TEXT, AT(name), "what you call this office PC (default: its own name)"},
	{"--device-name", "NAME", ARGS_TEXT, AT(device_name), "what the office sees of this device (default: host name)"},
	{NULL},
};
static const struct args_option connect_options[] = {
	{"--password-file", "FILE", ARGS_TEXT, AT(password_file), "a file with the access password (first line); - is standard input; asked for if not given"},
	{"--totp", "CODE", ARGS_TEXT, AT(totp), "one-time code, where the license needs one; asked for if not given"},
	{"--totp-file", "FILE", ARGS_TEXT, AT(totp_file), "a file with the one-time code (first line); - is standard input"},
	{"--listen", "HOST:PORT", ARGS_TEXT, AT(listen), "serve any VNC client on this loopback address instead of a window"},
	{"--screenshot", "FILE.png", ARGS_TEXT, AT(screenshot), "write one picture of the desktop and end"},
	{"--after", "SECONDS", ARGS_LONG, AT(after), "with --screenshot: so long after the first whole picture (default 1)"},
	{"--full-screen", NULL, ARGS_FLAG, AT(full_screen), "begin in full screen"},
	{"--lossless", NULL, ARGS_FLAG, AT(lossless), "never trade sharpness for speed"},
	{"--device-name", "NAME", ARGS_TEXT, AT(device_name), "what the office sees of this device (default: host name)"},
	{"--ready-fd", "N", ARGS_LONG, AT(ready_fd), "write one line to this descriptor when the session is up"},
	{NULL},
};
static const struct args_option no_options[] = {{NULL}};
// clang-format on

static int ensure_state(struct options *options)
{
	static char dir[PRIVATE_FILE_PATH];
	int status = state_dir(options->state, "viewer", dir, sizeof(dir));
	if (status < 0)
		return program_fail(status, "(%s)",
			options->state ? options->state : "~/.local/state");
	options->state = dir;
	return 0;
}

/* The tunnel carries no others, so they are refused before anybody waits for them. */
static int check_name(const char *flag, const char *name)
{
	if (!name || (*name && inner_name_valid(name, strlen(name))))
		return 0;
	return strlen(name) > INNER_NAME_MAX
		       ? program_fail(-REASON_LIMIT, "%s is at most %d bytes.", flag,
				 INNER_NAME_MAX)
		       : program_fail(-REASON_BAD_VALUE,
				 "%s takes text without control characters.", flag);
}

static int get_text(const char *text, const char *file, const char *what, char *ret,
	size_t size)
{
	if (!file)
		return text ? text_copy(ret, size, text)
			    : program_fail(-REASON_USAGE, "pair needs %s.", what);
	int status = state_dir_first_line(file, ret, size);
	return status < 0 ? program_fail(status, "(%s)", file) : 0;
}

static int read_access(const struct options *options, struct access *access,
	struct ticket *ticket)
{
	char key[128] = "", code[128] = "";
	int status = get_text(options->license, options->license_file, "--license", key,
		sizeof(key));
	if (!status)
		status = get_text(options->code, options->code_file, "--code", code,
			sizeof(code));
	if (!status && !options->gateway)
		status = program_fail(-REASON_USAGE, "pair needs --gateway.");
	if (!status)
		status = license_key_parse(key, &access->key);
	if (!status)
		status = ticket_parse(code, ticket);
	if (!status && access_gateways(access, options->gateway) < 0)
		status = program_fail(-REASON_BAD_VALUE,
			"--gateway takes HOST:PORT[,HOST:PORT…].");
	if (!status && options->ca) {
		status = access_ca_readable(options->ca);
		if (status < 0)
			program_fail(status, "(%s)", options->ca);
	}
	access->own_ca = options->ca != NULL;
	secret_wipe(key, sizeof(key));
	secret_wipe(code, sizeof(code));
	return status;
}

static int store_profile(const struct options *options, struct profile *profile,
	const char *host_name)
{
	char ca[PRIVATE_FILE_PATH];
	text_clip(profile->host_name, sizeof(profile->host_name), host_name);
	if (!*profile->name)
		text_clip(profile->name, sizeof(profile->name), host_name);
	profile->paired_ms = clock_wall_ms();
	int status = profile_write(options->state, profile);
	if (status < 0 || !options->ca)
		return status;
	status = profile_ca_path(options->state, profile->access.key.public_id, ca,
		sizeof(ca));
	return status < 0 ? status : access_keep_ca(options->ca, ca);
}

static int do_pair(void *ctx, int count UNUSED, char **words UNUSED)
{
	struct options *options = ctx;
	struct profile profile = {0};
	struct ticket ticket;
	struct viewer *viewer = NULL;
	struct event_base *base = event_base_new();
	char password[PROMPT_SECRET] = "", totp[PROMPT_SECRET] = "",
	     detail[VIEWER_DETAIL], host_name[INNER_NAME_SIZE];
	int status = ensure_state(options);
	if (!status)
		status = read_access(options, &profile.access, &ticket);
	if (!status)
		status = check_name("--name", options->name);
	if (!status)
		status = check_name("--device-name", options->device_name);
	if (!status && options->name)
		text_clip(profile.name, sizeof(profile.name), options->name);
	if (!status)
		status = prompt_password(options->password_file, password);
	if (!status)
		status = prompt_code(options->totp, options->totp_file, totp);
	const struct viewer_config config = {
		.base = base,
		.dir = options->state,
		.profile = &profile,
		.password = password,
		.totp = totp,
		.ask_code = prompt_can_ask() ? prompt_ask_code : NULL,
		.ca_file = options->ca,
		.device_name = options->device_name,
		.ready_fd = -1,
	};
	if (!status)
		status = viewer_new(&viewer, &config);
	if (!status) {
		status = viewer_pair(viewer, &ticket, host_name, detail);
		if (status < 0)
			program_fail(status, "%s", detail);
	}
	viewer_free(viewer);
	event_base_free(base);
	if (!status)
		status = store_profile(options, &profile, host_name);
	if (!status && options->json) {
		json_t *object =
			json_pack("{s:s, s:s}", "name", profile.name, "host", host_name);
		json_dumpf(object, stdout, JSON_COMPACT);
		puts("");
		json_decref(object);
	} else if (!status)
		printf("Paired with %s.\nNext: engawa-viewer connect %s\n", host_name,
			profile.name);
	secret_wipe(password, sizeof(password));
	secret_wipe(totp, sizeof(totp));
	secret_wipe(&ticket, sizeof(ticket));
	access_wipe(&profile.access);
	return status;
}

enum shape { SHAPE_WINDOW, SHAPE_LISTEN, SHAPE_SCREENSHOT };

static int make_face(const struct options *options, struct event_base *base,
	const char *title, enum shape shape, struct face **ret)
{
	struct text_endpoint at;
	if (shape == SHAPE_LISTEN) {
		int status = text_endpoint(&at, options->listen, 0);
		if (!status)
			status = face_listen_new(ret, &at);
		if (status == -REASON_USAGE || status == -REASON_BAD_VALUE)
			return program_fail(-REASON_USAGE,
				"--listen takes a loopback address, 127.0.0.1:PORT.");
		return status < 0 ? program_fail(status, "(%s)", options->listen) : 0;
	}
	if (shape == SHAPE_SCREENSHOT) {
		int64_t after_ms =
			(options->after == AFTER_DEFAULT ? 1 : options->after) * 1000;
		int status = face_screenshot_new(ret, options->screenshot, after_ms);
		return status < 0 ? program_fail(status, "(%s)", options->screenshot) : 0;
	}
	const struct face_window_config config = {
		.base = base,
		.title = title,
		.full_screen = options->full_screen,
		.lossless = options->lossless,
	};
	return face_window_new(ret, &config);
}

static struct face *free_face(struct face *face, enum shape shape)
{
	if (shape == SHAPE_LISTEN)
		return face_listen_free(face);
	return shape == SHAPE_SCREENSHOT ? face_screenshot_free(face)
					 : face_window_free(face);
}

static int connect_with(struct options *options, const struct profile *profile,
	enum shape shape)
{
	struct face *face = NULL;
	struct viewer *viewer = NULL;
	char password[PROMPT_SECRET] = "", totp[PROMPT_SECRET] = "",
	     detail[VIEWER_DETAIL];
	struct pins_host pin;
	/* What is missing is said before a password is asked for. */
	int status = pins_read(options->state, profile->access.key.public_id, &pin);
	secret_wipe(&pin, sizeof(pin));
	if (status < 0)
		return program_fail(status == -REASON_NOT_FOUND ? -REASON_NOT_PAIRED
								: status,
			"(%s)", state_dir_blame(status, profile->name));
	status = profile_ca_check(options->state, profile);
	if (status < 0)
		return program_fail(status, "(the CA of %s)", profile->name);
	struct event_base *base = event_base_new();
	status = base ? 0 : -REASON_NO_MEMORY;
	if (!status)
		status = make_face(options, base, profile->name, shape, &face);
	if (!status)
		status = prompt_password(options->password_file, password);
	if (!status)
		status = prompt_code(options->totp, options->totp_file, totp);
	const struct viewer_config config = {
		.base = base,
		.dir = options->state,
		.profile = profile,
		.password = password,
		.totp = totp,
		.ask_code = prompt_can_ask() ? prompt_ask_code : NULL,
		.device_name = options->device_name,
		.face = face,
		.ready_fd = options->ready_fd ? (int)options->ready_fd : -1,
	};
	if (!status) {
		status = viewer_new(&viewer, &config);
		if (status < 0)
			program_fail(status, "(%s)",
				state_dir_blame(status, profile->name));
	}
	secret_wipe(password, sizeof(password));
	secret_wipe(totp, sizeof(totp));
	if (!status) {
		status = viewer_run(viewer, detail);
		if (status < 0)
			program_fail(status, "%s", detail);
	}
	viewer_free(viewer);
	free_face(face, shape);
	event_base_free(base);
	return status;
}

static int do_connect(void *ctx, int count, char **words)
{
	struct options *options = ctx;
	struct profile profile = {0};
	if (options->listen && options->screenshot)
		return program_fail(-REASON_USAGE,
			"--listen and --screenshot exclude each other.");
	if (options->after != AFTER_DEFAULT &&
		(options->after < 0 || options->after > 3600))
		return program_fail(-REASON_USAGE, "--after takes 0 to 3600 seconds.");
	int status = ensure_state(options);
	if (status < 0)
		return status;
	status = check_name("--device-name", options->device_name);
	if (status < 0)
		return status;
	status = profile_find(options->state, count ? words[0] : NULL, &profile);
	if (status == -REASON_CONFLICT && !count)
		return program_fail(-REASON_USAGE,
			"Several PCs are paired: name one (engawa-viewer list).");
	if (status < 0)
		return program_fail(status, "(%s)",
			state_dir_blame(status, count ? words[0] : options->state));
	enum shape shape = options->listen       ? SHAPE_LISTEN
			   : options->screenshot ? SHAPE_SCREENSHOT
						 : SHAPE_WINDOW;
	status = connect_with(options, &profile, shape);
	access_wipe(&profile.access);
	return status;
}

/* The operator's notices that are not over, as the gateway told them last. */
static void read_news(const struct options *options, const struct profile *profile,
	struct news *ret)
{
	json_t *object = profile_news_read(options->state, profile);
	char *text = object ? json_dumps(object, 0) : NULL;
	news_read(ret, text ? text : "");
	free(text);
	json_decref(object);
}

static json_t *describe_news(const struct news *news)
{
	json_t *list = json_array();
	for (size_t i = 0; i < news->count; i++) {
		char line[NEWS_LINE];
		if (news_is_over(&news->items[i], clock_wall_ms()))
			continue;
		news_line(&news->items[i], reason_lang_env(), line);
		json_array_append_new(list, json_string(line));
	}
	return list;
}

static json_t *describe(const struct options *options, const struct profile *profile)
{
	char paired[CLOCK_TEXT], license[LICENSE_KEY_ID_SIZE],
		gateway[TEXT_HOST_SIZE + 16];
	struct news news;
	clock_text(profile->paired_ms, paired);
	license_key_id(profile->access.key.public_id, license);
	text_endpoint_text(gateway, sizeof(gateway), &profile->access.gateways[0]);
	read_news(options, profile, &news);
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:o}", "name", profile->name, "host",
		profile->host_name, "license", license, "gateway", gateway, "paired",
		paired, "notices", describe_news(&news));
}

static void print_one(const json_t *one)
{
	const json_t *notices = json_object_get(one, "notices"), *notice;
	size_t i;
	printf("%s  %s at %s, paired %s\n",
		json_string_value(json_object_get(one, "name")),
		json_string_value(json_object_get(one, "license")),
		json_string_value(json_object_get(one, "gateway")),
		json_string_value(json_object_get(one, "paired")));
	json_array_foreach(notices, i, notice)
	{
		printf("  ! %s\n", json_string_value(notice));
	}
}

static int do_list(void *ctx, int count UNUSED, char **words UNUSED)
{
	struct options *options = ctx;
	size_t found = 0;
	int status = ensure_state(options);
	if (status < 0)
		return status;
	struct profile *profiles = calloc(PROFILE_MAX, sizeof(*profiles));
	if (!profiles)
		return -REASON_NO_MEMORY;
	status = profile_list(options->state, profiles, &found);
	json_t *list = json_array();
	for (size_t i = 0; !status && i < found; i++)
		json_array_append_new(list, describe(options, &profiles[i]));
	if (!status && options->json) {
		json_dumpf(list, stdout, JSON_COMPACT);
		puts("");
	}
	for (size_t i = 0; !status && !options->json && i < found; i++)
		print_one(json_array_get(list, i));
	if (!status && !options->json && !found)
		puts("No office PC is paired yet: engawa-viewer pair");
	json_decref(list);
	for (size_t i = 0; i < PROFILE_MAX; i++)
		access_wipe(&profiles[i].access);
	free(profiles);
	return status < 0 ? program_fail(status, "(%s)",
				    state_dir_blame(status, options->state))
			  : 0;
}

static int do_doctor(void *ctx, int count UNUSED, char **words UNUSED)
{
	struct options *options = ctx;
	int status = ensure_state(options);
	return status < 0
		       ? status
		       : program_told(viewer_doctor_run(options->state, options->json));
}

// clang-format off
static const struct program_verb verbs[] = {
	{"pair", "", "Meets an office PC for the first time, with a code from engawa-host pair.", pair_options, 0, do_pair},
	{"connect", "[NAME]", "Opens the desktop of a paired office PC.", connect_options, 1, do_connect},
	{"list", "", "The office PCs that this viewer is paired with.", no_options, 0, do_list},
	{"doctor", "", "Checks everything that a session needs and says what is missing.", no_options, 0, do_doctor},
	{NULL},
};
// clang-format on

int main(int argc, char **argv)
{
	static struct options options = {.after = AFTER_DEFAULT};
	const struct program program = {
		.name = "engawa-viewer",
		.summary = "Shows the desktop of a paired office PC, through a gateway "
			   "that cannot see it.",
		.verbs = verbs,
		.globals = globals,
		.options = &options,
		.json = &options.json,
		.log_format = &options.log_format,
	};
	program_harden();
	return program_main(&program, argc, argv);
}
