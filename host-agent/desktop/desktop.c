#include "desktop/desktop.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/reason.h"
#include "base/text.h"
#include "desktop/desktop_events.h"
#include "desktop/desktop_thread.h"
#include "desktop/session_lock.h"
#include "link/gate.h"
#include "screen/pattern_source.h"
#include "screen/vnc_source.h"
#include "screen/watermark.h"
#include "screen/x11_source.h"
#include "sign/x11_panel.h"

/* The kernel doubles it and caps it at net.core.wmem_max; a slice of the pacer fits either way. */
#define STREAM_BUFFER (4 * 1024 * 1024)
#define PATTERN_WIDTH 1024
#define PATTERN_HEIGHT 768
#define NAME_SIZE 256

struct desktop {
	enum desktop_kind kind;
	char *display, *lock_command;
	struct desktop_outbox *outbox;
	struct desktop_thread *thread;
	struct x11_panel *sign, *question;
	unsigned question_number; /* written only while no question is shown */
	uint32_t rights;          /* of the open stream; 0: none */
};

static int make_source(const struct desktop_config *config, struct source **ret)
{
	int width = config->pattern_width, height = config->pattern_height;
	switch (config->kind) {
	case DESKTOP_X11:
		return x11_source_new(config->display, ret);
	case DESKTOP_VNC:
		return vnc_source_new(config->vnc_host, config->vnc_port,
			config->vnc_password_file, ret);
	case DESKTOP_PATTERN:
		return pattern_source_new(width ? width : PATTERN_WIDTH,
			height ? height : PATTERN_HEIGHT, PATTERN_MOVING, ret);
	}
	return -REASON_USAGE;
}

static int copy_config(struct desktop *desktop, const struct desktop_config *config)
{
	desktop->kind = config->kind;
	if (config->display && !(desktop->display = strdup(config->display)))
		return -REASON_NO_MEMORY;
	if (config->lock_command &&
		!(desktop->lock_command = strdup(config->lock_command)))
		return -REASON_NO_MEMORY;
	return 0;
}

static int start(struct desktop *desktop, const struct desktop_config *config)
{
	char name[NAME_SIZE] = "";
	struct source *source;
	int r = make_source(config, &source);
	if (r < 0)
		return r;
	gethostname(name, sizeof(name) - 1);
	return desktop_thread_new(source, config->kind == DESKTOP_X11, config->display,
		config->name ? config->name : name, config->paste_wait_ms,
		desktop->outbox, &desktop->thread);
}

int desktop_new(const struct desktop_config *config, const struct desktop_events *events,
	struct desktop **ret)
{
	struct desktop *desktop = calloc(1, sizeof(*desktop));
	if (!desktop)
		return -REASON_NO_MEMORY;
	signal(SIGPIPE, SIG_IGN); /* Xlib writes to dead servers without MSG_NOSIGNAL */
	int r = copy_config(desktop, config);
	if (r == 0)
		r = desktop_events_open(events, &desktop->outbox);
	if (r == 0)
		r = start(desktop, config);
	if (r < 0) {
		desktop_free(desktop);
		return r;
	}
	*ret = desktop;
	return 0;
}

struct desktop *desktop_free(struct desktop *desktop)
{
	if (!desktop)
		return NULL;
	x11_panel_free(desktop->sign);
	x11_panel_free(desktop->question);
	desktop_thread_free(desktop->thread);
	desktop_events_close(desktop->outbox);
	free(desktop->display);
	free(desktop->lock_command);
	free(desktop);
	return NULL;
}

static struct desktop_order *order_of(enum desktop_order_kind kind, size_t len)
{
	struct desktop_order *order = calloc(1, sizeof(*order) + len + 1);
	if (order) {
		order->kind = kind;
		order->len = len;
	}
	return order;
}

