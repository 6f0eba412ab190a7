#include "viewer_inside.h"

#include <event2/event.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/secret.h"
#include "base/text.h"
#include "e2e/identity.h"
#include "link/bridge.h"
#include "link/clip_lane.h"
#include "link/timer.h"
#include "link/tunnel.h"
#include "link/uplink.h"
#include "profile.h"

#define METER_MS 1000

int viewer_settle(struct viewer *viewer, int result, const char *detail)
{
	if (viewer->finished)
		return 0;
	viewer->finished = 1;
	viewer->result = result;
	if (detail && viewer->detail)
		text_clip(viewer->detail, VIEWER_DETAIL, detail);
	return 1;
}

void viewer_finish(struct viewer *viewer, int result, const char *detail)
{
	if (viewer_settle(viewer, result, detail))
		event_base_loopbreak(viewer->base);
}

/* The host knows who we are and has not let us in: it asks somebody. */
static void tell_waiting(struct viewer *viewer)
{
	int waiting = viewer->purpose == PROLOGUE_SESSION && viewer->tunnel &&
		      tunnel_state(viewer->tunnel) == TUNNEL_ADMITTING;
	if (waiting && !viewer->waiting) {
		log_line(LOG_INFO, "waiting for the person at the office PC");
		TELL_FACE(viewer, line, FACE_WAITING, REASON_NONE);
	}
	viewer->waiting = waiting;
}

static void on_meter(evutil_socket_t fd UNUSED, short what UNUSED, void *ctx)
{
	struct viewer *viewer = ctx;
	CHECK_OBJ(viewer, VIEWER_MAGIC);
	struct tunnel_stats stats = {0};
	const char *gateway = "";
	if (viewer->tunnel)
		tunnel_stats(viewer->tunnel, &stats);
	if (viewer->uplink)
		uplink_gateway(viewer->uplink, &gateway);
	tell_waiting(viewer);
	TELL_FACE(viewer, meter, &stats, gateway);
	timer_arm(viewer->meter, METER_MS);
}

static void on_signal(evutil_socket_t number UNUSED, short what UNUSED, void *ctx)
{
	viewer_leave(ctx, 0);
}

/* From the question on a session may be there: a leg that is only dropped looks like one that was lost, and
 * the license stays taken for the grace time. */
static int node_waits(const struct viewer *viewer)
{
	if (!viewer->uplink)
		return 0;
	enum hello_state state = uplink_state(viewer->uplink);
	return state == HELLO_WAITING || state == HELLO_JOINED;
}

void viewer_leave(struct viewer *viewer, int result)
{
	CHECK_OBJ(viewer, VIEWER_MAGIC);
	if (viewer->finished) {
		event_base_loopbreak(viewer->base);
		return;
	}
	if (!node_waits(viewer)) {
		viewer_finish(viewer, result, NULL);
		return;
	}
	viewer->finished = 1;
	viewer->result = result;
	/* The goodbye is sealed, told and counted; then the leg goes, and with it the loop. */
	struct timeval most = {3, 0};
	event_base_loopexit(viewer->base, &most);
	if (viewer->tunnel)
		tunnel_close(viewer->tunnel, REASON_VIEWER_LEFT);
	else
		uplink_leave(viewer->uplink, REASON_VIEWER_LEFT);
}

int viewer_stream(struct viewer *viewer, int fd)
{
	if (viewer->bridge)
		return bridge_start(viewer->bridge, fd, NULL);
	close(fd);
	return -REASON_LEG_CLOSED;
}

void viewer_stream_stop(struct viewer *viewer)
{
	if (viewer->bridge)
		bridge_stop(viewer->bridge);
}

int viewer_clip(struct viewer *viewer, const char *text, size_t len)
{
	if (!(viewer->rights & INNER_RIGHT_CLIP_TO_HOST))
		return -REASON_VETO;
	return viewer->clip ? clip_lane_send(viewer->clip, text, len)
			    : -REASON_LEG_CLOSED;
}

void viewer_code(struct viewer *viewer, const char *code)
{
	if (text_copy(viewer->totp, VIEWER_SECRET, code))
		*viewer->totp = 0;
	TELL_FACE(viewer, line, FACE_CONNECTING, REASON_NONE);
	timer_arm(viewer->attempt, 0);
}

void viewer_ready(struct viewer *viewer, const char *line)
{
	if (viewer->ready_fd < 0)
		return;
	dprintf(viewer->ready_fd, "%s\n", line);
	close(viewer->ready_fd);
	viewer->ready_fd = -1;
}

struct event_base *viewer_base(struct viewer *viewer)
{
	return viewer->base;
}

static int keep_secret(const char *text, char **ret)
{
	char *copy = secret_alloc(VIEWER_SECRET);
	if (!copy)
		return -REASON_NO_MEMORY;
	*ret = copy;
	return text_copy(copy, VIEWER_SECRET, text ? text : "");
}

