/* The decoder with its real child against a real VNC server: pixels, input, crashes, garbage. */
#include "unit/viewer/native/desk_rig.h"

#include "base/reason.h"
#include "rfb/decoder.h"

struct desk {
	struct decoder *decoder;
	struct rig_pump pump;
	char dir[64], path[96];
	struct rig_x x;
	int sizes, damages, cursors, ends, how, reason;
};

static void on_picture(void *ctx, const struct picture *picture)
{
	struct desk *desk = ctx;

	assert_true(picture_fits(picture->width, picture->height));
	desk->sizes++;
}

static void on_damage(void *ctx, const struct picture_rect *rects, size_t count)
{
	struct desk *desk = ctx;
	const struct picture *picture = decoder_picture(desk->decoder);

	for (size_t i = 0; i < count; i++) {
		assert_true(rects[i].x + rects[i].w <= picture->width);
		assert_true(rects[i].y + rects[i].h <= picture->height);
	}
	desk->damages++;
}

static void on_cursor(void *ctx, const struct picture_cursor *cursor)
{
	struct desk *desk = ctx;

	assert_true(cursor->width && cursor->height);
	desk->cursors++;
}

static void on_ended(void *ctx, enum decoder_end how, int reason)
{
	struct desk *desk = ctx;

	desk->ends++;
	desk->how = how;
	desk->reason = reason;
}

static void turn(struct desk *desk)
{
	struct pollfd fds[3] = {{.fd = decoder_fd(desk->decoder), .events = POLLIN}};
	nfds_t count = 1;

	for (int i = 0; desk->pump.bytes[0] && i < 2; i++)
		fds[count++] = (struct pollfd){.fd = desk->pump.fd[i], .events = POLLIN};
	poll(fds, count, 10);
	rig_pump_turn(&desk->pump);
	decoder_ready(desk->decoder);
}

