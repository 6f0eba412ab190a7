#include "setup/data_dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/reason.h"
#include "base/secret.h"
#include "base/text.h"

const char *const data_dir_files[] = {"ca.pem", "ca.key", "master.key", "node.pem",
	"node.key", "backup.key", "seed.json", "admin.token", "engawa.db",
	"engawa.db-wal", "engawa.db-shm", "engawa.db.lock", "node.id", NULL};

/* What only the gateway itself may read. */
static const char *const secrets[] = {"ca.key", "master.key", "node.key", "admin.token"};

PRINTF_LIKE(3, 4) static int fail(char *error, int reason, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vsnprintf(error, DATA_DIR_ERROR, format, args);
	va_end(args);
	return -reason;
}

static int fail_errno(char *error, const char *file, int otherwise)
{
	int reason = otherwise;

	if (errno == ENOSPC || errno == EDQUOT)
		reason = REASON_DISK_FULL;
	return fail(error, reason, "%.300s: %s", file, strerror(errno));
}

void data_dir_file(const char *path, const char *name, char ret[static DATA_DIR_PATH])
{
	int len = snprintf(ret, DATA_DIR_PATH, "%s/%s", path, name);
	if (len >= DATA_DIR_PATH)
		ret[0] = '\0'; /* a name that no file has */
}

static int is_own(const char *name)
{
	for (size_t i = 0; data_dir_files[i]; i++)
		if (!strcmp(data_dir_files[i], name))
			return 1;
	return !strcmp(name, "lock") || !strcmp(name, "run") ||
	       !strcmp(name, "init.part");
}

int data_dir_look(const char *path, enum data_dir_state *ret)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	int own = 0, foreign = 0, marker = 0;

	if (!dir && errno == ENOENT) {
		*ret = DATA_DIR_ABSENT;
		return 0;
	}
	if (!dir)
		return -REASON_FILE_UNREADABLE;
	while ((entry = readdir(dir))) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..") ||
			!strcmp(entry->d_name, "lost+found"))
			continue;
		own += is_own(entry->d_name);
		foreign += !is_own(entry->d_name);
		marker |= !strcmp(entry->d_name, "node.id");
	}
	closedir(dir);
	*ret = marker    ? DATA_DIR_READY
	       : foreign ? DATA_DIR_FOREIGN
	       : own     ? DATA_DIR_UNFINISHED
			 : DATA_DIR_EMPTY;
	return 0;
}

void data_dir_wipe(char *text)
{
	if (text)
		secret_wipe(text, strlen(text));
	free(text);
}

static int read_all(int fd, size_t max, char **ret)
{
	char *text = malloc(max + 2);
	size_t len = 0;
	ssize_t got = 1;

	if (!text)
		return -REASON_NO_MEMORY;
	while (len <= max && (got = read(fd, text + len, max + 1 - len)) > 0)
		len += (size_t)got;
	text[len] = '\0';
	if (got < 0 || len > max || strlen(text) != len) {
		secret_wipe(text, len);
		free(text);
		return got < 0 ? -REASON_FILE_UNREADABLE : -REASON_STATE_DAMAGED;
	}
	*ret = text;
	return 0;
}

int data_dir_read(const char *path, const char *name, size_t max, char **ret,
	char error[static DATA_DIR_ERROR])
{
	char file[DATA_DIR_PATH];

	data_dir_file(path, name, file);
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return fail_errno(error, file, REASON_FILE_UNREADABLE);
	int status = read_all(fd, max, ret);
	close(fd);
	if (status == -REASON_STATE_DAMAGED)
		return fail(error, REASON_STATE_DAMAGED,
			"%.300s: not a text of at most %zu bytes", file, max);
	return status ? fail_errno(error, file, -status) : 0;
}

static int write_all(int fd, const char *bytes, size_t len)
{
	while (len) {
		ssize_t put = write(fd, bytes, len);
		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return -1;
		bytes += put;
		len -= (size_t)put;
	}
	return fsync(fd);
}

static int sync_directory(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int failed = fd < 0 || fsync(fd);

	if (fd >= 0)
		close(fd);
	return failed;
}

