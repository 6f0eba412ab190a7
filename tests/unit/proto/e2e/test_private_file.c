/* Files with secrets: whole or not at all, private or not at all. */
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <utime.h>

#include "base/reason.h"
#include "cmocka_all.h"
#include "e2e/private_file.h"
#include "scratch.h"

static json_t *object_of(int number)
{
	return json_pack("{s:i}", "number", number);
}

static int write_number(const char *path, int number)
{
	json_t *object = object_of(number);
	int result = private_file_write(path, object);
	json_decref(object);
	return result;
}

static int read_number(const char *path)
{
	json_t *object = NULL;
	int result = private_file_read(path, &object);
	if (result == 0)
		result = (int)json_integer_value(json_object_get(object, "number"));
	json_decref(object);
	return result;
}

static void what_is_written_is_read(void **state)
{
	const char *path = scratch_path(state, "a.json");
	umask(0); /* the mode is ours, not the user's */
	assert_int_equal(read_number(path), -REASON_NOT_FOUND);
	assert_int_equal(write_number(path, 1), 0);
	assert_int_equal(scratch_mode(path), 0600);
	assert_int_equal(read_number(path), 1);
	assert_int_equal(write_number(path, 2), 0);
	assert_int_equal(read_number(path), 2);
	assert_int_equal(scratch_count(*state, ".tmp"), 0);
	assert_int_equal(private_file_remove(path), 0);
	assert_int_equal(private_file_remove(path), -REASON_NOT_FOUND);
	umask(022);
}

static void create_never_replaces(void **state)
{
	const char *path = scratch_path(state, "a.json");
	json_t *object = object_of(1), *other = object_of(2);
	assert_int_equal(private_file_create(path, object), 0);
	assert_int_equal(private_file_create(path, other), -REASON_CONFLICT);
	assert_int_equal(read_number(path), 1);
	assert_int_equal(scratch_mode(path), 0600);
	assert_int_equal(scratch_count(*state, ".tmp"), 0);
	json_decref(object);
	json_decref(other);
}

static void exposed_files_are_refused(void **state)
{
	static const mode_t modes[] = {0640, 0604, 0620, 0610, 0666, 0601};
	const char *path = scratch_path(state, "a.json"),
		   *link = scratch_path(state, "b.json"),
		   *fifo = scratch_path(state, "c.json");
	assert_int_equal(write_number(path, 1), 0);
	for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
		assert_int_equal(chmod(path, modes[i]), 0);
		assert_int_equal(read_number(path), -REASON_FILE_EXPOSED);
	}
	assert_int_equal(chmod(path, 0400), 0);
	assert_int_equal(read_number(path), 1);
	assert_int_equal(symlink(path, link), 0);
	assert_int_equal(read_number(link), -REASON_FILE_EXPOSED);
	assert_int_equal(mkfifo(fifo, 0600), 0); /* must not wait for a writer either */
	assert_int_equal(read_number(fifo), -REASON_FILE_EXPOSED);
}

static void damaged_files_are_refused(void **state)
{
	static const char *const texts[] = {"", "{", "[1]", "{\"number\":1,\"number\":2}",
		"null", "{\"number\":1}x", "{\"a\":\"\xff\"}"};
	const char *path = scratch_path(state, "a.json");
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		char after[64];
		scratch_write(path, texts[i], strlen(texts[i]));
		assert_int_equal(read_number(path), -REASON_STATE_DAMAGED);
		scratch_read(path, after, sizeof(after));
		assert_string_equal(after, texts[i]);
	}
	char *big = calloc(1, PRIVATE_FILE_MAX + 1);
	memset(big, ' ', PRIVATE_FILE_MAX + 1);
	memcpy(big, "{}", 2);
	scratch_write(path, big, PRIVATE_FILE_MAX + 1);
	assert_int_equal(read_number(path), -REASON_STATE_DAMAGED);
	scratch_write(path, big, PRIVATE_FILE_MAX);
	assert_int_equal(read_number(path), 0);
	free(big);
}

static void errors_leave_the_old_file(void **state)
{
	const char *missing = scratch_path(state, "no/such/a.json");
	assert_int_equal(write_number(missing, 1), -REASON_FILE_UNWRITABLE);
	assert_int_equal(private_file_directory(scratch_path(state, "no/such")),
		-REASON_FILE_UNWRITABLE);
	assert_int_equal(private_file_directory(scratch_path(state, "dir")), 0);
	assert_int_equal(scratch_mode(scratch_path(state, "dir")), 0700);
	assert_int_equal(private_file_directory(scratch_path(state, "dir")), 0);
	scratch_write(scratch_path(state, "file"), "x", 1);
	assert_int_equal(private_file_directory(scratch_path(state, "file")),
		-REASON_FILE_UNWRITABLE);
	char path[PRIVATE_FILE_PATH], name[PRIVATE_FILE_PATH];
	memset(name, 'n', sizeof(name));
	name[sizeof(name) - 1] = 0;
	assert_int_equal(private_file_path(path, *state, name, "json"), -REASON_LIMIT);
}

