#include "e2e/private_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/reason.h"
#include "base/secret.h"
#include "base/text.h"

#define LOCK_NAME ".lock"
#define LOCK_WAIT_MS 2000
#define LOCK_STEP_MS 10
#define READ_TURNS 1000
#define TEMPORARY ".tmp-XXXXXX"
#define TEMPORARY_PREFIX 5
#define STALE_S 60 /* no write takes so long */

/* jansson copies every string a few times, into its tokens and into its values. Its memory stays
 * plain malloc memory, so that it does not matter what was allocated before. */
static void wipe_and_free(void *memory)
{
	if (memory)
		secret_wipe(memory, malloc_usable_size(memory));
	free(memory);
}

__attribute__((constructor)) static void wipe_json(void)
{
	json_set_alloc_funcs(malloc, wipe_and_free);
}

static int write_reason(int error)
{
	return error == ENOSPC || error == EDQUOT || error == EFBIG
		       ? -REASON_DISK_FULL
		       : -REASON_FILE_UNWRITABLE;
}

int private_file_path(char ret[static PRIVATE_FILE_PATH], const char *dir,
	const char *name, const char *suffix)
{
	const char *dot = suffix ? "." : "";
	int len = snprintf(ret, PRIVATE_FILE_PATH, "%s/%s%s%s", dir, name, dot,
		suffix ? suffix : "");
	/* Temporary names are longer, and must fit too. */
	return len > 0 && len < PRIVATE_FILE_PATH - 32 ? 0 : -REASON_LIMIT;
}

int private_file_directory(const char *dir)
{
	struct stat info;
	if (mkdir(dir, 0700) < 0 && errno != EEXIST)
		return write_reason(errno);
	if (stat(dir, &info) < 0 || !S_ISDIR(info.st_mode))
		return -REASON_FILE_UNWRITABLE;
	return 0;
}

/* Others must neither read nor replace it; root may own what an installer has put there. */
static int check_private(const struct stat *info)
{
	if (!S_ISREG(info->st_mode) || info->st_mode & 077 ||
		(info->st_uid != geteuid() && info->st_uid != 0))
		return -REASON_FILE_EXPOSED;
	return 0;
}

