/* engawa-decoder: the child in which a host's picture is decoded.
 *
 * A program of its own rather than a fork of the viewer: it starts with empty memory, so there is
 * no key in it to steal, and the viewer need not link libvncclient. It is started by rfb/decoder
 * with three descriptors and nothing else, closes the sandbox, and only then reads from the host.
 *
 * Threads: this one decodes; the command thread takes the person's input, so that a key goes out
 * while a large picture is still coming in.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/reason.h"
#include "rfb/decoder_ipc.h"
#include "rfb/rfb_client.h"
#include "rfb/rfb_writer.h"
#include "rfb/sandbox.h"

#define READ_SIZE 4096

struct child {
	pthread_mutex_t lock; /* of `out` and the writing end of the ipc socket */
	struct buf in, out;
	struct rfb_writer *writer;
	struct rfb_client *client;
	pthread_t decoding;
	pthread_barrier_t running; /* the command thread has settled */
	struct decoder_command start;
};

static int send_all(const struct buf *out)
{
	size_t done = 0;

	while (done < buf_len(out)) {
		ssize_t n = send(DECODER_FD_IPC, buf_head(out) + done,
			buf_len(out) - done, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -REASON_PEER_LOST;
		done += (size_t)n;
	}
	return 0;
}

static int send_event(void *ctx, const struct decoder_event *event)
{
	struct child *child = ctx;

	pthread_mutex_lock(&child->lock);
	int r = decoder_ipc_put_event(&child->out, event);
	r = r ? r : send_all(&child->out);
	buf_drain(&child->out, buf_len(&child->out));
	pthread_mutex_unlock(&child->lock);
	return r;
}

/* _exit: no destructor of any library runs in a process that may have been taken over. */
__attribute__((noreturn)) static void leave(struct child *child, int reason)
{
	const struct decoder_event event = {
		.type = DECODER_EVENT_ENDED, .reason = reason < 0 ? -reason : reason};
	int r = send_event(child, &event);

	_exit(r ? 1 : 0);
}

/* The viewer decides by these three numbers whether the decoding thread hangs: it must either get
 * on, or have nothing to read and use no processor. */
static int answer_ping(struct child *child)
{
	struct decoder_event event = {.type = DECODER_EVENT_PONG};
	struct timespec cpu = {0};
	clockid_t clock;
	int unread = 0;

	event.progress = rfb_client_view(child->client)->progress;
	if (!ioctl(DECODER_FD_RFB, FIONREAD, &unread))
		event.unread = (uint32_t)unread;
	if (!pthread_getcpuclockid(child->decoding, &clock) &&
		!clock_gettime(clock, &cpu))
		event.cpu_ms = (uint32_t)(cpu.tv_sec * 1000 + cpu.tv_nsec / 1000000);
	return send_event(child, &event);
}

static int obey(struct child *child, const struct decoder_command *command)
{
	struct rfb_writer *writer = child->writer;

	switch (command->type) {
	case DECODER_COMMAND_KEY:
		return rfb_writer_key(writer, command->keysym, command->down);
	case DECODER_COMMAND_POINTER:
		return rfb_writer_pointer(writer, command->x, command->y,
			command->buttons);
	case DECODER_COMMAND_PING:
		return answer_ping(child);
	case DECODER_COMMAND_START:
		break;
	}
	return -REASON_BAD_MESSAGE;
}

static int read_more(struct buf *in)
{
	uint8_t *room;
	int r = buf_reserve(in, READ_SIZE, &room);

	if (r)
		return r;
	ssize_t n = recv(DECODER_FD_IPC, room, READ_SIZE, 0);
	if (n < 0 && errno == EINTR)
		return 0;
	if (n <= 0)
		return -REASON_PEER_LOST;
	buf_commit(in, (size_t)n);
	return 0;
}

static int next_command(struct buf *in, struct decoder_command *ret, size_t *ret_len)
{
	struct cursor body = cursor_of("", 0);
	uint8_t type = 0;
	int r = decoder_ipc_next(in, &type, &body, ret_len);

	return r || !*ret_len ? r : decoder_ipc_command(type, body, ret);
}

static int obey_all(struct child *child)
{
	struct decoder_command command;
	size_t len;
	int r;

	while ((r = next_command(&child->in, &command, &len)) == 0 && len) {
		r = obey(child, &command);
		if (r)
			return r;
		buf_drain(&child->in, len);
	}
	return r;
}

static void *command_thread(void *arg)
{
	struct child *child = arg;

	pthread_barrier_wait(&child->running);
	int r = obey_all(child); /* what came right behind the start */

	while (!r) {
		size_t waiting = rfb_writer_waiting(child->writer);
		struct pollfd fds[] = {
			{.fd = DECODER_FD_IPC, .events = POLLIN},
			{.fd = waiting ? DECODER_FD_RFB : -1, .events = POLLOUT},
			{.fd = rfb_writer_wake_fd(child->writer), .events = POLLIN},
		};
		if (poll(fds, ARRAY_LEN(fds), -1) < 0)
			continue;
		if (fds[0].revents)
			r = read_more(&child->in);
		r = r ? r : obey_all(child);
		if (!r && fds[1].revents)
			r = rfb_writer_flush(child->writer);
	}
	leave(child, r);
}

static int wait_for_start(struct child *child)
{
	size_t len = 0;
	int r = 0;

	while (!r && !len) {
		r = next_command(&child->in, &child->start, &len);
		if (!r && !len)
			r = read_more(&child->in);
	}
	if (r)
		return r;
	buf_drain(&child->in, len);
	return child->start.type == DECODER_COMMAND_START ? 0 : -REASON_BAD_MESSAGE;
}

static int prepare(struct child *child)
{
	const struct rfb_client_out out = {send_event, child};
	void *pixels = mmap(NULL, PICTURE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED,
		DECODER_FD_PIXELS, 0);

	if (pixels == MAP_FAILED)
		return -REASON_NO_MEMORY;
	pthread_mutex_init(&child->lock, NULL);
	buf_init(&child->in, DECODER_IPC_MAX + READ_SIZE);
	buf_init(&child->out, DECODER_IPC_MAX);
	child->decoding = pthread_self();
	int r = rfb_writer_new(&child->writer, DECODER_FD_RFB);
	r = r ? r
	      : rfb_client_new(&child->client, DECODER_FD_RFB, pixels, child->writer,
			&out);
	return r ? r : wait_for_start(child);
}

static int close_sandbox(struct child *child)
{
	pthread_t thread;
	int r = sandbox_files();

	if (r)
		return r;
	/* The thread is made first: making one, and what libc does at its start, is among the
	 * things that the filter forbids. */
	pthread_barrier_init(&child->running, NULL, 2);
	if (pthread_create(&thread, NULL, command_thread, child))
		return -REASON_NO_MEMORY;
	pthread_barrier_wait(&child->running);
	return sandbox_calls();
}

static int started_by_viewer(void)
{
	struct stat rfb, ipc, pixels;

	return !fstat(DECODER_FD_RFB, &rfb) && S_ISSOCK(rfb.st_mode) &&
	       !fstat(DECODER_FD_IPC, &ipc) && S_ISSOCK(ipc.st_mode) &&
	       !fstat(DECODER_FD_PIXELS, &pixels) &&
	       pixels.st_size == (off_t)PICTURE_BYTES;
}

int main(int argc, char **argv)
{
	static struct child child;
	int r;

	if (argc == 2 && !strcmp(argv[1], "--version")) {
		printf("engawa-decoder %s\n", ENGAWA_VERSION);
		return 0;
	}
	if (argc > 1 || !started_by_viewer()) {
		int help = argc == 2 && !strcmp(argv[1], "--help");
		fprintf(help ? stdout : stderr,
			"engawa-decoder is started by engawa-viewer to decode the "
			"picture in a sandbox; it is of no use by itself.\n");
		return help ? 0 : 64;
	}
	r = sandbox_limits(DECODER_FD_PIXELS + 1);
	r = r ? r : prepare(&child);
	r = r ? r : close_sandbox(&child);
	r = r ? r
	      : rfb_client_run(child.client, child.start.quality,
			child.start.compression);
	leave(&child, r);
}