static int open_sockets(int ret[static 3])
{
	const int size = STREAM_BUFFER;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ret) < 0)
		return -REASON_LIMIT;
	ret[2] = fcntl(ret[1], F_DUPFD_CLOEXEC, 0);
	if (ret[2] < 0) {
		close(ret[0]);
		close(ret[1]);
		return -REASON_LIMIT;
	}
	setsockopt(ret[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	fcntl(ret[1], F_SETFL, fcntl(ret[1], F_GETFL) | O_NONBLOCK);
	return 0;
}

int desktop_open_stream(struct desktop *desktop, uint32_t rights, uint32_t flags,
	struct gate *gate, int *ret_fd)
{
	int fds[3];
	struct desktop_order *order = order_of(ORDER_OPEN, 0);
	if (!order)
		return -REASON_NO_MEMORY;
	int r = open_sockets(fds);
	if (r < 0) {
		free(order);
		return r;
	}
	order->rights = rights;
	order->flags = flags;
	order->gate = gate_ref(gate);
	order->fd = fds[0];
	order->probe = fds[2];
	desktop_thread_cut(desktop->thread);
	desktop_thread_put(desktop->thread, order);
	desktop->rights = rights;
	*ret_fd = fds[1];
	return 0;
}

void desktop_close_stream(struct desktop *desktop)
{
	struct desktop_order *order = order_of(ORDER_CLOSE, 0);
	desktop->rights = 0;
	/* The cut alone ends the stream too, a moment later; so no memory is no harm. */
	desktop_thread_cut(desktop->thread);
	if (order)
		desktop_thread_put(desktop->thread, order);
}

void desktop_rights(struct desktop *desktop, uint32_t rights)
{
	struct desktop_order *order = order_of(ORDER_RIGHTS, 0);
	if (!order) /* never more than was allowed */
		return desktop_close_stream(desktop);
	desktop->rights &= rights;
	order->rights = rights;
	desktop_thread_put(desktop->thread, order);
}

void desktop_let_go(struct desktop *desktop)
{
	struct desktop_order *order = order_of(ORDER_LET_GO, 0);
	if (!order) /* a stuck key is worse than a picture that starts anew */
		return desktop_close_stream(desktop);
	desktop_thread_put(desktop->thread, order);
}

int desktop_clipboard_set(struct desktop *desktop, const char *text, size_t len)
{
	if (len > DESKTOP_CLIPBOARD_MAX)
		return -REASON_LIMIT;
	if (!text_utf8_valid(text, len))
		return -REASON_BAD_VALUE;
	if (!(desktop->rights & DESKTOP_CLIP_TO_HOST))
		return -REASON_VETO;
	struct desktop_order *order = order_of(ORDER_CLIPBOARD, len);
	if (!order)
		return -REASON_NO_MEMORY;
	memcpy(order->text, text, len);
	desktop_thread_put(desktop->thread, order);
	return 0;
}

void desktop_clip_limit(struct desktop *desktop, int64_t max_bytes)
{
	struct desktop_order *order = order_of(ORDER_CLIP_LIMIT, 0);
	if (!order)
		return desktop_close_stream(desktop);
	order->most = max_bytes > 0 && max_bytes < DESKTOP_CLIPBOARD_MAX
			      ? (size_t)max_bytes
			      : DESKTOP_CLIPBOARD_MAX;
	desktop_thread_put(desktop->thread, order);
}

int desktop_watermark(struct desktop *desktop, const char *text)
{
	struct desktop_order *order = order_of(ORDER_WATERMARK, 0);
	int r = order ? 0 : -REASON_NO_MEMORY;
	if (r == 0 && text)
		r = watermark_new(text, &order->watermark);
	if (r < 0) {
		free(order);
		return r;
	}
	desktop_thread_put(desktop->thread, order);
	return 0;
}

int64_t desktop_input_ms(const struct desktop *desktop)
{
	return desktop_thread_input_ms(desktop->thread);
}

/* On the sign's thread. */
static void on_sign(void *ctx, enum x11_panel_word word)
{
	const struct desktop_event event = {.kind = DESKTOP_EV_ENDED_BY_PERSON};
	struct desktop *desktop = ctx;
	if (word == X11_PANEL_FIRST)
		desktop_events_put(desktop->outbox, &event);
	else
		log_line(LOG_WARN, "the sign could not be shown");
}

int desktop_sign(struct desktop *desktop, const char *text, const char *button)
{
	desktop->sign = x11_panel_free(desktop->sign);
	if (!text)
		return 0;
	if (desktop->kind != DESKTOP_X11)
		return -REASON_NO_DISPLAY;
	if (!button)
		button = reason_lang_env() == REASON_JA ? "終了" : "End";
	const struct x11_panel_look look = {
		.place = X11_PANEL_TOP, .lines = {text}, .buttons = {button}};
	return x11_panel_new(desktop->display, &look, on_sign, desktop, &desktop->sign);
}

/* On the question's thread. */
static void on_answer(void *ctx, enum x11_panel_word word)
{
	struct desktop *desktop = ctx;
	const struct desktop_event event = {.kind = DESKTOP_EV_ANSWERED,
		.question = desktop->question_number,
		.yes = word == X11_PANEL_FIRST};
	desktop_events_put(desktop->outbox, &event);
}

int desktop_ask(struct desktop *desktop,
	const char *const lines[static DESKTOP_ASK_LINES], int64_t wait_ms,
	unsigned *ret_question)
{
	int ja = reason_lang_env() == REASON_JA;
	struct x11_panel_look look = {.place = X11_PANEL_CENTRE,
		.buttons = {ja ? "許可する" : "Allow", ja ? "拒否する" : "Refuse"},
		.time_ms = wait_ms,
		.count_before = ja ? "" : "Refused in ",
		.count_after = ja ? " 秒後に自動的に拒否します" : " s without an answer"};
	desktop_ask_no_more(desktop);
	if (desktop->kind != DESKTOP_X11)
		return -REASON_NO_DISPLAY;
	for (size_t i = 0; i < DESKTOP_ASK_LINES && lines[i]; i++)
		look.lines[i] = lines[i];
	*ret_question = ++desktop->question_number;
	return x11_panel_new(desktop->display, &look, on_answer, desktop,
		&desktop->question);
}

void desktop_ask_no_more(struct desktop *desktop)
{
	desktop->question = x11_panel_free(desktop->question);
}

void desktop_lock(struct desktop *desktop)
{
	session_lock_run(desktop->lock_command, desktop->display);
}

void desktop_size(const struct desktop *desktop, int *ret_width, int *ret_height)
{
	desktop_thread_size(desktop->thread, ret_width, ret_height);
}

size_t desktop_monitors(const struct desktop *desktop,
	struct desktop_monitor ret[static DESKTOP_MONITORS_MAX])
{
	return desktop_thread_monitors(desktop->thread, ret);
}