static int make_loop(struct viewer *viewer)
{
	uint64_t seed;
	int status = secret_random(&seed, sizeof(seed));
	if (status < 0)
		return status;
	backoff_init(&viewer->backoff, seed);
	viewer->attempt = evtimer_new(viewer->base, viewer_line_attempt, viewer);
	viewer->meter = evtimer_new(viewer->base, on_meter, viewer);
	viewer->signals[0] = evsignal_new(viewer->base, SIGTERM, on_signal, viewer);
	viewer->signals[1] = evsignal_new(viewer->base, SIGINT, on_signal, viewer);
	if (!viewer->attempt || !viewer->meter || !viewer->signals[0] ||
		!viewer->signals[1])
		return -REASON_NO_MEMORY;
	event_add(viewer->signals[0], NULL);
	event_add(viewer->signals[1], NULL);
	return 0;
}

static int set_names(struct viewer *viewer, const struct viewer_config *config)
{
	char host[INNER_NAME_SIZE] = "";
	const struct passwd *person = getpwuid(getuid());
	gethostname(host, sizeof(host) - 1);
	text_clip(viewer->device_name, sizeof(viewer->device_name),
		config->device_name ? config->device_name : host);
	text_clip(viewer->user, sizeof(viewer->user), person ? person->pw_name : "");
	if (config->ca_file)
		return text_copy(viewer->ca_file, sizeof(viewer->ca_file),
			config->ca_file);
	if (!config->profile->access.own_ca)
		return 0;
	return profile_ca_path(config->dir, config->profile->access.key.public_id,
		viewer->ca_file, sizeof(viewer->ca_file));
}

int viewer_new(struct viewer **ret, const struct viewer_config *config)
{
	struct viewer *viewer = calloc(1, sizeof(*viewer));
	if (!viewer)
		return -REASON_NO_MEMORY;
	viewer->magic = VIEWER_MAGIC;
	viewer->base = config->base;
	viewer->profile = config->profile;
	viewer->face = config->face;
	viewer->ready_fd = config->ready_fd;
	viewer->ask_code = config->ask_code;
	viewer->purpose = PROLOGUE_SESSION;
	signal(SIGPIPE, SIG_IGN);
	int status = text_copy(viewer->dir, sizeof(viewer->dir), config->dir);
	if (!status)
		status = set_names(viewer, config);
	if (!status)
		status = keep_secret(config->password, &viewer->password);
	if (!status)
		status = keep_secret(config->totp, &viewer->totp);
	if (!status)
		status = identity_open(viewer->dir, &viewer->identity);
	if (!status)
		status = make_loop(viewer);
	if (status < 0) {
		viewer_free(viewer);
		return status;
	}
	*ret = viewer;
	return 0;
}

static int run(struct viewer *viewer, char *detail)
{
	viewer->detail = detail;
	*detail = 0;
	TELL_FACE(viewer, begin, viewer);
	TELL_FACE(viewer, line, FACE_CONNECTING, REASON_NONE);
	timer_arm(viewer->attempt, 0);
	timer_arm(viewer->meter, METER_MS);
	event_base_dispatch(viewer->base);
	return viewer->result;
}

int viewer_run(struct viewer *viewer, char detail[static VIEWER_DETAIL])
{
	int status = pins_read(viewer->dir, viewer->profile->access.key.public_id,
		&viewer->pin);
	if (status < 0)
		return status == -REASON_NOT_FOUND ? -REASON_NOT_PAIRED : status;
	return run(viewer, detail);
}

int viewer_pair(struct viewer *viewer, const struct ticket *ticket,
	char ret_host_name[static INNER_NAME_SIZE], char detail[static VIEWER_DETAIL])
{
	viewer->purpose = PROLOGUE_PAIRING;
	viewer->ticket = *ticket;
	viewer->result = -REASON_E2E_FAILED;
	int status = run(viewer, detail);
	if (!status)
		text_clip(ret_host_name, INNER_NAME_SIZE, viewer->paired_name);
	return status;
}

struct viewer *viewer_free(struct viewer *viewer)
{
	if (!viewer)
		return NULL;
	CHECK_OBJ(viewer, VIEWER_MAGIC);
	viewer_tunnel_drop(viewer);
	viewer->uplink = uplink_free(viewer->uplink);
	event_base_loop(viewer->base, EVLOOP_NONBLOCK);
	timer_free(viewer->attempt);
	timer_free(viewer->meter);
	timer_free(viewer->signals[0]);
	timer_free(viewer->signals[1]);
	viewer->identity = identity_free(viewer->identity);
	viewer->password = secret_free(viewer->password, VIEWER_SECRET);
	viewer->totp = secret_free(viewer->totp, VIEWER_SECRET);
	if (viewer->ready_fd >= 0)
		close(viewer->ready_fd);
	secret_wipe(viewer, sizeof(*viewer));
	free(viewer);
	return NULL;
}
