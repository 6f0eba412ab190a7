/* The whole desktop half as a person meets it: a real window under Xvfb, a real VNC desktop behind
 * the decoder, xdotool for the hands, xterm at the host for what arrives.
 */
#include "unit/viewer/native/desk_rig.h"

#include <sys/resource.h>

#include "base/post.h"
#include "base/reason.h"
#include "rfb/decoder.h"
#include "window/window.h"

#ifdef __SANITIZE_ADDRESS__
__attribute__((visibility("default"))) const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libSDL2\nleak:libdbus\nleak:libX\nleak:libGL\n";
}
#endif

struct home {
	struct rig_x x, host;
	char dir[64], path[96];
	struct post_pump *posts;
	struct window *window;
	struct decoder *decoder;
	struct rig_pump pump;
	int keys, downs, quits, longs, pointer_x, pointer_y, buttons, sizes, damages;
	uint32_t last_down;
	char clipboard[256], pressed[1024];
};

static void on_window(void *ctx, const struct window_event *event)
{
	struct home *home = ctx;

	switch (event->type) {
	case WINDOW_KEY:
		home->keys++;
		home->downs += event->down ? 1 : -1;
		if (event->down) {
			size_t len = strlen(home->pressed);
			home->last_down = event->keysym;
			snprintf(home->pressed + len, sizeof home->pressed - len, "%x ",
				event->keysym);
		}
		if (home->decoder)
			decoder_key(home->decoder, event->keysym, event->down);
		break;
	case WINDOW_POINTER:
		home->pointer_x = event->x;
		home->pointer_y = event->y;
		home->buttons = event->buttons;
		if (home->decoder)
			decoder_pointer(home->decoder, event->x, event->y,
				event->buttons);
		break;
	case WINDOW_CLIPBOARD:
		snprintf(home->clipboard, sizeof home->clipboard, "%s", event->text);
		break;
	case WINDOW_CLIPBOARD_LONG:
		home->longs++;
		break;
	case WINDOW_QUIT:
		home->quits++;
		break;
	}
}

static void on_picture(void *ctx, const struct picture *picture)
{
	struct home *home = ctx;

	home->sizes++;
	window_picture(home->window, picture);
}

static void on_damage(void *ctx, const struct picture_rect *rects, size_t count)
{
	struct home *home = ctx;

	home->damages++;
	window_damage(home->window, rects, count);
}

static void on_cursor(void *ctx, const struct picture_cursor *cursor)
{
	window_cursor(((struct home *)ctx)->window, cursor);
}

static void turn(struct home *home)
{
	post_pump_run(home->posts, 5);
	if (!home->decoder)
		return;
	rig_pump_turn(&home->pump);
	decoder_ready(home->decoder);
}

