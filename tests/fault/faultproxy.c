/* faultproxy: a TCP proxy that is the bad line between two programs.
 *
 *   faultproxy --to HOST:PORT [--listen HOST:PORT] [--control SOCKET] [--stdin] [--ready-fd N]
 *              [--seconds N] [-c COMMAND]...
 *
 * "up" is the way of the bytes from who connects to us, "down" the way back, DIR one of up, down,
 * both. Commands, one a line, on the command line, on stdin or on the control socket (a Unix
 * stream); each is answered with "ok", a line of JSON, or "error: …":
 *
 *   delay DIR MS            one way; decimals allowed. 20 up and 20 down are a round trip of 40 ms
 *   jitter DIR MS           0..MS more, at random, never overtaking
 *   rate DIR BITS           per second: 20M, 512k, 0 for no limit
 *   queue DIR MS            what waits for the line at most before the sender is slowed (200)
 *   freeze DIR | thaw DIR   nothing passes; nothing is lost
 *   stall DIR EVERY FOR     in every EVERY ms nothing passes for FOR ms; 0 ends it
 *   cut DIR N [rst]         after exactly N bytes of a connection both ends are closed; -1 ends it
 *   half DIR N              after N bytes that direction is closed (FIN), the other goes on; -1 ends it
 *   flip DIR N              bit 0 of byte N of every connection is flipped; -1 ends it
 *   close | rst             all connections, now
 *   refuse | accept         new connections are reset at once; are served again
 *   stats                   connections and bytes so far
 *   quit
 *
 * Prints "port N" when it listens. Ends by itself: after --seconds (600), with its parent, at "quit",
 * and with --stdin at the end of stdin. Memory is bounded: 16 MiB a direction of a connection.
 *
 * Accuracy: time is counted from when a byte was read, and a line's schedule goes on from where it
 * was, so late wake-ups shift single bytes but never the rate.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define CONNS 256
#define CONTROLS 8
#define SEGMENT 1448 /* what a line carries at a time */
#define HELD_MAX (16 * 1024 * 1024)
#define RECEIVE_BUFFER (32 * 1024)
#define NEVER INT64_MAX
#define MS 1000000LL

enum { UP, DOWN };

struct settings {
	int64_t delay, jitter, queue; /* ns */
	double rate;                  /* bytes per second, 0: no limit */
	bool frozen;
	int64_t stall_every, stall_for; /* ns */
	int64_t cut, half, flip;        /* byte numbers, -1: none */
	bool cut_rst;
};

struct segment {
	struct segment *next;
	int64_t due;
	size_t len, done;
	uint8_t bytes[SEGMENT];
};

struct way {
	struct segment *head, **tail;
	size_t held;
	int64_t line_free, last_due;
	int64_t read_count, sent_count;
	bool ended, told; /* FIN read; FIN passed on */
};

struct conn {
	int fds[2]; /* [UP]: who connected; [DOWN]: the target. fds[dir] is read for way dir */
	bool connecting;
	struct way ways[2];
};

struct control {
	int fd, answer_fd;
	char line[512];
	size_t len;
};

static struct settings settings[2];
static struct conn *conns[CONNS];
static struct control controls[CONTROLS];
static struct sockaddr_storage target;
static socklen_t target_len;
static bool refusing, quitting;
static int64_t started, passed[2], accepted;

