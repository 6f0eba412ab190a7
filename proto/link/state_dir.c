#include "link/state_dir.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/reason.h"
#include "base/secret.h"
#include "e2e/private_file.h"

static int make(char *path)
{
	for (char *at = path + 1;; at++) {
		if (*at && *at != '/')
			continue;
		char kept = *at;
		*at = 0;
		int failed = mkdir(path, 0700) < 0 && errno != EEXIST;
		*at = kept;
		/* An existing parent on a read-only file system says EROFS, not EEXIST. */
		if (failed && access(path, F_OK) < 0 && !kept)
			return errno == ENOSPC ? -REASON_DISK_FULL
					       : -REASON_FILE_UNWRITABLE;
		if (!kept)
			return 0;
	}
}

int state_dir(const char *given, const char *role, char *ret, size_t size)
{
	const char *base = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	int len;
	if (given)
		len = snprintf(ret, size, "%s", given);
	else if (base && *base == '/')
		len = snprintf(ret, size, "%s/engawa/%s", base, role);
	else
		len = snprintf(ret, size, "%s/.local/state/engawa/%s", home ? home : "",
			role);
	if (len <= 0 || (size_t)len >= size)
		return -REASON_LIMIT;
	int status = make(ret);
	if (status < 0)
		return status;
	struct stat info;
	if (stat(ret, &info) < 0 || !S_ISDIR(info.st_mode))
		return -REASON_FILE_UNWRITABLE;
	/* Whoever can write here can put in keys of his own. */
	if (info.st_mode & S_IWOTH)
		return -REASON_FILE_EXPOSED;
	return 0;
}

int state_dir_first_line(const char *path, char *ret, size_t size)
{
	int own = strcmp(path, "-") != 0;
	FILE *file = own ? fopen(path, "re") : stdin;
	char line[1024];
	if (!file)
		return -REASON_FILE_UNREADABLE;
	char *got = fgets(line, sizeof(line), file);
	if (own)
		fclose(file);
	if (!got)
		return -REASON_FILE_UNREADABLE;
	line[strcspn(line, "\r\n")] = 0;
	int status = strlen(line) < size ? 0 : -REASON_LIMIT;
	if (!status)
		memcpy(ret, line, strlen(line) + 1);
	secret_wipe(line, sizeof(line));
	return status;
}

const char *state_dir_blame(int status, const char *otherwise)
{
	int file = status == -REASON_STATE_DAMAGED || status == -REASON_FILE_EXPOSED ||
		   status == -REASON_FILE_UNREADABLE;
	return file && *private_file_last() ? private_file_last() : otherwise;
}
