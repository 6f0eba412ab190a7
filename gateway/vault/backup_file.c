#include "vault/backup_file.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/reason.h"
#include "base/secret.h"
#include "store/sealed/sealed_box.h"

#define BACKUP_FILE_MAGIC 0x41726368
#define MARK "ENGAWA-BACKUP-1\n"
#define MARK_SIZE 16
#define SALT 32
#define HEAD (MARK_SIZE + SALT)
#define CHUNK (64 * 1024)
#define TAG 16
#define LAST UINT32_C(0x80000000)
#define PATH 4096

struct backup_file {
	uint32_t magic;
	int file;
	int writes, committed, ended;
	char dir[PATH], part[PATH], path[PATH];
	uint8_t head[HEAD];
	uint8_t *key; /* secret_alloc */
	uint64_t number, bytes;
	struct buf plain;
	size_t line; /* of the plain text, given out by the last backup_file_next() */
};

static int io_reason(int otherwise)
{
	return errno == ENOSPC || errno == EDQUOT || errno == EFBIG ? -REASON_DISK_FULL
								    : otherwise;
}

static int write_all(struct backup_file *archive, const void *bytes, size_t len)
{
	const uint8_t *at = bytes;
	archive->bytes += len;
	while (len) {
		ssize_t put = write(archive->file, at, len);
		if (put < 0 && errno != EINTR)
			return io_reason(-REASON_FILE_UNWRITABLE);
		at += put > 0 ? put : 0;
		len -= put > 0 ? (size_t)put : 0;
	}
	return 0;
}

/* 0, or -REASON_BACKUP_DAMAGED when the file ends before. */
static int read_all(struct backup_file *archive, void *bytes, size_t len)
{
	uint8_t *at = bytes;
	while (len) {
		ssize_t got = read(archive->file, at, len);
		if (got < 0 && errno != EINTR)
			return -REASON_FILE_UNREADABLE;
		if (got == 0)
			return -REASON_BACKUP_DAMAGED;
		at += got > 0 ? got : 0;
		len -= got > 0 ? (size_t)got : 0;
	}
	return 0;
}

static struct backup_file *backup_file_new(int writes)
{
	struct backup_file *archive = calloc(1, sizeof(*archive));
	if (!archive)
		return NULL;
	archive->magic = BACKUP_FILE_MAGIC;
	archive->file = -1;
	archive->writes = writes;
	buf_init(&archive->plain, 2 * BACKUP_FILE_LINE_MAX);
	archive->key = secret_alloc(BACKUP_FILE_KEY);
	return archive->key ? archive : backup_file_free(archive);
}

static int derive(struct backup_file *archive, const uint8_t key[static BACKUP_FILE_KEY])
{
	return sealed_box_derive(key, archive->head + MARK_SIZE, SALT, "engawa backup 1",
		archive->key);
}

static void make_nonce(const struct backup_file *archive, uint8_t nonce[static 12])
{
	memset(nonce, 0, 12);
	for (int i = 0; i < 8; i++)
		nonce[4 + i] = (uint8_t)(archive->number >> (56 - 8 * i));
}

/* The length word says whether it is the last, and is bound in with the head. */
static int crypt_chunk(struct backup_file *archive, const uint8_t word[static 4],
	const uint8_t *from, size_t len, uint8_t *to, uint8_t tag[static TAG])
{
	uint8_t nonce[12];
	int done, more;
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	make_nonce(archive, nonce);
	int good = ctx &&
		   EVP_CipherInit_ex(ctx, EVP_aes_256_gcm(), NULL, archive->key, nonce,
			   archive->writes) &&
		   EVP_CipherUpdate(ctx, NULL, &done, archive->head, HEAD) &&
		   EVP_CipherUpdate(ctx, NULL, &done, word, 4) &&
		   EVP_CipherUpdate(ctx, to, &done, from, (int)len);
	if (good && !archive->writes)
		good = EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, TAG, tag);
	int r = good ? 0 : -REASON_NO_MEMORY;
	if (r == 0 && EVP_CipherFinal_ex(ctx, to + done, &more) != 1)
		r = -REASON_BACKUP_DAMAGED;
	if (r == 0 && archive->writes &&
		!EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, TAG, tag))
		r = -REASON_NO_MEMORY;
	EVP_CIPHER_CTX_free(ctx);
	archive->number++;
	return r;
}

static int write_chunk(struct backup_file *archive, size_t len, uint32_t last)
{
	uint8_t box[4 + CHUNK + TAG];
	uint32_t word = (uint32_t)len | last;
	for (int i = 0; i < 4; i++)
		box[i] = (uint8_t)(word >> (24 - 8 * i));
	int r = crypt_chunk(archive, box, buf_head(&archive->plain), len, box + 4,
		box + 4 + len);
	if (r == 0)
		r = write_all(archive, box, 4 + len + TAG);
	buf_drain(&archive->plain, len);
	return r;
}

int backup_file_put(struct backup_file *archive, const char *line)
{
	CHECK_OBJ(archive, BACKUP_FILE_MAGIC);
	size_t len = strlen(line);
	int r = len > BACKUP_FILE_LINE_MAX ? -REASON_LIMIT
					   : buf_append(&archive->plain, line, len);
	if (r == 0)
		r = buf_append(&archive->plain, "\n", 1);
	while (r == 0 && buf_len(&archive->plain) > CHUNK)
		r = write_chunk(archive, CHUNK, 0);
	return r;
}

static int sync_dir(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int bad = fd < 0 || fsync(fd);
	if (fd >= 0)
		close(fd);
	return bad ? -REASON_FILE_UNWRITABLE : 0;
}

