#include "viewer_doctor.h"

#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/reason.h"
#include "base/secret.h"
#include "base/text.h"
#include "e2e/identity.h"
#include "e2e/pins.h"
#include "link/findings.h"
#include "link/state_dir.h"
#include "profile.h"

#define CONNECT_S 5

/* Reached or not, no more: a sign-in without the password would count as a failed one. */
static int reach(const struct text_endpoint *gateway)
{
	char port[8];
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found = NULL;
	int status = -REASON_GATEWAY_UNREACHABLE;
	snprintf(port, sizeof(port), "%u", gateway->port);
	if (getaddrinfo(gateway->host, port, &hints, &found) != 0)
		return status;
	for (const struct addrinfo *one = found; one && status; one = one->ai_next) {
		struct timeval most = {CONNECT_S, 0};
		int fd = socket(one->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (fd < 0)
			continue;
		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &most, sizeof(most));
		if (connect(fd, one->ai_addr, one->ai_addrlen) == 0)
			status = 0;
		close(fd);
	}
	freeaddrinfo(found);
	return status;
}

static void look_at_profile(const char *dir, struct findings *findings,
	const struct profile *profile)
{
	char check[INNER_NAME_SIZE + 40], text[TEXT_HOST_SIZE + 16];
	struct pins_host pin;
	snprintf(check, sizeof(check), "key of %s", profile->name);
	int status = pins_read(dir, profile->access.key.public_id, &pin);
	findings_note(findings, check, status, state_dir_blame(status, NULL));
	secret_wipe(&pin, sizeof(pin));
	snprintf(check, sizeof(check), "gateway's CA of %s", profile->name);
	findings_note(findings, check, profile_ca_check(dir, profile), NULL);
	for (size_t i = 0; i < profile->access.gateway_count; i++) {
		text_endpoint_text(text, sizeof(text), &profile->access.gateways[i]);
		snprintf(check, sizeof(check), "gateway of %s", profile->name);
		findings_note(findings, check, reach(&profile->access.gateways[i]), text);
	}
}

static int decoder_there(char path[static 4096])
{
	ssize_t len = readlink("/proc/self/exe", path, 4000);
	char *end = len > 0 ? memrchr(path, '/', (size_t)len) : NULL;
	if (!end)
		return -REASON_MISSING_PROGRAM;
	snprintf(end, 4096 - (size_t)(end - path), "/engawa-decoder");
	return access(path, X_OK) == 0 ? 0 : -REASON_MISSING_PROGRAM;
}

int viewer_doctor_run(const char *dir, int json)
{
	struct findings *findings;
	struct identity *identity = NULL;
	char path[4096] = "";
	size_t count = 0;
	struct profile *profiles = calloc(PROFILE_MAX, sizeof(*profiles));
	int status = profiles ? findings_new(&findings) : -REASON_NO_MEMORY;
	if (status < 0) {
		free(profiles);
		return status;
	}
	status = identity_open(dir, &identity);
	findings_note(findings, "identity", status, state_dir_blame(status, dir));
	identity_free(identity);
	status = profile_list(dir, profiles, &count);
	findings_note(findings, "profiles",
		status  ? status
		: count ? 0
			: -REASON_NOT_PAIRED,
		state_dir_blame(status, dir));
	for (size_t i = 0; !status && i < count; i++)
		look_at_profile(dir, findings, &profiles[i]);
	const char *display = getenv("DISPLAY"), *wayland = getenv("WAYLAND_DISPLAY");
	int shown = (display && *display) || (wayland && *wayland);
	findings_note(findings, "display for the window", shown ? 0 : -REASON_NO_DISPLAY,
		display);
	findings_note(findings, "picture decoder", decoder_there(path), path);
	status = findings_print(findings, json ? FINDINGS_JSON : FINDINGS_TEXT);
	findings_free(findings);
	for (size_t i = 0; i < PROFILE_MAX; i++)
		access_wipe(&profiles[i].access);
	free(profiles);
	return status;
}
