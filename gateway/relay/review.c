#include "relay/review.h"

#include <stdlib.h>
#include <string.h>

#include "admission/admission.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/reason.h"
#include "base/secret.h"
#include "base/text.h"
#include "metrics/metrics.h"
#include "relay/desk.h"
#include "relay/leg.h"
#include "relay/orders.h"
#include "relay/session_limit.h"

#define AGAIN_MS 1000
#define REFRESHES 5 /* in the time for which something may be used from the cache */

/* An answer finds its leg by number: it may be gone, or elsewhere, by then. */
struct question {
	struct desk *desk;
	uint64_t number;
	int is_refresh; /* nobody ordered it: asked again in its own time */
};

static int concerns(const struct order *order, const struct leg *leg)
{
	if (order->license[0])
		return !strcmp(order->license, leg->license);
	return !order->tenant[0] || !strcmp(order->tenant, leg->tenant);
}

void review_order(struct desk *desk, const struct order *order)
{
	LIST_EACH(node, &desk->legs)
	{
		struct leg *leg = LIST_ENTRY(node, struct leg, node);
		if (leg->side != HELLO_VIEWER || leg->state == HELLO_ENDED ||
			!concerns(order, leg))
			continue;
		metrics_add(METRIC_ORDERS, 1);
		leg->review_ms = clock_mono_ms();
	}
}

static void take_policy(struct leg *leg, const struct admission_verdict *verdict)
{
	char *policy = strdup(verdict->policy);
	if (!policy) {
		leg->review_ms = clock_mono_ms() + AGAIN_MS;
		return;
	}
	int same = !strcmp(policy, leg->policy);
	free(leg->policy);
	leg->policy = policy;
	leg->expires_ms = verdict->expires_ms;
	if (leg->session && !same)
		session_limit_narrow(leg->session, policy);
}

static void refuse(struct leg *leg, int reason)
{
	log_line(LOG_INFO, "no longer permitted", LOG_S("leg", leg->id),
		LOG_S("license", leg->license), LOG_S("reason", reason_symbol(reason)));
	leg_end(leg, reason);
}

/* The store says the same as what it was let in by. */
static void confirm(struct leg *leg)
{
	if (!leg->cached)
		return;
	log_line(LOG_INFO, "let in from the cache and confirmed by the store",
		LOG_S("leg", leg->id), LOG_S("license", leg->license));
	leg->cached = secret_free(leg->cached, sizeof(*leg->cached));
}

static void on_verdict(void *ctx, const struct admission_verdict *verdict)
{
	struct question *question = ctx;
	struct leg *leg = desk_find_leg(question->desk, question->number);
	int is_refresh = question->is_refresh;
	question->desk->asked--;
	free(question);
	if (!leg || leg->state == HELLO_ENDED)
		return;
	leg->in_review = 0;
	switch (verdict->status) {
	case 0:
		confirm(leg);
		take_policy(leg, verdict);
		break;
	case -REASON_BUSY:
	case -REASON_STORE_UNAVAILABLE:
	case -REASON_NO_MEMORY:
	case -REASON_CONFLICT:
		if (!is_refresh && !leg->review_ms)
			leg->review_ms = clock_mono_ms() + AGAIN_MS;
		break;
	default:
		refuse(leg, abs(verdict->status));
	}
}

static void ask(struct leg *leg)
{
	struct admission_request *request = calloc(1, sizeof(*request));
	struct question *question = malloc(sizeof(*question));
	if (!request || !question) {
		free(request);
		free(question);
		leg->review_ms = clock_mono_ms() + AGAIN_MS;
		return;
	}
	*question = (struct question){leg->desk, leg->number, !leg->review_ms};
	request->side = HELLO_VIEWER;
	memcpy(request->device, leg->device, sizeof(request->device));
	text_clip(request->license, sizeof(request->license), leg->license);
	text_clip(request->kind, sizeof(request->kind), leg->kind);
	text_clip(request->name, sizeof(request->name), leg->name);
	text_clip(request->address, sizeof(request->address), leg->address);
	if (leg->cached) {
		request->recheck = 1;
		memcpy(request->credential, leg->cached->credential,
			sizeof(request->credential));
	}
	leg->review_ms = 0;
	leg->in_review = 1;
	leg->desk->asked++;
	admission_review(leg->desk->house->admission, request, desk_box(leg->desk),
		on_verdict, question);
	secret_wipe(request, sizeof(*request));
	free(request);
}

int64_t review_refresh_ms(const struct desk *desk)
{
	return desk->house->cache_ms / REFRESHES;
}

/* What is known of a viewer that stays in is to be young when the store goes away. */
static int is_stale(struct leg *leg, int64_t now_ms)
{
	if (!leg->desk->house->cache_ms || leg->side != HELLO_VIEWER || leg->via ||
		!leg->session || now_ms < leg->refresh_ms)
		return 0;
	leg->refresh_ms = now_ms + review_refresh_ms(leg->desk);
	return !leg->review_ms;
}

void review_tick(struct leg *leg, int64_t now_ms)
{
	/* One at a time, so that the newest answer is the last. */
	if (leg->in_review || leg->desk->closing)
		return;
	if ((leg->review_ms && now_ms >= leg->review_ms) || is_stale(leg, now_ms))
		ask(leg);
}

void review_moved(struct leg *leg)
{
	if (leg->in_review)
		leg->review_ms = clock_mono_ms();
	leg->in_review = 0;
}
