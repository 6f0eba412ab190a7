#include "rfb/decoder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/reason.h"
#include "base/text.h"
#include "rfb/decoder_child.h"
#include "rfb/decoder_ipc.h"

#define MAGIC 0xDEC0DE01u
#define PATH_SIZE 4096
#define DEATHS_MAX 16
#define DEATHS_DEFAULT 3
#define HANG_MS_DEFAULT 8000
#define MINUTE_MS 60000
/* Ticks without a sign of life after which a child is killed; counted, not timed, so that a
 * suspended laptop or a stopped viewer does not kill it on waking. */
#define PATIENCE 4
#define READ_SIZE ((size_t)64 << 10)
/* At most this much per turn: a child that floods must not keep the tunnel waiting. */
#define TURN_SIZE ((size_t)512 << 10)
#define COMMANDS_MAX ((size_t)1 << 20)

struct decoder {
	uint32_t magic;
	struct decoder_options options;
	char program[PATH_SIZE];
	int epoll_fd, timer_fd, pixels_fd, ipc_fd;
	uint8_t *pixels;
	struct picture picture;
	pid_t pid;
	unsigned life; /* counts children: an event may start the next one */
	int sized;     /* this child has told its size: it takes input */
	struct buf in, out;
	int writable_wanted;
	int silent_ticks, still_ticks;
	uint32_t progress, unread, cpu_ms; /* of the last pong */
	int64_t deaths_ms[DEATHS_MAX];
	size_t death_count;
};

static int watch(struct decoder *decoder, int fd)
{
	struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

	return epoll_ctl(decoder->epoll_fd, EPOLL_CTL_ADD, fd, &event) ? -REASON_NO_MEMORY
								       : 0;
}

static int set_up(struct decoder *decoder)
{
	int r = decoder_child_memory(&decoder->pixels_fd, &decoder->pixels);

	if (r)
		return r;
	decoder->picture.pixels = decoder->pixels;
	decoder->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	decoder->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (decoder->epoll_fd < 0 || decoder->timer_fd < 0)
		return -REASON_NO_MEMORY;
	return watch(decoder, decoder->timer_fd);
}

static int within(int value, int least, int most)
{
	return value < least ? least : value > most ? most : value;
}

int decoder_new(struct decoder **ret, const struct decoder_options *options)
{
	struct decoder *decoder = calloc(1, sizeof *decoder);
	int r;

	if (!decoder)
		return -REASON_NO_MEMORY;
	decoder->magic = MAGIC;
	decoder->options = *options;
	decoder->epoll_fd = decoder->timer_fd = decoder->pixels_fd = decoder->ipc_fd = -1;
	buf_init(&decoder->in, DECODER_IPC_MAX + READ_SIZE);
	buf_init(&decoder->out, COMMANDS_MAX);
	if (options->deaths_per_minute <= 0)
		decoder->options.deaths_per_minute = DEATHS_DEFAULT;
	if (decoder->options.deaths_per_minute > DEATHS_MAX)
		decoder->options.deaths_per_minute = DEATHS_MAX;
	if (options->hang_ms <= 0)
		decoder->options.hang_ms = HANG_MS_DEFAULT;
	decoder->options.quality = within(options->quality, DECODER_QUALITY_LOSSLESS, 9);
	decoder->options.compression = within(options->compression, 0, 9);
	r = options->program ? text_copy(decoder->program, PATH_SIZE, options->program)
			     : decoder_child_find(decoder->program, PATH_SIZE);
	r = r ? r : set_up(decoder);
	if (r) {
		decoder_free(decoder);
		return r;
	}
	*ret = decoder;
	return 0;
}

static void set_timer(struct decoder *decoder, int tick_ms)
{
	const struct timespec tick = {tick_ms / 1000, tick_ms % 1000 * 1000000L};
	const struct itimerspec timer = {tick, tick};

	timerfd_settime(decoder->timer_fd, 0, &timer, NULL);
}

void decoder_stop(struct decoder *decoder)
{
	if (!decoder->pid)
		return;
	decoder_child_reap(decoder->pid);
	close(decoder->ipc_fd); /* leaves the epoll set with it */
	decoder->ipc_fd = -1;
	decoder->pid = 0;
	decoder->sized = 0;
	decoder->writable_wanted = 0;
	buf_drain(&decoder->in, buf_len(&decoder->in));
	buf_drain(&decoder->out, buf_len(&decoder->out));
	set_timer(decoder, 0);
}

/* Forgets deaths older than a minute. */
static int may_live(struct decoder *decoder)
{
	int64_t now = clock_mono_ms();
	size_t kept = 0;

	for (size_t i = 0; i < decoder->death_count; i++)
		if (now - decoder->deaths_ms[i] < MINUTE_MS)
			decoder->deaths_ms[kept++] = decoder->deaths_ms[i];
	decoder->death_count = kept;
	return kept < (size_t)decoder->options.deaths_per_minute;
}

static void flush(struct decoder *decoder);

