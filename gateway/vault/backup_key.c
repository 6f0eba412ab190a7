#include "vault/backup_key.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/reason.h"
#include "base/secret.h"
#include "base/text.h"

#define ERROR 256

static int say(char *error, int r, const char *path, const char *what)
{
	snprintf(error, ERROR, "%.180s: %.60s", path, what);
	return r;
}

static int read_key(int fd, const char *path, uint8_t ret[static BACKUP_FILE_KEY],
	char *error)
{
	char text[TEXT_HEX_SIZE(BACKUP_FILE_KEY) + 2] = "";
	struct stat info;
	if (fstat(fd, &info) || read(fd, text, sizeof(text) - 1) < 0)
		return say(error, -REASON_FILE_UNREADABLE, path, strerrordesc_np(errno));
	if (info.st_mode & 077)
		return say(error, -REASON_FILE_EXPOSED, path, "chmod 600");
	text[strcspn(text, "\n")] = 0;
	int r = text_unhex(ret, BACKUP_FILE_KEY, text);
	secret_wipe(text, sizeof(text));
	return r ? say(error, -REASON_STATE_DAMAGED, path,
			   "64 hexadecimal digits expected")
		 : 0;
}

int backup_key_read(const char *path, uint8_t ret[static BACKUP_FILE_KEY], char *error)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return say(error, -REASON_FILE_UNREADABLE, path, strerrordesc_np(errno));
	int r = read_key(fd, path, ret, error);
	close(fd);
	return r;
}

static int write_key(int fd, const uint8_t key[static BACKUP_FILE_KEY])
{
	char text[TEXT_HEX_SIZE(BACKUP_FILE_KEY)];
	text_hex(text, key, BACKUP_FILE_KEY);
	text[sizeof(text) - 1] = '\n';
	int good = write(fd, text, sizeof(text)) == (ssize_t)sizeof(text) && !fsync(fd);
	secret_wipe(text, sizeof(text));
	return good ? 0 : -REASON_FILE_UNWRITABLE;
}

int backup_key_make(const char *path, uint8_t ret[static BACKUP_FILE_KEY], char *error)
{
	uint8_t key[BACKUP_FILE_KEY];
	if (access(path, F_OK) == 0)
		return backup_key_read(path, ret, error);
	int r = secret_random(key, sizeof(key));
	int fd = r ? -1 : open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return say(error, r ? r : -REASON_FILE_UNWRITABLE, path,
			strerrordesc_np(errno));
	r = write_key(fd, key);
	close(fd);
	if (r) {
		say(error, r, path, strerrordesc_np(errno));
		unlink(path);
	} else {
		memcpy(ret, key, sizeof(key));
	}
	secret_wipe(key, sizeof(key));
	return r;
}