int data_dir_write(const char *path, const char *name, const void *bytes, size_t len,
	mode_t mode, char error[static DATA_DIR_ERROR])
{
	char file[DATA_DIR_PATH], part[DATA_DIR_PATH], hidden[64];

	data_dir_file(path, name, file);
	snprintf(hidden, sizeof(hidden), ".%.48s.part", name);
	data_dir_file(path, hidden, part);
	unlink(part);
	int fd = open(part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	if (fd < 0)
		return fail_errno(error, part, REASON_FILE_UNWRITABLE);
	int failed = fchmod(fd, mode) || write_all(fd, bytes, len);
	int saved = errno;
	if (close(fd) && !failed) {
		failed = 1;
		saved = errno;
	}
	errno = saved;
	if (failed || rename(part, file) || sync_directory(path)) {
		int status = fail_errno(error, file, REASON_FILE_UNWRITABLE);
		unlink(part);
		return status;
	}
	return 0;
}

static int check_file(const char *path, const char *name, char *error)
{
	char file[DATA_DIR_PATH];
	struct stat info;

	data_dir_file(path, name, file);
	if (stat(file, &info))
		return errno == ENOENT ? fail(error, REASON_STATE_DAMAGED,
						 "%.300s: is missing", file)
				       : fail_errno(error, file, REASON_FILE_UNREADABLE);
	if (!S_ISREG(info.st_mode) || info.st_size == 0)
		return fail(error, REASON_STATE_DAMAGED, "%.300s: is empty", file);
	for (size_t i = 0; i < ARRAY_LEN(secrets); i++)
		if (!strcmp(secrets[i], name) && (info.st_mode & 077))
			return fail(error, REASON_FILE_EXPOSED, "chmod 600 %.300s", file);
	return 0;
}

static int check_files(const char *path, char *error)
{
	static const char *const needed[] = {
		"ca.pem", "master.key", "node.pem", "node.key", "node.id"};
	int status = 0;

	for (size_t i = 0; !status && i < ARRAY_LEN(needed); i++)
		status = check_file(path, needed[i], error);
	return status;
}

int data_dir_master(const char *path, uint8_t ret[static DATA_DIR_MASTER],
	char error[static DATA_DIR_ERROR])
{
	char *text;
	int status = data_dir_read(path, "master.key", 128, &text, error);

	if (status)
		return status;
	text[strcspn(text, "\n")] = '\0';
	if (text_unhex(ret, DATA_DIR_MASTER, text))
		status = fail(error, REASON_STATE_DAMAGED,
			"%.300s/master.key: 64 hexadecimal digits expected", path);
	data_dir_wipe(text);
	return status;
}

static int read_master(struct data_dir *dir, char *error)
{
	dir->master = secret_alloc(DATA_DIR_MASTER);
	if (!dir->master)
		return fail(error, REASON_NO_MEMORY, "master.key");
	return data_dir_master(dir->path, dir->master, error);
}

static int read_node(struct data_dir *dir, char *error)
{
	char *text;
	int status = data_dir_read(dir->path, "node.id", DATA_DIR_NODE + 1, &text, error);

	if (status)
		return status;
	text[strcspn(text, "\n")] = '\0';
	if (strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-_.") != strlen(text) ||
		!*text)
		status = fail(error, REASON_STATE_DAMAGED,
			"%.300s/node.id: small letters, digits, - _ . expected",
			dir->path);
	else
		text_clip(dir->node, sizeof(dir->node), text);
	data_dir_wipe(text);
	return status;
}

static int refuse_state(enum data_dir_state state, const char *path, char *error)
{
	if (state == DATA_DIR_READY)
		return 0;
	if (state == DATA_DIR_UNFINISHED)
		return fail(error, REASON_STATE_DAMAGED,
			"%.300s: its set-up was interrupted; run: engawa-gateway init "
			"--data %.100s",
			path, path);
	return fail(error, REASON_CONFIG,
		"%.300s: not a gateway's data directory; run: engawa-gateway init --data "
		"%.100s",
		path, path);
}

int data_dir_open(const char *path, struct data_dir *ret,
	char error[static DATA_DIR_ERROR])
{
	struct data_dir dir = {.lock = -1};
	enum data_dir_state state;
	int status;

	if (text_copy(dir.path, sizeof(dir.path) - 32, path))
		return fail(error, REASON_BAD_VALUE, "the path is too long");
	status = data_dir_look(path, &state);
	if (status)
		return fail_errno(error, path, -status);
	status = refuse_state(state, path, error);
	if (!status)
		status = check_files(path, error);
	if (!status)
		status = read_master(&dir, error);
	if (!status)
		status = read_node(&dir, error);
	if (status) {
		data_dir_close(&dir);
		return status;
	}
	*ret = dir;
	return 0;
}

int data_dir_lock(struct data_dir *dir, char error[static DATA_DIR_ERROR])
{
	char file[DATA_DIR_PATH];

	data_dir_file(dir->path, "lock", file);
	dir->lock = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (dir->lock < 0)
		return fail_errno(error, file, REASON_FILE_UNWRITABLE);
	if (!flock(dir->lock, LOCK_EX | LOCK_NB))
		return 0;
	close(dir->lock);
	dir->lock = -1;
	return fail(error, REASON_ALREADY_RUNNING,
		"%.300s is in use by another engawa-gateway", dir->path);
}

void data_dir_close(struct data_dir *dir)
{
	dir->master = secret_free(dir->master, DATA_DIR_MASTER);
	if (dir->lock >= 0)
		close(dir->lock);
	dir->lock = -1;
}
