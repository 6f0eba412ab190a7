/* scratch: a directory of the test's own, gone afterwards. */
#ifndef TESTS_SCRATCH_H
#define TESTS_SCRATCH_H

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmocka_all.h"

#define SCRATCH_PATH 512

static inline int scratch_setup(void **state)
{
	const char *root = getenv("TMPDIR");
	char *dir = malloc(SCRATCH_PATH);
	snprintf(dir, SCRATCH_PATH, "%s/engawa-test-XXXXXX", root ? root : "/tmp");
	if (!mkdtemp(dir))
		return -1;
	*state = dir;
	return 0;
}

static inline void scratch_remove(const char *dir)
{
	DIR *folder = opendir(dir);
	for (struct dirent *item; folder && (item = readdir(folder));) {
		char path[PATH_MAX];
		if (!strcmp(item->d_name, ".") || !strcmp(item->d_name, ".."))
			continue;
		if (snprintf(path, sizeof(path), "%s/%s", dir, item->d_name) >= PATH_MAX)
			continue;
		if (unlink(path) < 0)
			scratch_remove(path);
	}
	if (folder)
		closedir(folder);
	rmdir(dir);
}

static inline int scratch_teardown(void **state)
{
	scratch_remove(*state);
	free(*state);
	return 0;
}

#define SCRATCH_TEST(name)                                                               \
	cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

static inline const char *scratch_path(void **state, const char *name)
{
	static char paths[4][PATH_MAX];
	static unsigned next;
	char *path = paths[next++ % 4];
	snprintf(path, PATH_MAX, "%s/%s", (const char *)*state, name);
	return path;
}

static inline size_t scratch_read(const char *path, char *ret, size_t size)
{
	int fd = open(path, O_RDONLY);
	assert_true(fd >= 0);
	ssize_t len = read(fd, ret, size - 1);
	assert_true(len >= 0);
	ret[len] = 0;
	close(fd);
	return (size_t)len;
}

static inline void scratch_write(const char *path, const char *bytes, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, len), (ssize_t)len);
	close(fd);
}

static inline int scratch_mode(const char *path)
{
	struct stat info;
	assert_int_equal(stat(path, &info), 0);
	return (int)(info.st_mode & 0777);
}

/* How many names there are besides those that begin with a dot, and how many that begin with
 * ".tmp". */
static inline int scratch_count(const char *dir, const char *prefix)
{
	int count = 0;
	DIR *folder = opendir(dir);
	assert_non_null(folder);
	for (struct dirent *item; (item = readdir(folder));)
		count += prefix ? !strncmp(item->d_name, prefix, strlen(prefix))
				: item->d_name[0] != '.';
	closedir(folder);
	return count;
}

#endif