static void what_is_replaced_is_wiped(void **state)
{
	const char *path = scratch_path(state, "a.json");
	char bytes[256];
	json_t *secret = json_pack("{s:s}", "key", "very-secret-value");
	assert_int_equal(private_file_write(path, secret), 0);
	json_decref(secret);
	int replaced = open(path, O_RDONLY);
	assert_int_equal(write_number(path, 1), 0);
	ssize_t len = pread(replaced, bytes, sizeof(bytes), 0);
	close(replaced);
	assert_true(len > 17);
	for (ssize_t i = 0; i < len; i++)
		assert_int_equal(bytes[i], 0);
	int removed = open(path, O_RDONLY);
	assert_int_equal(private_file_remove(path), 0);
	assert_true(pread(removed, bytes, 1, 0) == 1);
	assert_int_equal(bytes[0], 0);
	close(removed);
}

/* A reader beside a writer sees one of the whole files, always. */
static void readers_never_see_half(void **state)
{
	const char *path = scratch_path(state, "a.json");
	assert_int_equal(write_number(path, 0), 0);
	pid_t writer = fork();
	if (writer == 0) {
		for (int i = 1; i <= 200; i++)
			if (write_number(path, i) < 0)
				_exit(1);
		_exit(0);
	}
	int status, last = 0;
	while (waitpid(writer, &status, WNOHANG) == 0) {
		int number = read_number(path);
		assert_true(number >= last);
		last = number;
	}
	assert_int_equal(status, 0);
	assert_int_equal(read_number(path), 200);
}

static void the_lock_excludes(void **state)
{
	int lock = -1, again = -1;
	assert_int_equal(private_file_lock(scratch_path(state, "none"), &lock),
		-REASON_NOT_FOUND);
	assert_int_equal(private_file_lock(*state, &lock), 0);
	assert_int_equal(private_file_lock(*state, &again), -REASON_TIMEOUT);
	assert_int_equal(again, -1);
	lock = private_file_unlock(lock);
	assert_int_equal(lock, -1);
	assert_int_equal(private_file_lock(*state, &again), 0);
	private_file_unlock(again);
}

static void only_stale_temporaries_are_removed(void **state)
{
	const char *old = scratch_path(state, ".tmp-abcdef"),
		   *fresh = scratch_path(state, ".tmp-ghijkl");
	struct utimbuf long_ago = {1000, 1000};
	scratch_write(old, "{}", 2);
	scratch_write(fresh, "{}", 2);
	assert_int_equal(utime(old, &long_ago), 0);
	private_file_tidy(*state);
	assert_int_not_equal(access(old, F_OK), 0);
	assert_int_equal(access(fresh, F_OK), 0);
}

static void members_are_checked(void **state)
{
	(void)state;
	uint8_t bytes[4];
	char text[4] = "old";
	int64_t number = 5;
	json_t *object = json_pack("{s:s, s:s, s:i, s:s%}", "bytes", "0102ff00", "text",
		"wxyz", "number", 7, "nul", "a\0b", (size_t)3);
	assert_non_null(object);
	assert_int_equal(private_file_get_bytes(object, "bytes", bytes, 4), 0);
	assert_memory_equal(bytes, "\1\2\xff\0", 4);
	assert_int_equal(private_file_get_bytes(object, "bytes", bytes, 3),
		-REASON_STATE_DAMAGED);
	assert_int_equal(private_file_get_bytes(object, "text", bytes, 2),
		-REASON_STATE_DAMAGED);
	assert_int_equal(private_file_get_bytes(object, "none", bytes, 4),
		-REASON_STATE_DAMAGED);
	assert_int_equal(private_file_get_bytes(object, "number", bytes, 4),
		-REASON_STATE_DAMAGED);
	assert_int_equal(private_file_get_text(object, "text", text, 4),
		-REASON_STATE_DAMAGED);
	assert_int_equal(private_file_get_text(object, "nul", text, 4),
		-REASON_STATE_DAMAGED);
	assert_string_equal(text, "old");
	assert_int_equal(private_file_get_number(object, "number", 8, 9, &number),
		-REASON_STATE_DAMAGED);
	assert_int_equal(private_file_get_number(object, "text", 0, 9, &number),
		-REASON_STATE_DAMAGED);
	assert_int_equal(number, 5);
	assert_int_equal(private_file_get_number(object, "number", 0, 9, &number), 0);
	assert_int_equal(number, 7);
	assert_int_equal(private_file_set_bytes(object, "more",
				 (const uint8_t *)"\x0a\xff", 2),
		0);
	assert_string_equal(json_string_value(json_object_get(object, "more")), "0aff");
	json_decref(object);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCRATCH_TEST(what_is_written_is_read),
		SCRATCH_TEST(create_never_replaces),
		SCRATCH_TEST(exposed_files_are_refused),
		SCRATCH_TEST(damaged_files_are_refused),
		SCRATCH_TEST(errors_leave_the_old_file),
		SCRATCH_TEST(what_is_replaced_is_wiped),
		SCRATCH_TEST(readers_never_see_half),
		SCRATCH_TEST(the_lock_excludes),
		SCRATCH_TEST(only_stale_temporaries_are_removed),
		SCRATCH_TEST(members_are_checked),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