static int64_t now_ns(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

__attribute__((noreturn)) static void usage(const char *why)
{
	fprintf(stderr,
		"faultproxy: %s\nfaultproxy --to HOST:PORT [--listen HOST:PORT] "
		"[--control SOCKET] [--stdin] [--ready-fd N] [--seconds N] [-c "
		"COMMAND]...\n",
		why);
	exit(64);
}

static void way_clear(struct way *way)
{
	while (way->head) {
		struct segment *next = way->head->next;
		free(way->head);
		way->head = next;
	}
}

static void conn_close(struct conn **slot, bool reset)
{
	struct conn *conn = *slot;
	struct linger linger = {1, 0};
	if (!conn)
		return;
	for (int dir = 0; dir < 2; dir++) {
		if (reset)
			setsockopt(conn->fds[dir], SOL_SOCKET, SO_LINGER, &linger,
				sizeof(linger));
		close(conn->fds[dir]);
		way_clear(&conn->ways[dir]);
	}
	free(conn);
	*slot = NULL;
}

static void tune(int fd)
{
	int on = 1, size = RECEIVE_BUFFER;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	/* What the kernel would hold here is not on the line we play. */
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
}

static void conn_new(int fd)
{
	struct linger linger = {1, 0};
	int slot = 0;
	while (slot < CONNS && conns[slot])
		slot++;
	struct conn *conn = slot < CONNS && !refusing ? calloc(1, sizeof(*conn)) : NULL;
	int out = conn ? socket(target.ss_family,
				 SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)
		       : -1;
	if (out < 0) {
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
		close(fd);
		free(conn);
		return;
	}
	tune(fd);
	tune(out);
	conn->fds[UP] = fd;
	conn->fds[DOWN] = out;
	conn->connecting = true;
	for (int dir = 0; dir < 2; dir++)
		conn->ways[dir].tail = &conn->ways[dir].head;
	conns[slot] = conn;
	accepted++;
	if (connect(out, (struct sockaddr *)&target, target_len) && errno != EINPROGRESS)
		conn_close(&conns[slot], true);
}

/* When a segment that was read now comes out at the other end. */
static int64_t due_of(struct way *way, const struct settings *set, size_t len,
	int64_t now)
{
	if (way->line_free < now)
		way->line_free = now;
	if (set->rate > 0)
		way->line_free += (int64_t)((double)len / set->rate * 1e9);
	int64_t due = way->line_free + set->delay;
	if (set->jitter > 0)
		due += (int64_t)(drand48() * (double)set->jitter);
	if (due < way->last_due)
		due = way->last_due;
	way->last_due = due;
	return due;
}

static bool wants_read(const struct conn *conn, int dir, int64_t now)
{
	const struct way *way = &conn->ways[dir];
	const struct settings *set = &settings[dir];
	if (conn->connecting || way->ended || set->frozen || way->held >= HELD_MAX)
		return false;
	return set->rate <= 0 || way->line_free - now < set->queue;
}

/* False: the connection is over. */
static bool take(struct conn *conn, int dir, int64_t now)
{
	struct way *way = &conn->ways[dir];
	const struct settings *set = &settings[dir];
	while (wants_read(conn, dir, now)) {
		struct segment *segment = malloc(sizeof(*segment));
		if (!segment)
			return false;
		ssize_t got = recv(conn->fds[dir], segment->bytes, SEGMENT, 0);
		if (got <= 0) {
			int error = errno;
			free(segment);
			if (got < 0 && (error == EAGAIN || error == EINTR))
				return true;
			way->ended = got == 0;
			return got == 0;
		}
		segment->len = (size_t)got;
		segment->done = 0;
		segment->next = NULL;
		segment->due = due_of(way, set, segment->len, now);
		if (set->flip >= way->read_count && set->flip < way->read_count + got)
			segment->bytes[set->flip - way->read_count] ^= 1;
		way->read_count += got;
		way->held += segment->len;
		*way->tail = segment;
		way->tail = &segment->next;
	}
	return true;
}

/* The end of the stall in which `now` lies; 0 when nothing stalls. */
static int64_t stalled_until(const struct settings *set, int64_t now)
{
	if (set->stall_every <= 0)
		return 0;
	int64_t into = (now - started) % set->stall_every;
	int64_t passes = set->stall_every - set->stall_for;
	return into >= passes ? now + set->stall_every - into : 0;
}

static void segment_pop(struct way *way)
{
	struct segment *segment = way->head;
	way->head = segment->next;
	if (!way->head)
		way->tail = &way->head;
	free(segment);
}

/* False: the connection is over. *blocked: the reader takes nothing now. */
static bool give(struct conn **slot, int dir, int64_t now, bool *blocked)
{
	struct conn *conn = *slot;
	struct way *way = &conn->ways[dir];
	const struct settings *set = &settings[dir];
	int to = conn->fds[!dir];
	*blocked = false;
	if (conn->connecting || set->frozen || stalled_until(set, now))
		return true;
	while (way->head && way->head->due <= now) {
		struct segment *segment = way->head;
		size_t len = segment->len - segment->done;
		if (set->half >= 0 && way->sent_count >= set->half && !way->told) {
			shutdown(to, SHUT_WR);
			way->told = true;
		}
		if (way->told) { /* goes nowhere any more */
			way->held -= segment->len;
			segment_pop(way);
			continue;
		}
		if (set->cut >= 0 && (int64_t)len > set->cut - way->sent_count)
			len = set->cut > way->sent_count
				      ? (size_t)(set->cut - way->sent_count)
				      : 0;
		if (set->half >= 0 && (int64_t)len > set->half - way->sent_count)
			len = (size_t)(set->half - way->sent_count);
		ssize_t put =
			len ? send(to, segment->bytes + segment->done, len, MSG_NOSIGNAL)
			    : 0;
		if (put < 0) {
			*blocked = errno == EAGAIN || errno == EINTR;
			return *blocked;
		}
		segment->done += (size_t)put;
		way->sent_count += put;
		passed[dir] += put;
		if (set->cut >= 0 && way->sent_count >= set->cut) {
			conn_close(slot, set->cut_rst);
			return true;
		}
		if (segment->done == segment->len) {
			way->held -= segment->len;
			segment_pop(way);
		}
	}
	if (way->ended && !way->head && !way->told) {
		shutdown(to, SHUT_WR);
		way->told = true;
	}
	return true;
}

/* Commands. */

static bool directions(const char *word, int *from, int *until)
{
	*from = word && !strcmp(word, "down");
	*until = word && !strcmp(word, "up");
	*until = *until ? UP : DOWN;
	return word &&
	       (!strcmp(word, "up") || !strcmp(word, "down") || !strcmp(word, "both"));
}

static double number(const char *word)
{
	char *end;
	if (!word)
		return 0;
	double value = strtod(word, &end);
	double unit = *end == 'k' || *end == 'K' ? 1e3
		      : *end == 'M'              ? 1e6
		      : *end == 'G'              ? 1e9
						 : 1;
	return value * unit;
}

static int64_t ms_of(const char *word)
{
	return (int64_t)(number(word) * (double)MS);
}

static bool set_one(struct settings *set, const char *verb, char **words)
{
	if (!strcmp(verb, "delay"))
		set->delay = ms_of(words[2]);
	else if (!strcmp(verb, "jitter"))
		set->jitter = ms_of(words[2]);
	else if (!strcmp(verb, "queue"))
		set->queue = ms_of(words[2]);
	else if (!strcmp(verb, "rate"))
		set->rate = number(words[2]) / 8;
	else if (!strcmp(verb, "freeze") || !strcmp(verb, "thaw"))
		set->frozen = *verb == 'f';
	else if (!strcmp(verb, "cut"))
		set->cut = (int64_t)number(words[2]), set->cut_rst = words[3] != NULL;
	else if (!strcmp(verb, "half"))
		set->half = (int64_t)number(words[2]);
	else if (!strcmp(verb, "flip"))
		set->flip = (int64_t)number(words[2]);
	else if (!strcmp(verb, "stall"))
		set->stall_every = ms_of(words[2]), set->stall_for = ms_of(words[3]);
	else
		return false;
	return true;
}

static void stats(char *ret, size_t size)
{
	int open = 0;
	size_t held[2] = {0, 0};
	for (int i = 0; i < CONNS; i++) {
		if (!conns[i])
			continue;
		open++;
		held[UP] += conns[i]->ways[UP].held;
		held[DOWN] += conns[i]->ways[DOWN].held;
	}
	snprintf(ret, size,
		"{\"open\":%d,\"accepted\":%lld,\"up\":%lld,\"down\":%lld,\"held_up\":%"
		"zu,\"held_down\":%zu}",
		open, (long long)accepted, (long long)passed[UP], (long long)passed[DOWN],
		held[UP], held[DOWN]);
}

static void command(char *line, char *answer, size_t size)
{
	char *words[5] = {NULL}, *save = NULL;
	int count = 0, from, until;
	for (char *word = strtok_r(line, " \t\r", &save); word && count < 4;
		word = strtok_r(NULL, " \t\r", &save))
		words[count++] = word;
	snprintf(answer, size, "ok");
	if (!count)
		return;
	if (!strcmp(words[0], "stats")) {
		stats(answer, size);
	} else if (!strcmp(words[0], "close") || !strcmp(words[0], "rst")) {
		for (int i = 0; i < CONNS; i++)
			conn_close(&conns[i], words[0][0] == 'r');
	} else if (!strcmp(words[0], "refuse") || !strcmp(words[0], "accept")) {
		refusing = words[0][0] == 'r';
	} else if (!strcmp(words[0], "quit")) {
		quitting = true;
	} else if (directions(words[1], &from, &until)) {
		for (int dir = from; dir <= until; dir++)
			if (!set_one(&settings[dir], words[0], words))
				snprintf(answer, size, "error: no command %s", words[0]);
	} else {
		snprintf(answer, size, "error: not understood: %s", words[0]);
	}
}

static void control_line(struct control *control)
{
	char answer[300];
	command(control->line, answer, sizeof(answer) - 1);
	strcat(answer, "\n");
	if (control->answer_fd >= 0 &&
		write(control->answer_fd, answer, strlen(answer)) < 0)
		control->answer_fd = -1;
}

/* False: this control is gone. */
static bool control_read(struct control *control)
{
	char bytes[512];
	ssize_t got = read(control->fd, bytes, sizeof(bytes));
	if (got < 0)
		return errno == EAGAIN || errno == EINTR;
	for (ssize_t i = 0; i < got; i++) {
		if (bytes[i] == '\n') {
			control->line[control->len] = 0;
			control->len = 0;
			control_line(control);
		} else if (control->len + 1 < sizeof(control->line)) {
			control->line[control->len++] = bytes[i];
		}
	}
	return got > 0;
}

static void control_new(int fd, int answer_fd)
{
	for (int i = 0; i < CONTROLS; i++) {
		if (controls[i].fd >= 0)
			continue;
		controls[i] = (struct control){.fd = fd, .answer_fd = answer_fd};
		return;
	}
	close(fd);
}

/* Addresses. */

static void resolve(const char *text, struct sockaddr_storage *ret, socklen_t *ret_len,
	int flags)
{
	char host[300];
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = flags}, *found;
	const char *colon = strrchr(text, ':');
	if (!colon || (size_t)(colon - text) >= sizeof(host))
		usage("an address is HOST:PORT");
	const char *from = *text == '[' ? text + 1 : text;
	size_t len = (size_t)(colon - from) - (*text == '[');
	memcpy(host, from, len);
	host[len] = 0;
	if (getaddrinfo(host, colon + 1, &hints, &found))
		usage("no such host");
	memcpy(ret, found->ai_addr, found->ai_addrlen);
	*ret_len = found->ai_addrlen;
	freeaddrinfo(found);
}