static int spawn(struct decoder *decoder, const int rfb[static 2],
	const int ipc[static 2])
{
	const struct decoder_command start = {.type = DECODER_COMMAND_START,
		.quality = (int8_t)decoder->options.quality,
		.compression = (int8_t)decoder->options.compression};
	int r = decoder_ipc_put_command(&decoder->out, &start);

	if (r || fcntl(rfb[0], F_SETFL, O_NONBLOCK) || fcntl(ipc[0], F_SETFL, O_NONBLOCK))
		return -REASON_NO_MEMORY;
	r = watch(decoder, ipc[0]);
	if (r)
		return r;
	return decoder_child_spawn(&decoder->pid, decoder->program, rfb[1], ipc[1],
		decoder->pixels_fd);
}

int decoder_start(struct decoder *decoder, int *ret_rfb_fd)
{
	int rfb[2], ipc[2], r;

	CHECK_OBJ(decoder, MAGIC);
	decoder_stop(decoder);
	if (!may_live(decoder))
		return -REASON_DECODER_FAILED;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, rfb))
		return -REASON_NO_MEMORY;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ipc)) {
		close(rfb[0]);
		close(rfb[1]);
		return -REASON_NO_MEMORY;
	}
	r = spawn(decoder, rfb, ipc);
	close(rfb[1]);
	close(ipc[1]);
	if (r) {
		close(rfb[0]);
		close(ipc[0]);
		buf_drain(&decoder->out, buf_len(&decoder->out));
		return r;
	}
	decoder->ipc_fd = ipc[0];
	decoder->life++;
	decoder->silent_ticks = decoder->still_ticks = 0;
	set_timer(decoder, decoder->options.hang_ms / PATIENCE + 1);
	flush(decoder);
	*ret_rfb_fd = rfb[0];
	return 0;
}

/* A stream that was not understood counts like a crash, or a hostile host could have us restart
 * for ever; one that was closed in order does not. */
static void end(struct decoder *decoder, enum decoder_end how, int reason)
{
	decoder_stop(decoder);
	if (reason != -REASON_PEER_LOST) {
		may_live(decoder);
		if (decoder->death_count < DEATHS_MAX)
			decoder->deaths_ms[decoder->death_count++] = clock_mono_ms();
	}
	if (decoder->options.events.ended)
		decoder->options.events.ended(decoder->options.ctx, how, reason);
}

static void want_writable(struct decoder *decoder, int wanted)
{
	struct epoll_event event = {
		.events = EPOLLIN | (wanted ? EPOLLOUT : 0), .data.fd = decoder->ipc_fd};

	if (wanted == decoder->writable_wanted)
		return;
	decoder->writable_wanted = wanted;
	epoll_ctl(decoder->epoll_fd, EPOLL_CTL_MOD, decoder->ipc_fd, &event);
}

/* An error here is the child's death, which the reading side finds out. */
static void flush(struct decoder *decoder)
{
	while (buf_len(&decoder->out)) {
		ssize_t n = send(decoder->ipc_fd, buf_head(&decoder->out),
			buf_len(&decoder->out), MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0)
			break;
		buf_drain(&decoder->out, (size_t)n);
	}
	want_writable(decoder, buf_len(&decoder->out) > 0);
}

static void command(struct decoder *decoder, const struct decoder_command *command)
{
	CHECK_OBJ(decoder, MAGIC);
	if (!decoder->pid)
		return;
	/* Full: the child has read nothing for thousands of keys; the watchdog has it soon. */
	if (decoder_ipc_put_command(&decoder->out, command) == 0)
		flush(decoder);
}

static void on_size(struct decoder *decoder, const struct decoder_event *event)
{
	const struct decoder_events *events = &decoder->options.events;

	decoder->picture.width = event->width;
	decoder->picture.height = event->height;
	decoder->picture.stride = (uint32_t)event->width * 4;
	decoder->sized = 1;
	if (events->picture)
		events->picture(decoder->options.ctx, &decoder->picture);
}

static int on_cursor(struct decoder *decoder, const struct decoder_event *event)
{
	struct cursor bytes = cursor_of(event->bytes, event->len);
	size_t count = event->len / 4;
	uint32_t *pixels = malloc(event->len);

	if (!pixels)
		return -REASON_NO_MEMORY;
	for (size_t i = 0; i < count; i++)
		if (cursor_u32(&bytes, &pixels[i]))
			break;
	const struct picture_cursor cursor = {
		event->width, event->height, event->hot_x, event->hot_y, pixels};
	if (decoder->options.events.cursor)
		decoder->options.events.cursor(decoder->options.ctx, &cursor);
	free(pixels);
	return 0;
}

/* Standing still is no fault while there is nothing to read and no processor is used. */
static void on_pong(struct decoder *decoder, const struct decoder_event *event)
{
	uint32_t busy_ms = (uint32_t)decoder->options.hang_ms / PATIENCE / 2;
	int idle = event->unread == 0 && event->cpu_ms - decoder->cpu_ms < busy_ms;
	int moved =
		event->progress != decoder->progress || event->unread != decoder->unread;

	decoder->silent_ticks = 0;
	decoder->still_ticks = idle || moved ? 0 : decoder->still_ticks + 1;
	decoder->progress = event->progress;
	decoder->unread = event->unread;
	decoder->cpu_ms = event->cpu_ms;
}

