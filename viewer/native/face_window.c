#include "face_window.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/reason.h"
#include "base/secret.h"
#include "base/text.h"
#include "face.h"
#include "feed.h"
#include "link/loop_box.h"
#include "link/news.h"
#include "link/tunnel.h"
#include "viewer.h"
#include "window/window.h"

#define FACE_MAGIC 0x46414345
#define QUALITY 8
#define COMPRESSION 2
#define CODE_DIGITS 8
/* X keysyms. */
#define KEY_0 0x30
#define KEY_PAD_0 0xffb0
#define KEY_BACKSPACE 0xff08
#define KEY_RETURN 0xff0d
#define KEY_PAD_ENTER 0xff8d
/* A line hides a strip of the office's screen, often its task bar: it goes by itself. */
#define NOTICE_MS 30000
#define NEWS_MS 60000

struct face_window {
	struct face face;
	uint32_t magic;
	struct loop_box *box;
	struct viewer *viewer; /* NULL before the first `up` */
	struct feed *feed;
	struct window *window;
	enum reason_lang lang;
	struct meter_model meter;
	uint64_t received, sent; /* at the last meter */
	int64_t metered_ms;
	uint32_t updates;
	int64_t line_until_ms; /* the line at the foot goes then; 0: there is none */
	char news
		[NEWS_LINE]; /* the operator's, shown for a while whenever the picture begins */
	int asking;          /* for a one-time code: keys are its digits */
	char code[CODE_DIGITS + 1];
};

static struct face_window *of(struct face *face)
{
	struct face_window *self = (struct face_window *)face;
	CHECK_OBJ(self, FACE_MAGIC);
	return self;
}

static void show_line(struct face_window *self, const char *line, int64_t ms)
{
	self->line_until_ms = clock_mono_ms() + ms;
	window_line(self->window, line);
}

/* ---- a one-time code ------------------------------------------------------------------------ */

static void show_code(struct face_window *self, int reason)
{
	char detail[200];
	const char *sorry =
		reason == REASON_TOTP_WRONG ? reason_text(reason, self->lang) : "";
	snprintf(detail, sizeof(detail), "%s%s%s_", sorry, *sorry ? "  " : "",
		self->code);
	window_notice(self->window, WINDOW_CODE, detail);
}

static void code(struct face *face, int reason)
{
	struct face_window *self = of(face);
	self->asking = 1;
	self->code[0] = 0;
	show_code(self, reason);
}

/* -1: no digit. Keys of the number pad count too. */
static int digit_of(uint32_t keysym)
{
	if (keysym >= KEY_0 && keysym < KEY_0 + 10)
		return (int)(keysym - KEY_0);
	if (keysym >= KEY_PAD_0 && keysym < KEY_PAD_0 + 10)
		return (int)(keysym - KEY_PAD_0);
	return -1;
}

static void on_code_key(struct face_window *self, uint32_t keysym)
{
	size_t len = strlen(self->code);
	int digit = digit_of(keysym);
	if (digit >= 0 && len < CODE_DIGITS) {
		self->code[len] = (char)('0' + digit);
		self->code[len + 1] = 0;
	} else if (keysym == KEY_BACKSPACE && len) {
		self->code[len - 1] = 0;
	} else if ((keysym == KEY_RETURN || keysym == KEY_PAD_ENTER) && len) {
		self->asking = 0;
		viewer_code(self->viewer, self->code);
		secret_wipe(self->code, sizeof(self->code));
		return;
	}
	show_code(self, REASON_TOTP_NEEDED);
}

/* ---- the picture ---------------------------------------------------------------------------- */

static void on_picture(void *ctx, const struct picture *picture)
{
	struct face_window *self = ctx;
	window_picture(self->window, picture);
	/* After a restart of the decoder; the line itself was never gone. */
	if (self->meter.link == METER_CONNECTED)
		window_notice(self->window, WINDOW_LIVE, NULL);
}

static void on_damage(void *ctx, const struct picture_rect *rects, size_t count)
{
	struct face_window *self = ctx;
	self->updates++;
	window_damage(self->window, rects, count);
}

static void on_cursor(void *ctx, const struct picture_cursor *cursor)
{
	struct face_window *self = ctx;
	window_cursor(self->window, cursor);
}

static void on_ended(void *ctx, enum decoder_end end, int reason)
{
	struct face_window *self = ctx;
	window_release_keys(self->window);
	if (end == DECODER_DIED)
		window_notice(self->window, WINDOW_DECODER_RESTARTS, NULL);
	feed_ended(self->feed, end, reason);
}

