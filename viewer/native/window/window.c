#include "window/window.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/post.h"
#include "base/text.h"
#include "clipboard/sdl_clipboard.h"
#include "input/sdl_input.h"
#include "screen/sdl_window.h"
#include "window/window_queue.h"

#define MAGIC 0x33D0DE5Cu
#define DAMAGE_MAX 64
#define TEXT_SIZE 256
/* After a key an input method may answer over a channel that does not wake SDL. */
#define IME_TURNS 30
#define IME_TURN_MS 15

/* What the program wants of the window; the latest wins. Bits of `news`. */
enum {
	NEWS_PICTURE = 1,
	NEWS_DAMAGE = 2,
	NEWS_CURSOR = 4,
	NEWS_CLIPBOARD = 8,
	NEWS_NOTICE = 16,
	NEWS_METER = 32,
	NEWS_MONITORS = 64,
	NEWS_RELEASE = 128,
	NEWS_QUIT = 256,
	NEWS_LINE = 512,
};

struct mail {
	unsigned news;
	struct picture picture;
	struct picture_rect damage[DAMAGE_MAX];
	size_t damage_count;
	struct picture_cursor cursor;
	uint32_t *cursor_pixels;
	char *clipboard;
	size_t clipboard_len;
	enum window_notice notice;
	char detail[TEXT_SIZE], line[TEXT_SIZE];
	struct meter_model meter;
	struct picture_rect monitors[WINDOW_MONITORS_MAX];
	size_t monitor_count;
};

struct window {
	uint32_t magic;
	struct window_options options;
	struct window_queue *queue; /* to the program */
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t ready; /* the thread has its window, or has not */
	int started, result;
	struct mail mail; /* under the lock */
	/* The rest is the window thread's. */
	struct sdl_window *screen;
	struct sdl_input *input;
	struct sdl_clipboard *clipboard;
	struct picture_rect monitors[WINDOW_MONITORS_MAX];
	size_t monitor_count;
	int monitor; /* the one that is shown; 0: all */
	struct meter_model meter;
	int show_meter, quit, ime_turns;
};

static const char *notice_text(enum window_notice notice, enum reason_lang lang)
{
	static const char *const texts[][2] = {
		[WINDOW_LIVE] = {NULL, NULL},
		[WINDOW_CONNECTING] = {"Connecting to the office PC …",
			"会社のPCに接続しています…"},
		[WINDOW_WAITING] = {"Waiting for the office: somebody is asked …",
			"会社側の許可を待っています…"},
		[WINDOW_CODE] = {"Type the one-time code of your app and press Enter",
			"認証アプリのワンタイムコードを入力し、Enterキーを押してくださ"
			"い"},
		[WINDOW_RECONNECTING] = {"Reconnecting …", "再接続しています…"},
		[WINDOW_DECODER_RESTARTS] = {"Restarting the picture …",
			"画面を再開しています…"},
		[WINDOW_ENDED] = {"The session has ended", "セッションが終了しました"},
	};

	return texts[notice][lang == REASON_JA];
}

/* ---- the window thread ---- */

static void on_key(void *ctx, uint32_t keysym, int down)
{
	struct window *window = ctx;
	const struct window_event event = {
		.type = WINDOW_KEY, .keysym = keysym, .down = down};

	window->ime_turns = IME_TURNS;
	window_queue_put(window->queue, &event);
}

static void on_pointer(void *ctx, uint16_t x, uint16_t y, uint8_t buttons)
{
	struct window *window = ctx;
	const struct window_event event = {
		.type = WINDOW_POINTER, .x = x, .y = y, .buttons = buttons};

	window_queue_put(window->queue, &event);
}

static int on_place(void *ctx, int window_x, int window_y, uint16_t *ret_x,
	uint16_t *ret_y)
{
	struct window *window = ctx;

	return sdl_window_pick(window->screen, window_x, window_y, ret_x, ret_y);
}