static int read_whole(int fd, char *ret, size_t size, size_t *ret_len)
{
	size_t len = 0;
	while (len < size) {
		ssize_t n = read(fd, ret + len, size - len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -REASON_FILE_UNREADABLE;
		if (n == 0)
			break;
		len += (size_t)n;
	}
	*ret_len = len;
	return 0;
}

static int parse(const char *text, size_t len, json_t **ret)
{
	json_error_t error;
	json_t *object = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
	if (!json_is_object(object)) {
		json_decref(object);
		return -REASON_STATE_DAMAGED;
	}
	*ret = object;
	return 0;
}

static int open_private(const char *path, size_t *ret_size)
{
	struct stat info;
	/* Not through a link: whoever may put links here could show us another file. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0 && errno == ELOOP)
		return -REASON_FILE_EXPOSED;
	if (fd < 0)
		return errno == ENOENT ? -REASON_NOT_FOUND : -REASON_FILE_UNREADABLE;
	int result =
		fstat(fd, &info) < 0 ? -REASON_FILE_UNREADABLE : check_private(&info);
	if (result == 0 && (info.st_size <= 0 || info.st_size > PRIVATE_FILE_MAX))
		result = -REASON_STATE_DAMAGED;
	if (result < 0) {
		close(fd);
		return result;
	}
	*ret_size = (size_t)info.st_size;
	return fd;
}

/* 1: it was replaced meanwhile, and what was read may be half wiped. */
static int read_once(int fd, size_t size, json_t **ret)
{
	struct stat info;
	size_t len;
	char *text = malloc(size);
	if (!text)
		return -REASON_NO_MEMORY;
	int result = read_whole(fd, text, size, &len);
	if (result == 0 && fstat(fd, &info) == 0 && info.st_nlink == 0)
		result = 1;
	if (result == 0)
		result = parse(text, len, ret);
	secret_wipe(text, size);
	free(text);
	return result;
}

static _Thread_local char last[PRIVATE_FILE_PATH];

const char *private_file_last(void)
{
	return last;
}

int private_file_read(const char *path, json_t **ret)
{
	text_clip(last, sizeof(last), path);
	/* Readers take no lock; each turn more means that a writer has been faster once more. */
	for (int turn = 0; turn < READ_TURNS; turn++) {
		size_t size;
		int fd = open_private(path, &size);
		if (fd < 0)
			return fd;
		int result = read_once(fd, size, ret);
		close(fd);
		if (result <= 0)
			return result;
	}
	return -REASON_TIMEOUT;
}

static int write_whole(int fd, const char *text, size_t len)
{
	while (len) {
		ssize_t n = write(fd, text, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return write_reason(errno);
		text += n;
		len -= (size_t)n;
	}
	return 0;
}

static void directory_of(const char *path, char ret[static PRIVATE_FILE_PATH])
{
	const char *slash = strrchr(path, '/');
	size_t len = slash ? (size_t)(slash - path) : 1;
	memcpy(ret, slash ? path : ".", len);
	ret[len] = 0;
	if (len == 0)
		memcpy(ret, "/", 2);
}

static int sync_directory(const char *path)
{
	char dir[PRIVATE_FILE_PATH];
	directory_of(path, dir);
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -REASON_FILE_UNWRITABLE;
	int result = fsync(fd) < 0 ? write_reason(errno) : 0;
	close(fd);
	return result;
}

/* Writes a new file beside `path`, all of it on the disk; its name goes to `ret`. */
static int write_temporary(const char *path, const json_t *object,
	char ret[static PRIVATE_FILE_PATH])
{
	char dir[PRIVATE_FILE_PATH];
	directory_of(path, dir);
	int result = private_file_path(ret, dir, TEMPORARY, NULL);
	if (result < 0)
		return result;
	char *text = json_dumps(object, JSON_INDENT(2) | JSON_SORT_KEYS);
	if (!text)
		return -REASON_NO_MEMORY;
	int fd = mkostemp(ret, O_CLOEXEC); /* mode 0600 */
	if (fd < 0) {
		result = write_reason(errno);
		goto out;
	}
	result = write_whole(fd, text, strlen(text));
	if (result == 0)
		result = write_whole(fd, "\n", 1);
	if (result == 0 && fsync(fd) < 0)
		result = write_reason(errno);
	if (close(fd) < 0 && result == 0)
		result = write_reason(errno);
	if (result < 0)
		unlink(ret);
out:
	wipe_and_free(text);
	return result;
}

/* Overwrites what is no longer reachable by name. The file systems and disks of today may keep a
 * copy all the same: this is the part that a program can do. */
static void wipe_file(int fd)
{
	static const char zeros[4096];
	struct stat info;
	if (fstat(fd, &info) < 0 || !S_ISREG(info.st_mode) || info.st_nlink > 0)
		return;
	for (off_t at = 0; at < info.st_size && at < PRIVATE_FILE_MAX;) {
		size_t len = sizeof(zeros);
		if (info.st_size - at < (off_t)len)
			len = (size_t)(info.st_size - at);
		ssize_t n = pwrite(fd, zeros, len, at);
		if (n <= 0)
			return;
		at += n;
	}
	fdatasync(fd);
}

int private_file_write(const char *path, const json_t *object)
{
	char temporary[PRIVATE_FILE_PATH];
	int result = write_temporary(path, object, temporary);
	if (result < 0)
		return result;
	int old = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (rename(temporary, path) < 0) {
		result = write_reason(errno);
		unlink(temporary);
	}
	if (result == 0)
		result = sync_directory(path);
	if (result == 0 && old >= 0)
		wipe_file(old);
	if (old >= 0)
		close(old);
	return result;
}

int private_file_create(const char *path, const json_t *object)
{
	char temporary[PRIVATE_FILE_PATH];
	int result = write_temporary(path, object, temporary);
	if (result < 0)
		return result;
	/* Unlike rename(2), link(2) never replaces: of two that come first, one wins. */
	if (link(temporary, path) < 0)
		result = errno == EEXIST ? -REASON_CONFLICT : write_reason(errno);
	unlink(temporary);
	if (result == 0)
		result = sync_directory(path);
	return result;
}

int private_file_remove(const char *path)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (unlink(path) < 0) {
		int result =
			errno == ENOENT ? -REASON_NOT_FOUND : -REASON_FILE_UNWRITABLE;
		if (fd >= 0)
			close(fd);
		return result;
	}
	if (fd >= 0) {
		wipe_file(fd);
		close(fd);
	}
	return sync_directory(path);
}

void private_file_tidy(const char *dir)
{
	DIR *folder = opendir(dir);
	if (!folder)
		return;
	for (struct dirent *item; (item = readdir(folder));) {
		char path[PRIVATE_FILE_PATH];
		struct stat info;
		if (strncmp(item->d_name, TEMPORARY, TEMPORARY_PREFIX) != 0 ||
			private_file_path(path, dir, item->d_name, NULL) < 0 ||
			lstat(path, &info) < 0 || time(NULL) - info.st_mtime < STALE_S)
			continue;
		/* Nothing is lost when it stays: it is tried again the next time. */
		int ignored UNUSED = private_file_remove(path);
	}
	closedir(folder);
}

int private_file_lock(const char *dir, int *ret_lock)
{
	char path[PRIVATE_FILE_PATH];
	int result = private_file_path(path, dir, LOCK_NAME, NULL);
	if (result < 0)
		return result;
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return errno == ENOENT ? -REASON_NOT_FOUND : write_reason(errno);
	int64_t until_ms = clock_mono_ms() + LOCK_WAIT_MS;
	/* A stopped process may hold it for ever; an agent must not stop with it. */
	for (int waited_ms = 0; flock(fd, LOCK_EX | LOCK_NB) < 0;
		waited_ms += LOCK_STEP_MS) {
		bool held = errno == EWOULDBLOCK || errno == EINTR;
		if (!held || waited_ms >= LOCK_WAIT_MS || clock_mono_ms() > until_ms) {
			close(fd);
			return held ? -REASON_TIMEOUT : -REASON_FILE_UNWRITABLE;
		}
		usleep(LOCK_STEP_MS * 1000);
	}
	*ret_lock = fd;
	return 0;
}

int private_file_unlock(int lock)
{
	if (lock >= 0)
		close(lock);
	return -1;
}

int private_file_get_bytes(const json_t *object, const char *member, uint8_t *ret,
	size_t len)
{
	const char *hex = json_string_value(json_object_get(object, member));
	if (!hex || strlen(hex) != 2 * len || text_unhex(ret, len, hex) < 0)
		return -REASON_STATE_DAMAGED;
	return 0;
}

int private_file_get_text(const json_t *object, const char *member, char *ret,
	size_t size)
{
	const json_t *value = json_object_get(object, member);
	const char *text = json_string_value(value);
	/* A NUL inside would make two different texts look the same to us. */
	if (!text || json_string_length(value) != strlen(text) ||
		text_copy(ret, size, text) < 0)
		return -REASON_STATE_DAMAGED;
	return 0;
}

int private_file_get_number(const json_t *object, const char *member, int64_t least,
	int64_t most, int64_t *ret)
{
	const json_t *value = json_object_get(object, member);
	int64_t number = json_integer_value(value);
	if (!json_is_integer(value) || number < least || number > most)
		return -REASON_STATE_DAMAGED;
	*ret = number;
	return 0;
}

int private_file_set_bytes(json_t *object, const char *member, const uint8_t *bytes,
	size_t len)
{
	char hex[TEXT_HEX_SIZE(64)];
	CHECK(len <= 64);
	text_hex(hex, bytes, len);
	int result = json_object_set_new(object, member, json_string(hex));
	secret_wipe(hex, sizeof(hex));
	return result < 0 ? -REASON_NO_MEMORY : 0;
}