#define WAIT_FOR(desk, condition)                                                        \
	do {                                                                             \
		int64_t wait_end = clock_mono_ms() + RIG_PATIENCE_MS;                    \
		int wait_over = 0;                                                       \
		while (!(wait_over = !!(condition)) && clock_mono_ms() < wait_end)       \
			turn(desk);                                                      \
		if (!wait_over)                                                          \
			fail_msg("never: %s", #condition);                               \
	} while (0)

static void make(struct desk *desk, int quality, int hang_ms)
{
	const struct decoder_options options = {.program = rig_decoder(),
		.quality = quality,
		.compression = 1,
		.hang_ms = hang_ms,
		.events = {on_picture, on_damage, on_cursor, on_ended},
		.ctx = desk};

	assert_int_equal(decoder_new(&desk->decoder, &options), 0);
}

static void join(struct desk *desk)
{
	int fd = -1;

	rig_pump_close(&desk->pump);
	assert_int_equal(decoder_start(desk->decoder, &fd), 0);
	rig_pump_open(&desk->pump, fd, rig_connect(desk->path));
}

static void open_desk(struct desk *desk, int quality, const char *geometry)
{
	memset(desk, 0, sizeof *desk);
	rig_temp(desk->dir, sizeof desk->dir);
	snprintf(desk->path, sizeof desk->path, "%s/rfb", desk->dir);
	desk->x = rig_xvnc(geometry, desk->path);
	make(desk, quality, 0);
	join(desk);
}

static void close_desk(struct desk *desk)
{
	rig_pump_close(&desk->pump);
	desk->decoder = decoder_free(desk->decoder);
	rig_end(desk->x.pid);
	if (desk->dir[0])
		rig_remove(desk->dir);
}

/* The greatest difference of any colour value between the server's screen and our picture, and the
 * mean of all. */
static int difference(struct desk *desk, double *ret_mean)
{
	const struct picture *picture = decoder_picture(desk->decoder);
	size_t len, count = (size_t)picture->width * picture->height;
	uint8_t *rgb = rig_grab(desk->x.display, desk->dir, &len);
	int worst = 0;
	double sum = 0;

	if (len != 3 * count) {
		free(rgb);
		return 256;
	}
	for (size_t i = 0; i < count; i++) {
		uint32_t pixel;
		memcpy(&pixel, picture->pixels + 4 * i, 4);
		for (int c = 0; c < 3; c++) {
			int off = abs((int)(pixel >> (16 - 8 * c) & 255) -
				      rgb[3 * i + (size_t)c]);
			worst = off > worst ? off : worst;
			sum += off;
		}
	}
	free(rgb);
	if (ret_mean)
		*ret_mean = sum / (double)len;
	return worst;
}

static void paint(struct desk *desk)
{
	const char *xterm[] = {"xterm", "-geometry", "60x20+20+30", "-bg", "#204060",
		"-fg", "yellow", "-e", "ls -l /usr; sleep 100", NULL};

	assert_int_equal(RIG_RUN(desk->x.display, "xsetroot", "-cursor_name", "left_ptr",
				 "-mod", "5", "7", "-fg", "#c81e5a", "-bg", "#1450a0"),
		0);
	rig_spawn(desk->x.display, -1, xterm);
	/* TigerVNC draws the pointer into the picture until the viewer says where it is. */
	WAIT_FOR(desk, decoder_picture(desk->decoder)->width);
	decoder_pointer(desk->decoder, 200, 200, 0);
}

static void test_pixels_without_loss(void **state)
{
	struct desk desk;
	int64_t until = clock_mono_ms() + RIG_PATIENCE_MS;

	(void)state;
	open_desk(&desk, DECODER_QUALITY_LOSSLESS, "640x480");
	paint(&desk);
	WAIT_FOR(&desk, desk.damages > 0 && desk.cursors > 0);
	int worst = 256;
	while (worst && clock_mono_ms() < until) {
		for (int i = 0; i < 30; i++)
			turn(&desk);
		worst = difference(&desk, NULL);
	}
	assert_int_equal(worst, 0);
	assert_int_equal(desk.ends, 0);

	/* The screen gets another size; the picture follows, exactly. */
	assert_int_equal(RIG_RUN(desk.x.display, "xrandr", "--fb", "800x600"), 0);
	WAIT_FOR(&desk, decoder_picture(desk.decoder)->width == 800);
	worst = 256;
	until = clock_mono_ms() + RIG_PATIENCE_MS;
	while (worst && clock_mono_ms() < until) {
		for (int i = 0; i < 30; i++)
			turn(&desk);
		worst = difference(&desk, NULL);
	}
	assert_int_equal(worst, 0);
	close_desk(&desk);
}

/* The other family of servers: libvncserver, which the host agent is made of, too. */
static void test_pixels_of_x11vnc(void **state)
{
	struct desk desk = {0};
	int64_t until = clock_mono_ms() + RIG_PATIENCE_MS;
	int worst = 256;

	(void)state;
	rig_temp(desk.dir, sizeof desk.dir);
	snprintf(desk.path, sizeof desk.path, "%s/rfb", desk.dir);
	desk.x = rig_xvfb("800x600x24");
	const char *argv[] = {"x11vnc", "-display", desk.x.display, "-unixsock",
		desk.path, "-forever", "-nopw", "-noxdamage", "-noshm", "-q", NULL};
	pid_t server = rig_spawn(NULL, -1, argv);
	make(&desk, DECODER_QUALITY_LOSSLESS, 0);
	join(&desk);
	paint(&desk);
	while (worst && clock_mono_ms() < until) {
		for (int i = 0; i < 30; i++)
			turn(&desk);
		worst = difference(&desk, NULL);
	}
	assert_int_equal(worst, 0);
	assert_true(desk.cursors > 0);
	assert_int_equal(desk.ends, 0);
	rig_end(server);
	WAIT_FOR(&desk, desk.ends == 1);
	assert_int_equal(desk.reason, -REASON_PEER_LOST);
	close_desk(&desk);
}

static void test_jpeg_is_close(void **state)
{
	struct desk desk;
	int64_t until = clock_mono_ms() + RIG_PATIENCE_MS;
	int worst = 256;
	double mean = 256;

	(void)state;
	open_desk(&desk, 9, "640x480");
	paint(&desk);
	while ((worst > 255 || mean > 12) && clock_mono_ms() < until) {
		for (int i = 0; i < 30; i++)
			turn(&desk);
		worst = difference(&desk, &mean);
	}
	assert_true(worst < 256 && mean <= 12);
	close_desk(&desk);
}

static void test_input_arrives(void **state)
{
	struct desk desk;
	char out[128], shell[256], got[64] = {0};

	(void)state;
	open_desk(&desk, 5, "640x480");
	snprintf(out, sizeof out, "%s/typed", desk.dir);
	snprintf(shell, sizeof shell, "head -n1 > %s", out);
	const char *xterm[] = {"xterm", "-geometry", "80x24+0+0", "-e", shell, NULL};
	rig_spawn(desk.x.display, -1, xterm);
	WAIT_FOR(&desk, RIG_RUN(desk.x.display, "xdotool", "search", "--onlyvisible",
				"--class", "xterm") == 0);
	/* What is typed before there is a picture is dropped. */
	WAIT_FOR(&desk, decoder_picture(desk.decoder)->width > 0);
	struct stat st = {0};
	/* The terminal's shell opens the file when it is ready to read. */
	WAIT_FOR(&desk, stat(out, &st) == 0);
	/* Without a manager keys go to the window under the pointer: it has to be there first. */
	WAIT_FOR(&desk,
		(decoder_pointer(desk.decoder, 100, 100, 0),
			RIG_RUN(desk.x.display, "sh", "-c",
				"xdotool getmouselocation | grep -q 'x:100 y:100'") ==
				0));
	for (const char *c = "Engawa 7"; *c; c++) {
		decoder_key(desk.decoder, (uint32_t)*c, 1);
		decoder_key(desk.decoder, (uint32_t)*c, 0);
	}
	decoder_key(desk.decoder, 0xFF0D, 1);
	decoder_key(desk.decoder, 0xFF0D, 0);
	WAIT_FOR(&desk, stat(out, &st) == 0 && st.st_size > 0);
	FILE *file = fopen(out, "r");
	assert_non_null(file);
	assert_non_null(fgets(got, sizeof got, file));
	fclose(file);
	assert_string_equal(got, "Engawa 7\n");
	close_desk(&desk);
}

/* Killed from outside, three times: each time an event and a new start; then refused. */
static void test_survives_the_childs_death(void **state)
{
	static const int signals[] = {SIGKILL, SIGSEGV, SIGABRT};
	struct desk desk;
	int fd = -1;

	(void)state;
	open_desk(&desk, 5, "320x240");
	for (int i = 0; i < 3; i++) {
		int damages = desk.damages;
		if (i)
			join(&desk);
		WAIT_FOR(&desk, desk.damages > damages);
		int64_t killed_ms = clock_mono_ms();
		kill(decoder_pid(desk.decoder), signals[i]);
		WAIT_FOR(&desk, desk.ends == i + 1);
		assert_true(clock_mono_ms() - killed_ms < RIG_PATIENCE_MS);
		assert_int_equal(desk.how, DECODER_DIED);
		assert_int_equal(desk.reason, -REASON_INTERNAL);
		assert_int_equal(decoder_pid(desk.decoder), 0);
		/* The last picture can still be shown. */
		assert_int_equal(decoder_picture(desk.decoder)->width, 320);
	}
	assert_int_equal(decoder_start(desk.decoder, &fd), -REASON_DECODER_FAILED);
	assert_int_equal(fd, -1);
	/* A minute later it may try again. */
	clock_fake(clock_mono_us() + 61000000, clock_wall_ms());
	assert_int_equal(decoder_start(desk.decoder, &fd), 0);
	clock_fake(-1, -1);
	close(fd);
	close_desk(&desk);
}

static void test_a_stopped_child_is_found_hanging(void **state)
{
	struct desk desk = {0};
	int fd = -1;

	(void)state;
	make(&desk, 5, 200);
	assert_int_equal(decoder_start(desk.decoder, &fd), 0);
	/* With nothing to read it may wait as long as it likes. */
	for (int64_t until = clock_mono_ms() + 600; clock_mono_ms() < until;)
		turn(&desk);
	assert_int_equal(desk.ends, 0);
	kill(decoder_pid(desk.decoder), SIGSTOP);
	WAIT_FOR(&desk, desk.ends == 1);
	assert_int_equal(desk.how, DECODER_DIED);
	close(fd);
	close_desk(&desk);
}

struct garbage {
	const char *name;
	const void *bytes;
	size_t len;
	int reason;
};

#define HELLO "RFB 003.008\n\1\1\0\0\0\0"
#define INIT(w, h) w h "\40\30\0\1\0\377\0\377\0\377\20\10\0\0\0\0\0\0\0\1N"
static const struct garbage garbages[] = {
	{"not RFB", "HTTP/1.1 400", 12, -REASON_PROTOCOL},
	{"too old", "RFB 002.000\n", 12, -REASON_VERSION},
	{"wants a password", "RFB 003.008\n\1\2", 14, -REASON_PROTOCOL},
	{"3.3 wants a password", "RFB 003.003\n\0\0\0\2", 16, -REASON_PROTOCOL},
	{"no width", HELLO INIT("\0\0", "\1\0"), 18 + 25, -REASON_PROTOCOL},
	{"too large", HELLO INIT("\377\377", "\377\377"), 18 + 25, -REASON_PROTOCOL},
	{"unknown message", HELLO INIT("\1\0", "\1\0") "\143", 18 + 25 + 1,
		-REASON_PROTOCOL},
	{"rectangle outside",
		HELLO INIT("\0\20", "\0\20") "\0\0\0\1"
					     "\0\10\0\0\0\20\0\20\0\0\0\0",
		18 + 25 + 16, -REASON_PROTOCOL},
	{"tight with a bad filter",
		HELLO INIT("\0\20", "\0\20") "\0\0\0\1"
					     "\0\0\0\0\0\20\0\20\0\0\0\7"
					     "\xC0",
		18 + 25 + 17, -REASON_PROTOCOL},
};

static void test_garbage_ends_the_stream_only(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(garbages); i++) {
		struct desk desk = {0};
		char room[256];
		int fd = -1;

		make(&desk, 5, 0);
		assert_int_equal(decoder_start(desk.decoder, &fd), 0);
		assert_int_equal(send(fd, garbages[i].bytes, garbages[i].len,
					 MSG_NOSIGNAL),
			garbages[i].len);
		if (garbages[i].bytes && strstr(garbages[i].name, "unknown")) {
			/* libvncclient waits for 256 bytes more before it gives up. */
			memset(room, 0, sizeof room);
			assert_int_equal(send(fd, room, sizeof room, MSG_NOSIGNAL),
				sizeof room);
		}
		if (getenv("RIG_VERBOSE"))
			fprintf(stderr, "%s\n", garbages[i].name);
		WAIT_FOR(&desk, desk.ends == 1);
		assert_int_equal(desk.how, DECODER_STREAM_ENDED);
		if (desk.reason != garbages[i].reason)
			fail_msg("%s: %s", garbages[i].name, reason_symbol(desk.reason));
		close(fd);
		close_desk(&desk);
	}
}