static void on_clipboard(void *ctx, const char *utf8, size_t len)
{
	struct window *window = ctx;
	const struct window_event event = {
		.type = utf8 ? WINDOW_CLIPBOARD : WINDOW_CLIPBOARD_LONG,
		.text = utf8,
		.len = len};

	window_queue_put(window->queue, &event);
}

static void show_monitor(struct window *window, int number)
{
	struct picture_rect view = {0};

	if (number > 0 && (size_t)number > window->monitor_count)
		return;
	if (number > 0)
		view = window->monitors[number - 1];
	window->monitor = number;
	sdl_window_view(window->screen, &view);
}

/* The monitor that was chosen is shown on where it lies now; one that is gone gives way to all. */
static void apply_monitors(struct window *window, const struct mail *mail)
{
	memcpy(window->monitors, mail->monitors, sizeof window->monitors);
	window->monitor_count = mail->monitor_count;
	show_monitor(window,
		(size_t)window->monitor <= window->monitor_count ? window->monitor : 0);
}

static void on_hotkey(void *ctx, enum sdl_input_hotkey hotkey, int number)
{
	struct window *window = ctx;
	const struct window_event quit = {.type = WINDOW_QUIT};

	switch (hotkey) {
	case SDL_INPUT_FULLSCREEN:
		sdl_window_toggle_fullscreen(window->screen);
		break;
	case SDL_INPUT_GRAB:
		sdl_window_toggle_grab(window->screen);
		break;
	case SDL_INPUT_QUIT:
		window_queue_put(window->queue, &quit);
		break;
	case SDL_INPUT_METER:
		window->show_meter = !window->show_meter;
		sdl_window_meter(window->screen,
			window->show_meter ? &window->meter : NULL);
		break;
	case SDL_INPUT_SCALING:
		sdl_window_next_scale(window->screen);
		break;
	case SDL_INPUT_MONITOR:
		show_monitor(window, number);
		break;
	}
}

static void on_event(void *ctx, const union SDL_Event *event)
{
	struct window *window = ctx;
	const struct window_event quit = {.type = WINDOW_QUIT};

	sdl_window_event(window->screen, event);
	sdl_input_event(window->input, event);
	switch (sdl_window_kind(event)) {
	case SDL_WINDOW_CLOSED:
		window_queue_put(window->queue, &quit);
		break;
	case SDL_WINDOW_COPIED:
		sdl_clipboard_look(window->clipboard);
		break;
	case SDL_WINDOW_OTHER:
		break;
	}
}

static void apply_notice(struct window *window, const struct mail *mail)
{
	/* The host must not keep a key that was down when the line broke. */
	if (mail->notice != WINDOW_LIVE)
		sdl_input_release(window->input);
	sdl_window_notice(window->screen, notice_text(mail->notice, window->options.lang),
		mail->detail);
}

static void apply_clipboard(struct window *window, const struct mail *mail)
{
	int r = sdl_clipboard_set(window->clipboard, mail->clipboard,
		mail->clipboard_len);

	(void)r; /* checked in window_clipboard(); without memory the old text stays */
}

static void apply(struct window *window, const struct mail *mail)
{
	unsigned news = mail->news;

	if (news & NEWS_PICTURE)
		sdl_window_picture(window->screen, &mail->picture);
	if (news & NEWS_DAMAGE)
		sdl_window_damage(window->screen, mail->damage, mail->damage_count);
	if (news & NEWS_CURSOR)
		sdl_window_cursor(window->screen, &mail->cursor);
	if (news & NEWS_CLIPBOARD)
		apply_clipboard(window, mail);
	if (news & NEWS_RELEASE)
		sdl_input_release(window->input);
	if (news & NEWS_NOTICE)
		apply_notice(window, mail);
	if (news & NEWS_LINE)
		sdl_window_line(window->screen, mail->line);
	if (news & NEWS_METER) {
		window->meter = mail->meter;
		sdl_window_meter(window->screen,
			window->show_meter ? &window->meter : NULL);
	}
	if (news & NEWS_MONITORS)
		apply_monitors(window, mail);
	if (news & NEWS_QUIT)
		window->quit = 1;
}