#define WAIT_FOR(home, condition)                                                        \
	do {                                                                             \
		int64_t wait_end = clock_mono_ms() + RIG_PATIENCE_MS;                    \
		int wait_over = 0;                                                       \
		while (!(wait_over = !!(condition)) && clock_mono_ms() < wait_end)       \
			turn(home);                                                      \
		if (!wait_over)                                                          \
			fail_msg("never: %s", #condition);                               \
	} while (0)

static void turn_ms(struct home *home, int ms)
{
	for (int64_t until = clock_mono_ms() + ms; clock_mono_ms() < until;)
		turn(home);
}

static void open_window(struct home *home, enum reason_lang lang)
{
	const struct window_options options = {.title = "Engawa test",
		.lang = lang,
		.scale = SDL_SCALE_FIT,
		.event = on_window,
		.ctx = home,
		.box = post_pump_box(home->posts)};

	setenv("DISPLAY", home->x.display, 1);
	/* Xvfb's OpenGL is a compiler that leaks what no tool can name after it is unloaded. */
	setenv("SDL_RENDER_DRIVER", "software", 1);
	setenv("SDL_FRAMEBUFFER_ACCELERATION", "0", 1);
	assert_int_equal(window_new(&home->window, &options), 0);
}

static void open_home(struct home *home, const char *screen, enum reason_lang lang)
{
	memset(home, 0, sizeof *home);
	rig_temp(home->dir, sizeof home->dir);
	setenv("XDG_RUNTIME_DIR", home->dir, 1);
	setenv("LC_ALL", "C.UTF-8", 1);
	home->x = rig_xvfb(screen);
	assert_int_equal(post_pump_new(&home->posts), 0);
	open_window(home, lang);
}

static void open_host(struct home *home, const char *geometry)
{
	const struct decoder_options options = {.program = rig_decoder(),
		.quality = DECODER_QUALITY_LOSSLESS,
		.compression = 1,
		.events = {.picture = on_picture,
			.damage = on_damage,
			.cursor = on_cursor},
		.ctx = home};
	int fd = -1;

	snprintf(home->path, sizeof home->path, "%s/rfb", home->dir);
	home->host = rig_xvnc(geometry, home->path);
	assert_int_equal(decoder_new(&home->decoder, &options), 0);
	assert_int_equal(decoder_start(home->decoder, &fd), 0);
	rig_pump_open(&home->pump, fd, rig_connect(home->path));
	WAIT_FOR(home, home->damages);
}

static void close_home(struct home *home)
{
	home->window = window_free(home->window);
	rig_pump_close(&home->pump);
	home->decoder = decoder_free(home->decoder);
	rig_end(home->x.pid);
	rig_end(home->host.pid);
	post_pump_free(home->posts);
	rig_remove(home->dir);
}

static void focus(struct home *home)
{
	WAIT_FOR(home, RIG_RUN(home->x.display, "xdotool", "search", "--sync", "--name",
			       "^Engawa test$", "windowfocus", "--sync") == 0);
	turn_ms(home, 100);
}

/* Keeps a look for people: RIG_KEEP=DIR. */
static void keep(struct home *home, const char *name)
{
	char path[512];

	if (!getenv("RIG_KEEP"))
		return;
	snprintf(path, sizeof path, "%s/%s.png", getenv("RIG_KEEP"), name);
	RIG_RUN(home->x.display, "import", "-silent", "-window", "root", path);
}

#define JAPANESE "縁側から会社へ、ようこそ。"
static void test_typed_text_arrives_exactly(void **state)
{
	static const char text[] = "Engawa {}[]|\\~`!@#$%^&*() éß €" JAPANESE;
	struct home home;
	char out[128], shell[256], got[512] = {0};
	struct stat st = {0};

	(void)state;
	open_home(&home, "1024x768x24", REASON_JA);
	open_host(&home, "800x600");
	snprintf(out, sizeof out, "%s/typed", home.dir);
	snprintf(shell, sizeof shell, "cat > %s", out);
	const char *xterm[] = {"xterm", "-u8", "-geometry", "80x24+0+0", "-fa",
		"Noto Sans Mono CJK JP", "-fs", "14", "-e", "sh", "-c", shell, NULL};
	rig_spawn(home.host.display, -1, xterm);
	WAIT_FOR(&home, stat(out, &st) == 0);
	RIG_RUN(home.host.display, "xdotool", "mousemove", "200", "200");
	focus(&home);
	pid_t typing = rig_spawn(home.x.display, -1,
		(const char *const[]){"xdotool", "type", "--delay", "60", text, NULL});
	int status = 0;
	WAIT_FOR(&home, waitpid(typing, &status, WNOHANG) == typing);
	turn_ms(&home, 500);
	keep(&home, "typed");
	pid_t end = rig_spawn(home.x.display, -1,
		(const char *const[]){
			"xdotool", "key", "--delay", "60", "Return", "ctrl+d", NULL});
	WAIT_FOR(&home, waitpid(end, &status, WNOHANG) == end);
	WAIT_FOR(&home, stat(out, &st) == 0 && st.st_size > 0);
	FILE *file = fopen(out, "r");
	assert_non_null(file);
	assert_non_null(fgets(got, sizeof got, file));
	fclose(file);
	got[strcspn(got, "\n")] = 0;
	assert_string_equal(got, text);
	assert_int_equal(home.downs, 0); /* nothing is left pressed */
	close_home(&home);
}

/* A keyboard as sold in Japan and one with dead keys and AltGr, through X itself. */
static void test_layouts(void **state)
{
	static const struct {
		const char *layout, *keys[10], *expected;
	} rows[] = {
		{"jp", {"100", "102", "101", "97", "132", "51", "38"},
			/* places: Henkan, Muhenkan, Hiragana_Katakana, ro, yen,
			 * closing bracket, a */
			"ff23 ff22 ff27 5c 5c 5d 61 "},
		/* z, y, sharp s, o umlaut, minus; AltGr+q; dead circumflex and a */
		{"de", {"29", "52", "20", "47", "61", "ISO_Level3_Shift+24", "49", "38"},
			"7a 79 df f6 2d 40 e2 "},
		{"fr", {"24", "10", "11"}, "61 26 e9 "},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct home home;
		const char *argv[16] = {"xdotool", "key", "--delay", "60"};

		open_home(&home, "640x480x24", REASON_EN);
		assert_int_equal(RIG_RUN(home.x.display, "setxkbmap", rows[i].layout), 0);
		focus(&home);
		for (int k = 0; k < 10 && rows[i].keys[k]; k++)
			argv[4 + k] = rows[i].keys[k];
		assert_int_equal(rig_run(home.x.display, argv), 0);
		turn_ms(&home, 500);
		if (strcmp(home.pressed, rows[i].expected))
			fail_msg("%s: %s", rows[i].layout, home.pressed);
		assert_int_equal(home.downs, 0);
		close_home(&home);
	}
}

static void test_picture_in_the_window_is_the_hosts(void **state)
{
	struct home home;
	size_t len = 0, host_len = 0;
	int64_t until = clock_mono_ms() + RIG_PATIENCE_MS;
	int same = 0;

	(void)state;
	open_home(&home, "640x480x24", REASON_EN);
	open_host(&home, "640x480");
	assert_int_equal(RIG_RUN(home.host.display, "xsetroot", "-mod", "5", "7", "-fg",
				 "#c81e5a", "-bg", "#1450a0"),
		0);
	WAIT_FOR(&home, RIG_RUN(home.x.display, "xdotool", "search", "--name",
				"^Engawa test$", "windowmove", "0", "0") == 0);
	RIG_RUN(home.x.display, "xdotool", "mousemove", "300", "300");
	while (!same && clock_mono_ms() < until) {
		turn_ms(&home, 200);
		uint8_t *ours = rig_grab(home.x.display, home.dir, &len);
		uint8_t *theirs = rig_grab(home.host.display, home.dir, &host_len);
		same = len == host_len && !memcmp(ours, theirs, len);
		free(ours);
		free(theirs);
	}
	keep(&home, "picture");
	assert_true(same);
	close_home(&home);
}

/* What is in the middle of the window is in this column of the picture. */
static void point_at_middle(struct home *home, int column)
{
	turn_ms(home, 300);
	RIG_RUN(home->x.display, "xdotool", "mousemove", "100", "100");
	RIG_RUN(home->x.display, "xdotool", "mousemove", "320", "240");
	WAIT_FOR(home, home->pointer_x == column && home->pointer_y == 480);
}

static void test_pointer_is_scaled(void **state)
{
	struct home home;

	(void)state;
	open_home(&home, "640x480x24", REASON_EN);
	open_host(&home, "1280x960");
	WAIT_FOR(&home, RIG_RUN(home.x.display, "xdotool", "search", "--name",
				"^Engawa test$", "windowmove", "0", "0", "windowsize",
				"--sync", "640", "480") == 0);
	turn_ms(&home, 300);
	RIG_RUN(home.x.display, "xdotool", "mousemove", "100", "100");
	RIG_RUN(home.x.display, "xdotool", "mousemove", "320", "120");
	WAIT_FOR(&home, home.pointer_x == 640 && home.pointer_y == 240);
	RIG_RUN(home.x.display, "xdotool", "mousedown", "3");
	WAIT_FOR(&home, home.buttons == 4);
	RIG_RUN(home.x.display, "xdotool", "mouseup", "3");
	WAIT_FOR(&home, home.buttons == 0);
	/* One monitor of the host: its right half. */
	const struct picture_rect monitors[] = {{0, 0, 640, 960}, {640, 0, 640, 960}};
	window_monitors(home.window, monitors, 2);
	focus(&home);
	RIG_RUN(home.x.display, "xdotool", "key", "ctrl+alt+2");
	point_at_middle(&home, 960);
	/* They change places; then one is taken away. */
	const struct picture_rect changed[] = {{640, 0, 640, 960}, {0, 0, 640, 960}};
	window_monitors(home.window, changed, 2);
	point_at_middle(&home, 320);
	window_monitors(home.window, monitors, 0);
	point_at_middle(&home, 640);
	RIG_RUN(home.x.display, "xdotool", "key", "ctrl+alt+2");
	point_at_middle(&home, 640);
	close_home(&home);
}

static void test_no_key_stays_down(void **state)
{
	struct home home;

	(void)state;
	open_home(&home, "640x480x24", REASON_EN);
	focus(&home);
	RIG_RUN(home.x.display, "xdotool", "keydown", "shift", "keydown", "a");
	WAIT_FOR(&home, home.downs == 2);
	/* Another window comes to the front. */
	const char *xterm[] = {"xterm", "-T", "other", NULL};
	pid_t other = rig_spawn(home.x.display, -1, xterm);
	WAIT_FOR(&home, RIG_RUN(home.x.display, "xdotool", "search", "--name", "^other$",
				"windowfocus") == 0);
	WAIT_FOR(&home, home.downs == 0);
	RIG_RUN(home.x.display, "xdotool", "keyup", "a", "keyup", "shift");
	rig_end(other);
	focus(&home);
	RIG_RUN(home.x.display, "xdotool", "keydown", "ctrl");
	WAIT_FOR(&home, home.downs == 1);
	window_notice(home.window, WINDOW_RECONNECTING, "");
	WAIT_FOR(&home, home.downs == 0);
	RIG_RUN(home.x.display, "xdotool", "keyup", "ctrl");
	window_notice(home.window, WINDOW_LIVE, NULL);
	/* The last local key. */
	RIG_RUN(home.x.display, "xdotool", "key", "ctrl+alt+q");
	WAIT_FOR(&home, home.quits == 1);
	turn_ms(&home, 100);
	assert_int_equal(home.downs, 0);
	assert_true(home.last_down != 'q');
	close_home(&home);
}

static void leave_and_return(struct home *home)
{
	const char *xterm[] = {"xterm", "-T", "other", NULL};
	pid_t other = rig_spawn(home->x.display, -1, xterm);

	WAIT_FOR(home, RIG_RUN(home->x.display, "xdotool", "search", "--name", "^other$",
			       "windowfocus") == 0);
	turn_ms(home, 200);
	rig_end(other);
	focus(home);
}

/* What one program copies, another can paste, through both clipboards; and no echo. */
static void test_clipboard_both_ways(void **state)
{
	struct home home;
	char cmd[512];

	(void)state;
	open_home(&home, "640x480x24", REASON_EN);
	focus(&home);
	snprintf(cmd, sizeof cmd,
		"printf '会社へ' | DISPLAY=%s xclip -selection clipboard",
		home.x.display);
	assert_int_equal(RIG_RUN(home.x.display, "sh", "-c", cmd), 0);
	leave_and_return(&home);
	WAIT_FOR(&home, !strcmp(home.clipboard, "会社へ"));
	home.clipboard[0] = 0;
	assert_int_equal(window_clipboard(home.window, "自宅へ", strlen("自宅へ")), 0);
	assert_int_equal(window_clipboard(home.window, "\xff", 1), -REASON_BAD_VALUE);
	close_home(&home);
}

/* The overlay and the notice change the picture, and go away again without a trace. */
static void test_meter_and_notice_are_drawn(void **state)
{
	struct meter_model meter = {.link = METER_CONNECTED,
		.rtt_us = 23400,
		.in_bytes_s = 350000,
		.out_bytes_s = 900,
		.updates_s = 24,
		.protected_since_ms = 1700000000000,
		.node = "gw-1.example.com"};
	struct home home;
	size_t len;

	(void)state;
	open_home(&home, "800x600x24", REASON_JA);
	open_host(&home, "800x600");
	RIG_RUN(home.host.display, "xsetroot", "-solid", "#2a6f97");
	const char *xterm[] = {
		"xterm", "-geometry", "60x20+30+30", "-e", "ls -l /usr; sleep 99", NULL};
	rig_spawn(home.host.display, -1, xterm);
	WAIT_FOR(&home, RIG_RUN(home.x.display, "xdotool", "search", "--name",
				"^Engawa test$", "windowmove", "0", "0") == 0);
	turn_ms(&home, 1500);
	uint8_t *plain = rig_grab(home.x.display, home.dir, &len);
	window_meter(home.window, &meter);
	focus(&home);
	RIG_RUN(home.x.display, "xdotool", "key", "ctrl+alt+m");
	turn_ms(&home, 500);
	keep(&home, "meter");
	uint8_t *metered = rig_grab(home.x.display, home.dir, &len);
	window_notice(home.window, WINDOW_RECONNECTING,
		reason_text(REASON_PEER_LOST, REASON_JA));
	turn_ms(&home, 500);
	keep(&home, "notice");
	uint8_t *noticed = rig_grab(home.x.display, home.dir, &len);
	RIG_RUN(home.x.display, "xdotool", "key", "ctrl+alt+m");
	window_notice(home.window, WINDOW_LIVE, NULL);
	turn_ms(&home, 500);
	uint8_t *after = rig_grab(home.x.display, home.dir, &len);
	assert_memory_not_equal(plain, metered, len);
	assert_memory_not_equal(metered, noticed, len);
	/* The lower left corner: dimmed by the notice, left alone by the meter. */
	size_t corner = len - 800 * 3 + 30;
	assert_memory_equal(plain + corner, metered + corner, 3);
	assert_true(noticed[corner + 2] < plain[corner + 2] * 2 / 3);
	assert_memory_equal(plain, after, len);
	free(plain);
	free(metered);
	free(noticed);
	free(after);
	close_home(&home);
}

static void test_idle_uses_no_processor(void **state)
{
	struct rusage before, after;
	struct home home;

	(void)state;
	open_home(&home, "640x480x24", REASON_EN);
	turn_ms(&home, 1000);
	getrusage(RUSAGE_SELF, &before);
	usleep(3000000);
	getrusage(RUSAGE_SELF, &after);
	int64_t us = (after.ru_utime.tv_sec - before.ru_utime.tv_sec +
			     after.ru_stime.tv_sec - before.ru_stime.tv_sec) *
			     1000000 +
		     after.ru_utime.tv_usec - before.ru_utime.tv_usec +
		     after.ru_stime.tv_usec - before.ru_stime.tv_usec;
	assert_true(us < 30000);
	close_home(&home);
}

static void test_no_display(void **state)
{
	struct post_pump *posts = NULL;
	struct window *window = NULL;

	(void)state;
	assert_int_equal(post_pump_new(&posts), 0);
	const struct window_options options = {
		.title = "x", .event = on_window, .box = post_pump_box(posts)};
	unsetenv("DISPLAY");
	unsetenv("WAYLAND_DISPLAY");
	assert_int_equal(window_new(&window, &options), -REASON_NO_DISPLAY);
	setenv("DISPLAY", ":4095", 1);
	assert_int_equal(window_new(&window, &options), -REASON_NO_DISPLAY);
	assert_null(window);
	assert_null(window_free(NULL));
	post_pump_free(posts);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_display),
		cmocka_unit_test(test_idle_uses_no_processor),
		cmocka_unit_test(test_picture_in_the_window_is_the_hosts),
		cmocka_unit_test(test_pointer_is_scaled),
		cmocka_unit_test(test_no_key_stays_down),
		cmocka_unit_test(test_clipboard_both_ways),
		cmocka_unit_test(test_meter_and_notice_are_drawn),
		cmocka_unit_test(test_layouts),
		cmocka_unit_test(test_typed_text_arrives_exactly),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
