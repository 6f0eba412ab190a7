#include "agent_state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/reason.h"
#include "e2e/private_file.h"

#define RECORD_MAX (1024 * 1024)

static int open_lock(const char *dir, int *ret)
{
	char path[PRIVATE_FILE_PATH];
	int status = private_file_path(path, dir, "run", "lock");
	if (status < 0)
		return status;
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return errno == ENOSPC ? -REASON_DISK_FULL : -REASON_FILE_UNWRITABLE;
	*ret = fd;
	return 0;
}

int agent_state_lock(const char *dir, int *ret_lock)
{
	int fd;
	int status = open_lock(dir, &fd);
	if (status < 0)
		return status;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		close(fd);
		return -REASON_ALREADY_RUNNING;
	}
	*ret_lock = fd;
	return 0;
}

int agent_state_running(const char *dir)
{
	int fd;
	if (open_lock(dir, &fd) < 0)
		return 0;
	int held = flock(fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK;
	close(fd);
	return held;
}

void agent_state_tell(const char *dir, json_t *status)
{
	char path[PRIVATE_FILE_PATH];
	int error = private_file_path(path, dir, "status", "json");
	if (!error)
		error = private_file_write(path, status);
	if (error < 0)
		log_line(LOG_WARN, "the status file was not written",
			LOG_S("reason", reason_symbol(error)));
	json_decref(status);
}

int agent_state_ask(const char *dir, json_t **ret)
{
	char path[PRIVATE_FILE_PATH];
	int status = private_file_path(path, dir, "status", "json");
	return status < 0 ? status : private_file_read(path, ret);
}

int agent_state_fence(const char *dir, uint64_t *ret)
{
	char path[PRIVATE_FILE_PATH];
	json_t *object = NULL;
	int64_t fence = 0;
	int status = private_file_path(path, dir, "fence", "json");
	if (!status)
		status = private_file_read(path, &object);
	if (status == -REASON_NOT_FOUND) {
		*ret = 0;
		return 0;
	}
	if (!status)
		status = private_file_get_number(object, "fence", 0, INT64_MAX, &fence);
	json_decref(object);
	if (!status)
		*ret = (uint64_t)fence;
	return status;
}

int agent_state_keep_fence(const char *dir, uint64_t fence)
{
	char path[PRIVATE_FILE_PATH];
	int status = private_file_path(path, dir, "fence", "json");
	if (status < 0)
		return status;
	json_t *object = json_pack("{s:I}", "fence", (json_int_t)fence);
	if (!object)
		return -REASON_NO_MEMORY;
	status = private_file_write(path, object);
	json_decref(object);
	return status;
}

void agent_state_record(const char *dir, json_t *line)
{
	char path[PRIVATE_FILE_PATH], old[PRIVATE_FILE_PATH];
	struct stat info;
	char *text = json_dumps(line, JSON_COMPACT);
	json_decref(line);
	if (!text || private_file_path(path, dir, "sessions", "jsonl") < 0 ||
		private_file_path(old, dir, "sessions", "jsonl.1") < 0)
		goto out;
	if (stat(path, &info) == 0 && info.st_size > RECORD_MAX)
		(void)rename(path, old);
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd >= 0) {
		/* One write, so that a full disk leaves at worst one cut line, never two mixed ones. */
		char *whole = NULL;
		int len = asprintf(&whole, "%s\n", text);
		if (len < 0 || write(fd, whole, (size_t)len) != len)
			log_line(LOG_WARN,
				"a session was not written to the host's own record");
		free(whole);
		close(fd);
	}
out:
	free(text);
}