static int on_event(struct decoder *decoder, const struct decoder_event *event)
{
	const struct decoder_events *events = &decoder->options.events;

	switch (event->type) {
	case DECODER_EVENT_SIZE:
		on_size(decoder, event);
		return 0;
	case DECODER_EVENT_DAMAGE:
		if (events->damage && event->rect_count)
			events->damage(decoder->options.ctx, event->rects,
				event->rect_count);
		return 0;
	case DECODER_EVENT_CURSOR:
		return on_cursor(decoder, event);
	case DECODER_EVENT_PONG:
		on_pong(decoder, event);
		return 0;
	case DECODER_EVENT_ENDED:
		end(decoder, DECODER_STREAM_ENDED, -event->reason);
		return 0;
	}
	return -REASON_BAD_MESSAGE;
}

/* All whole messages; stops when a callback has changed the child. */
static int parse(struct decoder *decoder)
{
	unsigned life = decoder->life;

	while (decoder->pid && decoder->life == life) {
		struct decoder_event event;
		struct cursor body = cursor_of("", 0);
		uint8_t type = 0;
		size_t len;
		int r = decoder_ipc_next(&decoder->in, &type, &body, &len);
		if (r || !len)
			return r;
		r = decoder_ipc_event(type, body, &decoder->picture, &event);
		r = r ? r : on_event(decoder, &event);
		if (r)
			return r;
		if (decoder->pid && decoder->life == life)
			buf_drain(&decoder->in, len);
	}
	return 0;
}

static void read_events(struct decoder *decoder)
{
	unsigned life = decoder->life;
	size_t total = 0;
	int r = 0;

	while (!r && total < TURN_SIZE && decoder->pid && decoder->life == life) {
		uint8_t *room;
		r = buf_reserve(&decoder->in, READ_SIZE, &room);
		if (r)
			break;
		ssize_t n = recv(decoder->ipc_fd, room, READ_SIZE, 0);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n <= 0) {
			r = -REASON_PEER_LOST;
			break;
		}
		buf_commit(&decoder->in, (size_t)n);
		total += (size_t)n;
		r = parse(decoder);
	}
	if (r && decoder->pid && decoder->life == life)
		end(decoder, DECODER_DIED, -REASON_INTERNAL);
}

static void tick(struct decoder *decoder)
{
	const struct decoder_command ping = {.type = DECODER_COMMAND_PING};
	uint64_t expirations;

	if (read(decoder->timer_fd, &expirations, sizeof expirations) < 0 ||
		!decoder->pid)
		return;
	if (decoder->silent_ticks++ >= PATIENCE || decoder->still_ticks >= PATIENCE) {
		end(decoder, DECODER_DIED, -REASON_INTERNAL);
		return;
	}
	command(decoder, &ping);
}

int decoder_fd(const struct decoder *decoder)
{
	return decoder->epoll_fd;
}

void decoder_ready(struct decoder *decoder)
{
	struct epoll_event events[2];
	unsigned life = decoder->life;

	CHECK_OBJ(decoder, MAGIC);
	int count = epoll_wait(decoder->epoll_fd, events, 2, 0);
	for (int i = 0; i < count && decoder->life == life; i++) {
		if (events[i].data.fd == decoder->timer_fd) {
			tick(decoder);
			continue;
		}
		if (decoder->pid && (events[i].events & EPOLLOUT))
			flush(decoder);
		if (decoder->pid && (events[i].events & ~(uint32_t)EPOLLOUT))
			read_events(decoder);
	}
}

const struct picture *decoder_picture(const struct decoder *decoder)
{
	return &decoder->picture;
}

int decoder_pid(const struct decoder *decoder)
{
	return (int)decoder->pid;
}

void decoder_key(struct decoder *decoder, uint32_t keysym, int down)
{
	const struct decoder_command key = {
		.type = DECODER_COMMAND_KEY, .keysym = keysym, .down = down ? 1 : 0};

	if (decoder->sized)
		command(decoder, &key);
}

void decoder_pointer(struct decoder *decoder, uint16_t x, uint16_t y, uint8_t buttons)
{
	const struct decoder_command pointer = {
		.type = DECODER_COMMAND_POINTER, .x = x, .y = y, .buttons = buttons};

	if (decoder->sized)
		command(decoder, &pointer);
}

struct decoder *decoder_free(struct decoder *decoder)
{
	if (!decoder)
		return NULL;
	decoder_stop(decoder);
	if (decoder->timer_fd >= 0)
		close(decoder->timer_fd);
	if (decoder->epoll_fd >= 0)
		close(decoder->epoll_fd);
	if (decoder->pixels)
		munmap(decoder->pixels, PICTURE_BYTES);
	if (decoder->pixels_fd >= 0)
		close(decoder->pixels_fd);
	buf_done(&decoder->in);
	buf_done(&decoder->out);
	decoder->magic = 0;
	free(decoder);
	return NULL;
}