static void on_local_clip(struct face_window *self, const struct window_event *event)
{
	if (!self->viewer)
		return;
	int status = event->type == WINDOW_CLIPBOARD_LONG
			     ? -REASON_LIMIT
			     : viewer_clip(self->viewer, event->text, event->len);
	if (status < 0)
		log_line(LOG_INFO, "what was copied here was not sent to the office",
			LOG_S("reason", reason_symbol(status)));
}

static void on_window(void *ctx, const struct window_event *event)
{
	struct face_window *self = ctx;
	CHECK_OBJ(self, FACE_MAGIC);
	struct decoder *decoder = feed_decoder(self->feed);
	switch (event->type) {
	case WINDOW_KEY:
		if (self->asking) {
			if (event->down)
				on_code_key(self, event->keysym);
			break;
		}
		decoder_key(decoder, event->keysym, event->down);
		break;
	case WINDOW_POINTER:
		decoder_pointer(decoder, event->x, event->y, event->buttons);
		break;
	case WINDOW_CLIPBOARD:
	case WINDOW_CLIPBOARD_LONG:
		on_local_clip(self, event);
		break;
	case WINDOW_QUIT:
		viewer_leave(self->viewer, 0);
		break;
	}
}

static void begin(struct face *face, struct viewer *viewer)
{
	of(face)->viewer = viewer;
}

static void up(struct face *face, struct viewer *viewer, const struct tunnel_up *up)
{
	struct face_window *self = of(face);
	self->meter.protected_since_ms = clock_wall_ms();
	/* The monitors of a session before this one: the agent tells several, and says nothing of one. */
	if (!up->resumed)
		window_monitors(self->window, (struct picture_rect[1]){0}, 0);
	feed_up(self->feed, viewer, up);
	viewer_ready(viewer, "up");
}

static void line(struct face *face, enum face_line line, int reason)
{
	struct face_window *self = of(face);
	static const enum window_notice notices[] = {
		[FACE_CONNECTING] = WINDOW_CONNECTING,
		[FACE_WAITING] = WINDOW_WAITING,
		[FACE_LIVE] = WINDOW_LIVE,
		[FACE_RECONNECTING] = WINDOW_RECONNECTING,
	};
	static const enum meter_link links[] = {
		[FACE_CONNECTING] = METER_CONNECTING,
		[FACE_WAITING] = METER_CONNECTING,
		[FACE_LIVE] = METER_CONNECTED,
		[FACE_RECONNECTING] = METER_RECONNECTING,
	};
	self->meter.link = links[line];
	if (line != FACE_LIVE)
		self->meter.protected_since_ms = 0;
	window_notice(self->window, notices[line],
		line == FACE_RECONNECTING ? reason_text(reason, self->lang) : NULL);
	if (line == FACE_LIVE && *self->news)
		show_line(self, self->news, NEWS_MS);
}

static void stream_closed(struct face *face, int reason)
{
	struct face_window *self = of(face);
	window_release_keys(self->window);
	feed_stream_closed(self->feed, reason);
}

static void clip(struct face *face, const char *text, size_t len)
{
	int status = window_clipboard(of(face)->window, text, len);
	if (status < 0)
		log_line(LOG_INFO,
			"what was copied at the office could not be taken over",
			LOG_S("reason", reason_symbol(status)));
}

static void rights(struct face *face UNUSED, uint16_t rights)
{
	log_line(LOG_INFO, "rights", LOG_U("bits", rights));
}

static void monitors(struct face *face, const struct inner_rects *monitors)
{
	struct picture_rect rects[INNER_RECTS_MAX];
	for (size_t i = 0; i < monitors->count; i++)
		rects[i] = (struct picture_rect){monitors->at[i].x, monitors->at[i].y,
			monitors->at[i].width, monitors->at[i].height};
	struct face_window *self = of(face);
	window_monitors(self->window, rects, monitors->count);
	if (monitors->count < 2)
		return;
	char line[NEWS_LINE];
	unsigned last = monitors->count < WINDOW_MONITORS_MAX ? monitors->count
							      : WINDOW_MONITORS_MAX;
	snprintf(line, sizeof(line),
		self->lang == REASON_JA
			? "会社のPCにはモニターが%u台あります。Ctrl+Alt+1～%"
			  "uで1台だけ、Ctrl+Alt+0ですべてを表示します。"
			: "The office PC has %u monitors: Ctrl+Alt+1 to %u shows one of "
			  "them, Ctrl+Alt+0 all.",
		(unsigned)monitors->count, last);
	show_line(self, line, NOTICE_MS);
}

