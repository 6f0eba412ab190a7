#include "link/knock.h"

#include <event2/event.h>
#include <stdio.h>
#include <string.h>

#include "base/reason.h"
#include "base/text.h"

struct knocking {
	struct event_base *base;
	struct uplink *uplink;
	struct knock_answer *answer;
	int status;
};

static void on_welcome(void *ctx, const struct message_welcome *welcome)
{
	struct knocking *knocking = ctx;
	const char *gateway;
	knocking->status = 0;
	knocking->answer->welcome = *welcome;
	knocking->answer->clock_skew_ms = uplink_clock_skew_ms(knocking->uplink);
	uplink_gateway(knocking->uplink, &gateway);
	text_clip(knocking->answer->gateway, sizeof(knocking->answer->gateway), gateway);
	uplink_leave(knocking->uplink, REASON_LEG_CLOSED);
}

static void on_down(void *ctx, const struct uplink_down *down)
{
	struct knocking *knocking = ctx;
	if (knocking->status) {
		knocking->status = -down->reason;
		char retry[REASON_RETRY_SIZE];
		reason_retry_text(down->retry_ms, reason_lang_env(), retry);
		snprintf(knocking->answer->detail, sizeof(knocking->answer->detail),
			"%.200s%s%s", down->detail, *down->detail && *retry ? " " : "",
			retry);
	}
	event_base_loopbreak(knocking->base);
}

int knock(const struct uplink_config *config, struct knock_answer *ret)
{
	static const struct uplink_events events = {
		.welcome = on_welcome, .down = on_down};
	struct knocking knocking = {.answer = ret, .status = -REASON_GATEWAY_UNREACHABLE};
	memset(ret, 0, sizeof(*ret));
	knocking.base = event_base_new();
	if (!knocking.base)
		return -REASON_NO_MEMORY;
	int status =
		uplink_new(&knocking.uplink, knocking.base, config, &events, &knocking);
	if (!status)
		status = uplink_start(knocking.uplink);
	if (!status) {
		event_base_dispatch(knocking.base);
		status = knocking.status;
	}
	uplink_free(knocking.uplink);
	/* What was freed lets go of its memory at the end of a turn. */
	event_base_loop(knocking.base, EVLOOP_NONBLOCK);
	event_base_free(knocking.base);
	return status;
}