/* An orderly end is no death: it may happen any number of times. */
static void test_closed_stream_is_peer_lost(void **state)
{
	struct desk desk = {0};

	(void)state;
	make(&desk, 5, 0);
	for (int i = 0; i < 6; i++) {
		int fd = -1;
		assert_int_equal(decoder_start(desk.decoder, &fd), 0);
		assert_int_equal(send(fd, HELLO INIT("\1\0", "\1\0"), 18 + 25,
					 MSG_NOSIGNAL),
			43);
		WAIT_FOR(&desk, desk.sizes == i + 1);
		close(fd);
		WAIT_FOR(&desk, desk.ends == i + 1);
		assert_int_equal(desk.reason, -REASON_PEER_LOST);
	}
	close_desk(&desk);
}

static void read_exact(struct desk *desk, int fd, uint8_t *bytes, size_t len)
{
	size_t n = 0;

	for (int64_t until = clock_mono_ms() + RIG_PATIENCE_MS;
		n < len && clock_mono_ms() < until;) {
		ssize_t got = recv(fd, bytes + n, len - n, MSG_DONTWAIT);
		n += got > 0 ? (size_t)got : 0;
		if (got <= 0)
			turn(desk);
	}
	assert_int_equal(n, len);
}

/* What a host sees of the opening, byte by byte; a bell and texts, which have a lane of their own, are passed over. */
static void test_bytes_on_the_wire(void **state)
{
	struct desk desk = {0};
	uint8_t got[12 + 1 + 1 + 20 + 4 + 40 + 10];
	int fd = -1;

	(void)state;
	make(&desk, 7, 0);
	assert_int_equal(decoder_start(desk.decoder, &fd), 0);
	decoder_key(desk.decoder, 'x', 1); /* too early: nobody is there */
	assert_int_equal(send(fd, HELLO INIT("\1\0", "\0\200"), 43, MSG_NOSIGNAL), 43);
	read_exact(&desk, fd, got, sizeof got);
	assert_memory_equal(got, "RFB 003.008\n\1\1", 14);
	assert_memory_equal(got + 14,
		"\0\0\0\0\40\30\0\1\0\377\0\377\0\377\20\10\0\0\0\0", 20);
	assert_memory_equal(got + 34,
		"\2\0\0\12\0\0\0\1\0\0\0\7\0\0\0\20\0\0\0\5\0\0\0\0", 24);
	assert_memory_equal(got + 58, "\377\377\377\21\377\377\377\41\377\377\377\40",
		12);
	assert_memory_equal(got + 70, "\377\377\377\1\377\377\377\347", 8);
	assert_memory_equal(got + 78, "\3\0\0\0\0\0\1\0\0\200", 10);
	WAIT_FOR(&desk, desk.sizes == 1);

	assert_int_equal(send(fd, "\3\0\0\0\0\0\0\5caf\xe9!\2", 14, MSG_NOSIGNAL), 14);
	assert_int_equal(send(fd, "\0\0\0\1\0\0\0\0\0\1\0\1\0\0\0\0\1\2\3\0", 20,
				 MSG_NOSIGNAL),
		20);
	WAIT_FOR(&desk, desk.damages == 1);
	read_exact(&desk, fd, got, 10);
	assert_memory_equal(got, "\3\1\0\0\0\0\1\0\0\200", 10);
	decoder_key(desk.decoder, 0xFFE1, 1);
	decoder_pointer(desk.decoder, 0x102, 0x304, 0x85);
	read_exact(&desk, fd, got, 8 + 6);
	assert_memory_equal(got, "\4\1\0\0\0\0\xff\xe1\5\x85\1\2\3\4", 14);
	close(fd);
	close_desk(&desk);
}