int backup_file_commit(struct backup_file *archive, uint64_t *ret_bytes)
{
	CHECK_OBJ(archive, BACKUP_FILE_MAGIC);
	int r = write_chunk(archive, buf_len(&archive->plain), LAST);
	if (r == 0 && fsync(archive->file))
		r = io_reason(-REASON_FILE_UNWRITABLE);
	/* link() does not replace what has the name already. */
	if (r == 0 && link(archive->part, archive->path))
		r = errno == EEXIST ? -REASON_CONFLICT
				    : io_reason(-REASON_FILE_UNWRITABLE);
	if (r)
		return r;
	unlink(archive->part);
	archive->committed = 1;
	r = sync_dir(archive->dir);
	if (r == 0)
		*ret_bytes = archive->bytes;
	return r;
}

static int start_file(struct backup_file *archive,
	const uint8_t key[static BACKUP_FILE_KEY])
{
	unlink(archive->part);
	archive->file = open(archive->part,
		O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (archive->file < 0)
		return io_reason(-REASON_FILE_UNWRITABLE);
	memcpy(archive->head, MARK, MARK_SIZE);
	int r = secret_random(archive->head + MARK_SIZE, SALT);
	if (r == 0)
		r = derive(archive, key);
	return r ? r : write_all(archive, archive->head, HEAD);
}

int backup_file_create(const char *dir, const char *name,
	const uint8_t key[static BACKUP_FILE_KEY], struct backup_file **ret)
{
	struct backup_file *archive = backup_file_new(1);
	if (!archive)
		return -REASON_NO_MEMORY;
	int r = snprintf(archive->dir, PATH, "%s", dir) >= PATH ||
				snprintf(archive->path, PATH, "%s/%s", dir, name) >=
					PATH ||
				snprintf(archive->part, PATH, "%s/.%s.part", dir, name) >=
					PATH
			? -REASON_LIMIT
			: start_file(archive, key);
	if (r)
		backup_file_free(archive);
	else
		*ret = archive;
	return r;
}

int backup_file_open(const char *path, const uint8_t key[static BACKUP_FILE_KEY],
	struct backup_file **ret)
{
	struct backup_file *archive = backup_file_new(0);
	if (!archive)
		return -REASON_NO_MEMORY;
	archive->file = open(path, O_RDONLY | O_CLOEXEC);
	int r = archive->file < 0 ? -REASON_FILE_UNREADABLE
				  : read_all(archive, archive->head, HEAD);
	if (r == 0 && memcmp(archive->head, MARK, MARK_SIZE))
		r = -REASON_BACKUP_DAMAGED;
	if (r == 0)
		r = derive(archive, key);
	if (r)
		backup_file_free(archive);
	else
		*ret = archive;
	return r;
}

/* Nothing may stand behind the last chunk. */
static int check_end(struct backup_file *archive)
{
	uint8_t more;
	ssize_t got = read(archive->file, &more, 1);
	archive->ended = 1;
	return got == 0 ? 0 : -REASON_BACKUP_DAMAGED;
}

static int read_chunk(struct backup_file *archive)
{
	uint8_t word[4], box[CHUNK], tag[TAG], *to;
	int r = read_all(archive, word, sizeof(word));
	if (r)
		return r;
	uint32_t value = (uint32_t)word[0] << 24 | (uint32_t)word[1] << 16 |
			 (uint32_t)word[2] << 8 | word[3];
	size_t len = value & ~LAST;
	if (len > CHUNK)
		return -REASON_BACKUP_DAMAGED;
	r = read_all(archive, box, len);
	if (r == 0)
		r = read_all(archive, tag, sizeof(tag));
	if (r == 0)
		r = buf_reserve(&archive->plain, len + 1, &to);
	if (r == 0)
		r = crypt_chunk(archive, word, box, len, to, tag);
	if (r)
		return r == -REASON_LIMIT ? -REASON_BACKUP_DAMAGED : r;
	buf_commit(&archive->plain, len);
	return value & LAST ? check_end(archive) : 0;
}

int backup_file_next(struct backup_file *archive, const char **ret)
{
	CHECK_OBJ(archive, BACKUP_FILE_MAGIC);
	char *end = NULL;
	size_t looked = 0;
	int r = 0;
	buf_drain(&archive->plain, archive->line);
	archive->line = 0;
	for (;;) {
		size_t len = buf_len(&archive->plain);
		end = len > looked ? memchr(archive->plain.data + archive->plain.start +
						     looked,
					     '\n', len - looked)
				   : NULL;
		looked = len;
		if (end || archive->ended)
			break;
		r = read_chunk(archive);
		if (r)
			return r;
	}
	if (!end)
		return looked ? -REASON_BACKUP_DAMAGED : 0;
	*end = 0;
	const char *line = (const char *)buf_head(&archive->plain);
	archive->line = (size_t)(end - line) + 1;
	/* A line with a NUL of its own is none of ours. */
	if (strlen(line) + 1 != archive->line)
		return -REASON_BACKUP_DAMAGED;
	*ret = line;
	return 1;
}

struct backup_file *backup_file_free(struct backup_file *archive)
{
	if (!archive)
		return NULL;
	CHECK_OBJ(archive, BACKUP_FILE_MAGIC);
	if (archive->file >= 0)
		close(archive->file);
	if (archive->writes && !archive->committed && *archive->part)
		unlink(archive->part);
	secret_free(archive->key, BACKUP_FILE_KEY);
	buf_done(&archive->plain);
	archive->magic = 0;
	free(archive);
	return NULL;
}
