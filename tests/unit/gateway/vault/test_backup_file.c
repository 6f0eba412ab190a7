#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/reason.h"
#include "vault/backup_file.h"

static const uint8_t key[32] = "a key of thirty-two bytes, said.";
static const uint8_t other_key[32] = "another key of thirty-two bytes.";

struct world {
	char dir[64], path[96];
};

static int set_up(void **state)
{
	struct world *world = calloc(1, sizeof(*world));
	snprintf(world->dir, sizeof(world->dir), "/tmp/engawa-backup-XXXXXX");
	assert_non_null(mkdtemp(world->dir));
	snprintf(world->path, sizeof(world->path), "%s/one", world->dir);
	*state = world;
	return 0;
}

static int tear_down(void **state)
{
	struct world *world = *state;
	unlink(world->path);
	/* Nothing else is left, whatever happened. */
	assert_int_equal(rmdir(world->dir), 0);
	free(world);
	return 0;
}

/* Lines of all lengths, some longer than a chunk. */
static char *line_of(int number)
{
	size_t len = (size_t)number * 977 % 150000;
	char *line = malloc(len + 16);
	size_t head = (size_t)snprintf(line, 16, "%d:", number);
	memset(line + head, 'a' + number % 26, len);
	line[head + len] = 0;
	return line;
}

static uint64_t write_file(struct world *world, int count)
{
	struct backup_file *file;
	uint64_t bytes;
	assert_int_equal(backup_file_create(world->dir, "one", key, &file), 0);
	for (int i = 0; i < count; i++) {
		char *line = line_of(i);
		assert_int_equal(backup_file_put(file, line), 0);
		free(line);
	}
	/* Until it is whole it has no name. */
	assert_int_not_equal(access(world->path, F_OK), 0);
	assert_int_equal(backup_file_commit(file, &bytes), 0);
	backup_file_free(file);
	return bytes;
}

/* 0 when all of it was read; *ret_lines is how many lines came before. */
static int read_file(const char *path, const uint8_t *with, int *ret_lines)
{
	struct backup_file *file;
	const char *line;
	*ret_lines = 0;
	int r = backup_file_open(path, with, &file);
	if (r)
		return r;
	while ((r = backup_file_next(file, &line)) > 0) {
		char *due = line_of((*ret_lines)++);
		assert_string_equal(line, due);
		free(due);
	}
	backup_file_free(file);
	return r;
}

static void test_what_is_written_is_read(void **state)
{
	struct world *world = *state;
	struct stat info;
	int lines;
	uint64_t bytes = write_file(world, 300);
	assert_int_equal(stat(world->path, &info), 0);
	assert_int_equal(info.st_mode & 0777, 0600);
	assert_int_equal(info.st_size, bytes);
	assert_int_equal(read_file(world->path, key, &lines), 0);
	assert_int_equal(lines, 300);
	assert_int_equal(read_file(world->path, other_key, &lines),
		-REASON_BACKUP_DAMAGED);
	assert_int_equal(lines, 0);
	/* A second one does not take its place. */
	struct backup_file *file;
	assert_int_equal(backup_file_create(world->dir, "one", key, &file), 0);
	assert_int_equal(backup_file_commit(file, &bytes), -REASON_CONFLICT);
	backup_file_free(file);
	assert_int_equal(read_file(world->path, key, &lines), 0);
}

static void test_an_empty_one(void **state)
{
	int lines;
	write_file(*state, 0);
	assert_int_equal(read_file(((struct world *)*state)->path, key, &lines), 0);
	assert_int_equal(lines, 0);
}

static void change(const char *path, off_t at, uint8_t flip)
{
	uint8_t byte;
	int fd = open(path, O_RDWR);
	assert_int_equal(pread(fd, &byte, 1, at), 1);
	byte ^= flip;
	assert_int_equal(pwrite(fd, &byte, 1, at), 1);
	close(fd);
}

static void test_every_change_is_found(void **state)
{
	struct world *world = *state;
	int lines;
	off_t size = (off_t)write_file(world, 12);
	for (off_t at = 0; at < size; at += at < 200 ? 1 : 997) {
		change(world->path, at, (uint8_t)(1 << at % 8));
		assert_int_equal(read_file(world->path, key, &lines),
			-REASON_BACKUP_DAMAGED);
		change(world->path, at, (uint8_t)(1 << at % 8));
	}
	assert_int_equal(read_file(world->path, key, &lines), 0);
	int fd = open(world->path, O_WRONLY | O_APPEND);
	assert_int_equal(write(fd, "x", 1), 1);
	close(fd);
	assert_int_equal(read_file(world->path, key, &lines), -REASON_BACKUP_DAMAGED);
	for (off_t at = size - 1; at >= 0; at -= at < 200 ? 1 : 1009) {
		assert_int_equal(truncate(world->path, at), 0);
		assert_int_equal(read_file(world->path, key, &lines),
			-REASON_BACKUP_DAMAGED);
	}
}

/* Whole chunks of 64 KiB cannot be left out, swapped, or end it. */
static void test_chunks_stay_in_order(void **state)
{
	struct world *world = *state;
	const size_t chunk = 4 + 65536 + 16;
	int lines;
	size_t size = write_file(world, 40);
	uint8_t *whole = malloc(size), *moved = malloc(size);
	int fd = open(world->path, O_RDWR);
	assert_int_equal(read(fd, whole, size), (ssize_t)size);
	assert_true(size > 48 + 3 * chunk);
	/* without the second */
	memcpy(moved, whole, 48 + chunk);
	memcpy(moved + 48 + chunk, whole + 48 + 2 * chunk, size - 48 - 2 * chunk);
	assert_int_equal(pwrite(fd, moved, size - chunk, 0), (ssize_t)(size - chunk));
	assert_int_equal(ftruncate(fd, (off_t)(size - chunk)), 0);
	assert_int_equal(read_file(world->path, key, &lines), -REASON_BACKUP_DAMAGED);
	/* first and second swapped */
	memcpy(moved, whole, size);
	memcpy(moved + 48, whole + 48 + chunk, chunk);
	memcpy(moved + 48 + chunk, whole + 48, chunk);
	assert_int_equal(pwrite(fd, moved, size, 0), (ssize_t)size);
	assert_int_equal(read_file(world->path, key, &lines), -REASON_BACKUP_DAMAGED);
	/* the first said to be the last */
	assert_int_equal(pwrite(fd, whole, size, 0), (ssize_t)size);
	change(world->path, 48, 0x80);
	assert_int_equal(ftruncate(fd, (off_t)(48 + chunk)), 0);
	assert_int_equal(read_file(world->path, key, &lines), -REASON_BACKUP_DAMAGED);
	close(fd);
	free(whole);
	free(moved);
}

static void test_a_full_disk_leaves_nothing(void **state)
{
	struct world *world = *state;
	struct rlimit old, small = {200000, RLIM_INFINITY};
	struct backup_file *file;
	int r = 0;
	getrlimit(RLIMIT_FSIZE, &old);
	small.rlim_max = old.rlim_max;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_int_equal(backup_file_create(world->dir, "one", key, &file), 0);
	for (int i = 0; i < 100 && r == 0; i++) {
		char *line = line_of(i);
		r = backup_file_put(file, line);
		free(line);
	}
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_int_equal(r, -REASON_DISK_FULL);
	backup_file_free(file);
}

int main(void)
{
#define FILE_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		FILE_TEST(test_what_is_written_is_read),
		FILE_TEST(test_an_empty_one),
		FILE_TEST(test_every_change_is_found),
		FILE_TEST(test_chunks_stay_in_order),
		FILE_TEST(test_a_full_disk_leaves_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