/* While the stream takes nothing: no key is lost, moves are merged, the child is not called hung. */
static void test_a_stalled_stream_keeps_every_key(void **state)
{
	enum { KEYS = 3000 };
	struct desk desk = {0};
	uint8_t opening[88], event[8];
	uint32_t next = 0;
	int fd = -1, moves = 0;

	(void)state;
	make(&desk, 5, 400);
	assert_int_equal(decoder_start(desk.decoder, &fd), 0);
	assert_int_equal(send(fd, HELLO INIT("\1\0", "\1\0"), 43, MSG_NOSIGNAL), 43);
	read_exact(&desk, fd, opening, sizeof opening);
	for (uint32_t i = 0; i < KEYS; i++) {
		decoder_key(desk.decoder, 0x1000000 + i, 1);
		for (uint16_t x = 0; x < 5; x++)
			decoder_pointer(desk.decoder, x, (uint16_t)i, 0);
		if (i % 100 == 0)
			turn(&desk);
	}
	for (int64_t until = clock_mono_ms() + 1200; clock_mono_ms() < until;)
		turn(&desk);
	assert_int_equal(desk.ends, 0);
	while (next < KEYS) {
		read_exact(&desk, fd, event, 1);
		if (event[0] == 5) {
			read_exact(&desk, fd, event + 1, 5);
			moves++;
			continue;
		}
		assert_int_equal(event[0], 4);
		read_exact(&desk, fd, event + 1, 7);
		assert_int_equal(event[4] << 24 | event[5] << 16 | event[6] << 8 |
					 event[7],
			0x1000000 + next);
		next++;
	}
	assert_true(moves < 5 * KEYS);
	close(fd);
	close_desk(&desk);
}