static void notice(struct face *face, const char *en, const char *ja)
{
	struct face_window *self = of(face);
	const char *text = self->lang == REASON_JA && *ja ? ja : en;
	log_line(LOG_INFO, "notice", LOG_S("text", text));
	show_line(self, text, NOTICE_MS);
}

static void news(struct face *face, const struct news *news)
{
	struct face_window *self = of(face);
	char line[NEWS_LINE] = "";
	const struct news_item *item = news_first(news, clock_wall_ms());
	if (item)
		news_line(item, self->lang, line);
	if (!strcmp(line, self->news))
		return;
	text_clip(self->news, sizeof(self->news), line);
	show_line(self, line, NEWS_MS);
}

static void meter(struct face *face, const struct tunnel_stats *stats,
	const char *gateway)
{
	struct face_window *self = of(face);
	int64_t now_ms = clock_mono_ms();
	uint64_t received = 0, sent = 0;
	for (int lane = 0; lane < SEAL_LANES; lane++) {
		received += stats->received[lane];
		sent += stats->sent[lane];
	}
	int64_t span_ms = now_ms - self->metered_ms;
	/* A new session counts from zero; the first figure of it would be nonsense. */
	if (self->metered_ms && span_ms > 0 && received >= self->received &&
		sent >= self->sent) {
		self->meter.in_bytes_s =
			(received - self->received) * 1000 / (uint64_t)span_ms;
		self->meter.out_bytes_s = (sent - self->sent) * 1000 / (uint64_t)span_ms;
		self->meter.updates_s =
			(uint32_t)(self->updates * 1000 / (uint64_t)span_ms);
	}
	self->received = received;
	self->sent = sent;
	self->updates = 0;
	self->metered_ms = now_ms;
	self->meter.rtt_us = stats->rtt_us > 0 ? stats->rtt_us : -1;
	self->meter.drops = stats->resumes;
	text_clip(self->meter.node, sizeof(self->meter.node), gateway);
	if (self->line_until_ms && now_ms >= self->line_until_ms) {
		self->line_until_ms = 0;
		window_line(self->window, NULL);
	}
	window_meter(self->window, &self->meter);
}

static const struct face_vtable vtable = {
	.begin = begin,
	.up = up,
	.line = line,
	.stream_closed = stream_closed,
	.clip = clip,
	.rights = rights,
	.monitors = monitors,
	.notice = notice,
	.news = news,
	.code = code,
	.meter = meter,
};

static int make_window(struct face_window *self, const struct face_window_config *config)
{
	const struct window_options options = {
		.title = config->title,
		.lang = self->lang,
		.scale = SDL_SCALE_FIT,
		.fullscreen = config->full_screen,
		.box = loop_box_post(self->box),
		.event = on_window,
		.ctx = self,
	};
	return window_new(&self->window, &options);
}

int face_window_new(struct face **ret, const struct face_window_config *config)
{
	struct face_window *self = calloc(1, sizeof(*self));
	if (!self)
		return -REASON_NO_MEMORY;
	self->magic = FACE_MAGIC;
	self->face.vtable = &vtable;
	self->face.features = INNER_FEATURE_CLIPBOARD_LANE;
	self->lang = reason_lang_env();
	self->meter.rtt_us = -1;
	self->meter.link = METER_CONNECTING;
	const struct feed_config feed = {
		.quality = config->lossless ? DECODER_QUALITY_LOSSLESS : QUALITY,
		.compression = COMPRESSION,
		.events = {.picture = on_picture,
			.damage = on_damage,
			.cursor = on_cursor,
			.ended = on_ended},
		.ctx = self,
	};
	int status = loop_box_new(config->base, &self->box);
	if (!status)
		status = feed_new(&self->feed, &feed);
	if (!status)
		status = make_window(self, config);
	if (status < 0) {
		face_window_free(&self->face);
		return status;
	}
	*ret = &self->face;
	return 0;
}

struct face *face_window_free(struct face *face)
{
	if (!face)
		return NULL;
	struct face_window *self = of(face);
	self->window = window_free(self->window);
	self->feed = feed_free(self->feed);
	self->box = loop_box_free(self->box);
	free(self);
	return NULL;
}