static int listen_on(const char *text, uint16_t *ret_port)
{
	struct sockaddr_storage at;
	socklen_t len;
	int on = 1;
	resolve(text, &at, &len, AI_PASSIVE);
	int fd = socket(at.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	tune(fd);
	if (fd < 0 || bind(fd, (struct sockaddr *)&at, len) || listen(fd, 128)) {
		perror("faultproxy: listen");
		exit(69);
	}
	getsockname(fd, (struct sockaddr *)&at, &len);
	*ret_port =
		ntohs(at.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&at)->sin6_port
					       : ((struct sockaddr_in *)&at)->sin_port);
	return fd;
}

static int control_listen(const char *path)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	if (strlen(path) >= sizeof(at.sun_path))
		usage("the control socket's path is too long");
	strcpy(at.sun_path, path);
	unlink(path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)) || listen(fd, 8)) {
		perror("faultproxy: control");
		exit(69);
	}
	return fd;
}

/* The loop. */

static struct pollfd fds[2 + CONTROLS + 2 * CONNS];
static nfds_t fd_count;

static void watch(int fd, short events)
{
	fds[fd_count++] = (struct pollfd){fd, events, 0};
}

static int64_t earliest(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* Until when this way can be left alone. */
static int64_t way_wakes(const struct conn *conn, int dir, int64_t now)
{
	const struct way *way = &conn->ways[dir];
	const struct settings *set = &settings[dir];
	int64_t wake = NEVER, stall = stalled_until(set, now);
	if (set->frozen)
		return NEVER;
	if (way->head)
		wake = way->head->due;
	if (stall && wake != NEVER && wake < stall)
		wake = stall;
	if (!way->ended && set->rate > 0 && way->line_free - now >= set->queue)
		wake = earliest(wake, way->line_free - set->queue + 1);
	return wake;
}

static void conn_work(struct conn **slot, int64_t now, bool blocked[2])
{
	struct conn *conn = *slot;
	int error = 0;
	socklen_t len = sizeof(error);
	if (conn->connecting) {
		struct pollfd out = {conn->fds[DOWN], POLLOUT, 0};
		if (poll(&out, 1, 0) <= 0)
			return;
		if (getsockopt(out.fd, SOL_SOCKET, SO_ERROR, &error, &len) || error) {
			conn_close(slot, true);
			return;
		}
		conn->connecting = false;
	}
	for (int dir = 0; dir < 2; dir++) {
		if (!take(conn, dir, now) || !give(slot, dir, now, &blocked[dir])) {
			conn_close(slot, true);
			return;
		}
		if (!*slot)
			return;
	}
	if (conn->ways[UP].told && conn->ways[DOWN].told && conn->ways[UP].ended &&
		conn->ways[DOWN].ended)
		conn_close(slot, false);
}

static int64_t conn_watch(const struct conn *conn, const bool blocked[2], int64_t now)
{
	int64_t wake = NEVER;
	short events[2] = {0, 0};
	if (conn->connecting) {
		watch(conn->fds[DOWN], POLLOUT);
		return NEVER;
	}
	for (int dir = 0; dir < 2; dir++) {
		if (wants_read(conn, dir, now))
			events[dir] |= POLLIN;
		if (blocked[dir])
			events[!dir] |= POLLOUT;
		else
			wake = earliest(wake, way_wakes(conn, dir, now));
	}
	for (int dir = 0; dir < 2; dir++) {
		/* Without interest a hung-up fd would wake us for ever. */
		if (events[dir])
			watch(conn->fds[dir], events[dir]);
	}
	return wake;
}

static void round_of_work(int listener, int control_listener, int64_t until)
{
	static bool blocked[CONNS][2];
	int64_t now = now_ns(), wake = until;
	fd_count = 0;
	watch(listener, POLLIN);
	watch(control_listener, POLLIN); /* -1 is ignored by poll */
	for (int i = 0; i < CONTROLS; i++)
		watch(controls[i].fd, POLLIN);
	for (int i = 0; i < CONNS; i++) {
		if (conns[i])
			conn_work(&conns[i], now, blocked[i]);
		if (conns[i])
			wake = earliest(wake, conn_watch(conns[i], blocked[i], now));
	}
	now = now_ns();
	int64_t wait = wake > now ? wake - now : 0;
	struct timespec ts = {wait / 1000000000LL, wait % 1000000000LL};
	if (ppoll(fds, fd_count, &ts, NULL) <= 0)
		return;
	for (int fd; fds[0].revents && (fd = accept4(listener, NULL, NULL,
						SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0;)
		conn_new(fd);
	for (int fd; fds[1].revents && (fd = accept4(control_listener, NULL, NULL,
						SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0;)
		control_new(fd, fd);
	for (int i = 0; i < CONTROLS; i++) {
		if (!fds[2 + i].revents || controls[i].fd < 0 ||
			control_read(&controls[i]))
			continue;
		if (controls[i].fd == STDIN_FILENO)
			quitting = true;
		close(controls[i].fd);
		controls[i].fd = -1;
	}
}

static void ready(int fd, uint16_t port)
{
	char line[32];
	int len = snprintf(line, sizeof(line), "port %u\n", port);
	if (write(fd, line, (size_t)len) != len)
		exit(74);
}

int main(int argc, char **argv)
{
	const char *listen_at = "127.0.0.1:0", *to = NULL, *control = NULL;
	int ready_fd = STDOUT_FILENO;
	double seconds = 600;
	for (int dir = 0; dir < 2; dir++)
		settings[dir] = (struct settings){
			.queue = 200 * MS, .cut = -1, .half = -1, .flip = -1};
	for (int i = 0; i < CONTROLS; i++)
		controls[i].fd = -1;
	for (int i = 1; i < argc; i++) {
		const char *value = i + 1 < argc ? argv[i + 1] : NULL;
		if (!strcmp(argv[i], "--stdin")) {
			control_new(STDIN_FILENO, STDOUT_FILENO);
			continue;
		}
		if (!value)
			usage("an option lacks its value");
		if (!strcmp(argv[i], "--listen"))
			listen_at = value;
		else if (!strcmp(argv[i], "--to"))
			to = value;
		else if (!strcmp(argv[i], "--control"))
			control = value;
		else if (!strcmp(argv[i], "--ready-fd"))
			ready_fd = atoi(value);
		else if (!strcmp(argv[i], "--seconds"))
			seconds = number(value);
		else if (!strcmp(argv[i], "-c")) {
			char answer[300];
			command(argv[i + 1], answer, sizeof(answer));
			if (!strncmp(answer, "error", 5))
				usage(answer);
		} else {
			usage(argv[i]);
		}
		i++;
	}
	if (!to)
		usage("--to is missing");
	signal(SIGPIPE, SIG_IGN);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	prctl(PR_SET_TIMERSLACK, 1UL); /* ns: the default would add 50 us to every wait */
	srand48(getpid());
	resolve(to, &target, &target_len, 0);
	uint16_t port;
	int listener = listen_on(listen_at, &port);
	int control_listener = control ? control_listen(control) : -1;
	started = now_ns();
	ready(ready_fd, port);
	int64_t until = started + (int64_t)(seconds * 1e9);
	while (!quitting && now_ns() < until)
		round_of_work(listener, control_listener, until);
	if (control)
		unlink(control);
	return 0;
}