static void test_missing_program(void **state)
{
	const struct decoder_options beside = {0},
				     wrong = {.program = "/nonexistent/decoder"};
	struct decoder *decoder = NULL;
	int fd = -1;

	(void)state;
	assert_int_equal(decoder_new(&decoder, &beside), -REASON_MISSING_PROGRAM);
	assert_null(decoder);
	assert_int_equal(decoder_new(&decoder, &wrong), 0);
	assert_int_equal(decoder_start(decoder, &fd), -REASON_MISSING_PROGRAM);
	assert_int_equal(fd, -1);
	assert_null(decoder_free(decoder));
	assert_null(decoder_free(NULL));
}

/* What the child may still do, as the kernel tells it. */
static void test_the_real_child_is_confined(void **state)
{
	struct desk desk = {0};
	char path[64], line[256];
	int fd = -1, seccomp = -1, no_new_privs = -1, fds = 0;

	(void)state;
	make(&desk, 5, 0);
	assert_int_equal(decoder_start(desk.decoder, &fd), 0);
	assert_int_equal(send(fd, HELLO INIT("\1\0", "\1\0"), 43, MSG_NOSIGNAL), 43);
	WAIT_FOR(&desk, desk.sizes == 1);
	snprintf(path, sizeof path, "/proc/%d/status", decoder_pid(desk.decoder));
	FILE *file = fopen(path, "r");
	assert_non_null(file);
	while (fgets(line, sizeof line, file)) {
		sscanf(line, "Seccomp: %d", &seccomp);
		sscanf(line, "NoNewPrivs: %d", &no_new_privs);
	}
	fclose(file);
	assert_int_equal(seccomp, 2);
	assert_int_equal(no_new_privs, 1);
	snprintf(path, sizeof path, "/proc/%d/environ", decoder_pid(desk.decoder));
	file = fopen(path, "r");
	assert_true(!file || fgetc(file) == EOF);
	if (file)
		fclose(file);
	for (int i = 0; i < 64; i++) {
		snprintf(path, sizeof path, "/proc/%d/fd/%d", decoder_pid(desk.decoder),
			i);
		fds += readlink(path, line, sizeof line) >= 0;
	}
	assert_true(fds <=
		    7); /* three to /dev/null, three of ours, one to wake a thread */
	close(fd);
	close_desk(&desk);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bytes_on_the_wire),
		cmocka_unit_test(test_garbage_ends_the_stream_only),
		cmocka_unit_test(test_closed_stream_is_peer_lost),
		cmocka_unit_test(test_a_stalled_stream_keeps_every_key),
		cmocka_unit_test(test_missing_program),
		cmocka_unit_test(test_the_real_child_is_confined),
		cmocka_unit_test(test_a_stopped_child_is_found_hanging),
		cmocka_unit_test(test_pixels_without_loss),
		cmocka_unit_test(test_pixels_of_x11vnc),
		cmocka_unit_test(test_jpeg_is_close),
		cmocka_unit_test(test_input_arrives),
		cmocka_unit_test(test_survives_the_childs_death),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
