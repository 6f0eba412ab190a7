#include "meter_overlay.h"

#include <stdio.h>
#include <time.h>

#include "base/text.h"

#define FAIR_RTT_US 80000
#define BAD_RTT_US 200000

enum meter_quality meter_overlay_quality(const struct meter_model *model)
{
	if (model->link != METER_CONNECTED || !model->protected_since_ms)
		return METER_BAD;
	if (model->rtt_us < 0 || model->rtt_us >= BAD_RTT_US)
		return model->rtt_us < 0 ? METER_FAIR : METER_BAD;
	return model->rtt_us >= FAIR_RTT_US ? METER_FAIR : METER_GOOD;
}

static const char *link_text(enum meter_link link, enum reason_lang lang)
{
	static const char *const texts[][2] = {
		[METER_CONNECTED] = {"connected", "接続中"},
		[METER_RECONNECTING] = {"reconnecting", "再接続中"},
		[METER_CONNECTING] = {"connecting", "接続しています"},
	};

	return texts[link][lang == REASON_JA];
}

/* 0.1 steps below ten, so that a slow line can be told from a dead one. */
static void rate_text(char *ret, size_t size, uint64_t bytes_s)
{
	double kbit = (double)bytes_s * 8 / 1000;

	if (kbit < 10)
		snprintf(ret, size, "%.1f kbit/s", kbit);
	else if (kbit < 1000)
		snprintf(ret, size, "%.0f kbit/s", kbit);
	else
		snprintf(ret, size, "%.1f Mbit/s", kbit / 1000);
}

static void rtt_text(char *ret, size_t size, int64_t rtt_us)
{
	if (rtt_us < 0)
		snprintf(ret, size, "–");
	else if (rtt_us < 10000)
		snprintf(ret, size, "%.1f ms", (double)rtt_us / 1000);
	else
		snprintf(ret, size, "%lld ms", (long long)(rtt_us / 1000));
}

static void protected_text(char *ret, size_t size, int64_t since_ms,
	enum reason_lang lang)
{
	time_t since = (time_t)(since_ms / 1000);
	struct tm tm;
	char clock[16] = "";

	if (!since_ms) {
		snprintf(ret, size, "%s",
			lang == REASON_JA ? "端末間の暗号化: まだありません"
					  : "End-to-end protection: not yet");
		return;
	}
	localtime_r(&since, &tm);
	strftime(clock, sizeof clock, "%H:%M:%S", &tm);
	snprintf(ret, size,
		lang == REASON_JA ? "端末間で暗号化: %s から"
				  : "End-to-end protected since %s",
		clock);
}

int meter_overlay_lines(const struct meter_model *model, enum reason_lang lang,
	char ret[static METER_LINES][METER_LINE_SIZE])
{
	int ja = lang == REASON_JA;
	char rtt[32], in[32], out[32], node[METER_NODE_SIZE];

	rtt_text(rtt, sizeof rtt, model->rtt_us);
	rate_text(in, sizeof in, model->in_bytes_s);
	rate_text(out, sizeof out, model->out_bytes_s);
	text_escape(node, sizeof node, model->node[0] ? model->node : "-");
	snprintf(ret[0], METER_LINE_SIZE, ja ? "%s  応答 %s" : "%s  round trip %s",
		link_text(model->link, lang), rtt);
	snprintf(ret[1], METER_LINE_SIZE, ja ? "受信 %s  送信 %s" : "in %s  out %s", in,
		out);
	snprintf(ret[2], METER_LINE_SIZE,
		ja ? "画面更新 %u 回/秒  切断 %u 回" : "%u updates/s  link lost %u times",
		model->updates_s, model->drops);
	protected_text(ret[3], METER_LINE_SIZE, model->protected_since_ms, lang);
	snprintf(ret[4], METER_LINE_SIZE, ja ? "ノード %s" : "node %s", node);
	return METER_LINES;
}