static void read_mail(struct window *window)
{
	struct mail mail;

	pthread_mutex_lock(&window->lock);
	mail = window->mail;
	window->mail.news = 0;
	window->mail.damage_count = 0;
	window->mail.cursor_pixels = NULL;
	window->mail.clipboard = NULL;
	pthread_mutex_unlock(&window->lock);
	if (!mail.news)
		return;
	mail.cursor.pixels = mail.cursor_pixels;
	apply(window, &mail);
	free(mail.cursor_pixels);
	free(mail.clipboard);
}

static int wait_ms(struct window *window)
{
	if (!window->ime_turns)
		return -1;
	window->ime_turns--;
	return IME_TURN_MS;
}

static int open_all(struct window *window)
{
	const struct sdl_window_options options = {.title = window->options.title,
		.font = window->options.font,
		.lang = window->options.lang,
		.scale = window->options.scale,
		.fullscreen = window->options.fullscreen};
	const struct sdl_input_out input = {
		on_key, on_pointer, on_hotkey, on_place, window};
	const struct sdl_clipboard_out clipboard = {on_clipboard, window};
	int r = sdl_window_new(&window->screen, &options);

	r = r ? r : sdl_input_new(&window->input, &input);
	return r ? r : sdl_clipboard_new(&window->clipboard, &clipboard);
}

static void *window_thread(void *arg)
{
	struct window *window = arg;
	int r = open_all(window);

	pthread_mutex_lock(&window->lock);
	window->result = r;
	window->started = 1;
	pthread_cond_signal(&window->ready);
	pthread_mutex_unlock(&window->lock);
	while (!r && !window->quit) {
		sdl_window_draw(window->screen);
		sdl_window_wait(window->screen, wait_ms(window), on_event, window);
		sdl_input_settle(window->input);
		read_mail(window);
	}
	window->clipboard = sdl_clipboard_free(window->clipboard);
	window->input = sdl_input_free(window->input);
	sdl_window_free(window->screen);
	return NULL;
}

/* ---- the program's thread ---- */

static int start_thread(struct window *window)
{
	sigset_t all, before;

	/* The program's loop handles the signals; SDL and X libraries must not be interrupted. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int failed = pthread_create(&window->thread, NULL, window_thread, window);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (failed)
		return -REASON_NO_MEMORY;
	pthread_mutex_lock(&window->lock);
	while (!window->started)
		pthread_cond_wait(&window->ready, &window->lock);
	pthread_mutex_unlock(&window->lock);
	if (window->result)
		pthread_join(window->thread, NULL);
	return window->result;
}

static void discard(struct window *window)
{
	window_queue_close(window->queue);
	pthread_mutex_destroy(&window->lock);
	pthread_cond_destroy(&window->ready);
	free(window->mail.cursor_pixels);
	free(window->mail.clipboard);
	window->magic = 0;
	free(window);
}

int window_new(struct window **ret, const struct window_options *options)
{
	struct window *window = calloc(1, sizeof *window);
	int r;

	if (!window)
		return -REASON_NO_MEMORY;
	window->magic = MAGIC;
	window->options = *options;
	r = window_queue_new(&window->queue, options->box, options->event, options->ctx);
	if (r) {
		free(window);
		return r;
	}
	pthread_mutex_init(&window->lock, NULL);
	pthread_cond_init(&window->ready, NULL);
	r = start_thread(window);
	if (r) {
		discard(window);
		return r;
	}
	*ret = window;
	return 0;
}

/* Between these two the mailbox is the caller's. */
static struct mail *open_mail(struct window *window)
{
	CHECK_OBJ(window, MAGIC);
	pthread_mutex_lock(&window->lock);
	return &window->mail;
}

static void send_mail(struct window *window, unsigned news)
{
	int asleep = !window->mail.news;

	window->mail.news |= news;
	pthread_mutex_unlock(&window->lock);
	if (asleep)
		sdl_window_wake(window->screen);
}

void window_picture(struct window *window, const struct picture *picture)
{
	struct mail *mail = open_mail(window);

	mail->picture = *picture;
	/* Damage of the old picture must not be read out of the new one. */
	mail->damage_count = 0;
	send_mail(window, NEWS_PICTURE);
}

static void join(struct picture_rect *all, const struct picture_rect *rect)
{
	int right = all->x + all->w, bottom = all->y + all->h;

	right = right > rect->x + rect->w ? right : rect->x + rect->w;
	bottom = bottom > rect->y + rect->h ? bottom : rect->y + rect->h;
	all->x = all->x < rect->x ? all->x : rect->x;
	all->y = all->y < rect->y ? all->y : rect->y;
	all->w = (uint16_t)(right - all->x);
	all->h = (uint16_t)(bottom - all->y);
}

void window_damage(struct window *window, const struct picture_rect *rects, size_t count)
{
	struct mail *mail = open_mail(window);

	for (size_t i = 0; i < count; i++) {
		if (mail->damage_count < DAMAGE_MAX)
			mail->damage[mail->damage_count++] = rects[i];
		else
			join(&mail->damage[DAMAGE_MAX - 1], &rects[i]);
	}
	send_mail(window, NEWS_DAMAGE);
}

void window_cursor(struct window *window, const struct picture_cursor *cursor)
{
	size_t size = (size_t)cursor->width * cursor->height * sizeof *cursor->pixels;
	uint32_t *pixels = malloc(size);

	if (!pixels)
		return;
	memcpy(pixels, cursor->pixels, size);
	struct mail *mail = open_mail(window);
	free(mail->cursor_pixels);
	mail->cursor = *cursor;
	mail->cursor_pixels = pixels;
	send_mail(window, NEWS_CURSOR);
}

int window_clipboard(struct window *window, const char *utf8, size_t len)
{
	if (len > SDL_CLIPBOARD_MAX)
		return -REASON_LIMIT;
	if (memchr(utf8, 0, len) || !text_utf8_valid(utf8, len))
		return -REASON_BAD_VALUE;
	char *copy = malloc(len + 1);
	if (!copy)
		return -REASON_NO_MEMORY;
	memcpy(copy, utf8, len);
	copy[len] = 0;
	struct mail *mail = open_mail(window);
	free(mail->clipboard);
	mail->clipboard = copy;
	mail->clipboard_len = len;
	send_mail(window, NEWS_CLIPBOARD);
	return 0;
}

void window_notice(struct window *window, enum window_notice notice, const char *detail)
{
	struct mail *mail = open_mail(window);

	mail->notice = notice;
	text_clip(mail->detail, sizeof mail->detail, detail ? detail : "");
	send_mail(window, NEWS_NOTICE);
}

void window_line(struct window *window, const char *line)
{
	struct mail *mail = open_mail(window);

	text_clip(mail->line, sizeof mail->line, line ? line : "");
	send_mail(window, NEWS_LINE);
}

void window_meter(struct window *window, const struct meter_model *meter)
{
	struct mail *mail = open_mail(window);

	mail->meter = *meter;
	send_mail(window, NEWS_METER);
}

void window_monitors(struct window *window, const struct picture_rect *monitors,
	size_t count)
{
	struct mail *mail = open_mail(window);

	mail->monitor_count = count < WINDOW_MONITORS_MAX ? count : WINDOW_MONITORS_MAX;
	memcpy(mail->monitors, monitors, mail->monitor_count * sizeof *monitors);
	send_mail(window, NEWS_MONITORS);
}

void window_release_keys(struct window *window)
{
	open_mail(window);
	send_mail(window, NEWS_RELEASE);
}

struct window *window_free(struct window *window)
{
	if (!window)
		return NULL;
	open_mail(window);
	send_mail(window, NEWS_QUIT);
	pthread_join(window->thread, NULL);
	discard(window);
	return NULL;
}
