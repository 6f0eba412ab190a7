#include "rfb/rfb_hello.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cursor.h"
#include "base/reason.h"

#define VERSION_LEN 12
#define SECURITY_NONE 1
#define NAME_MAX_LEN ((uint32_t)1 << 20) /* where libvncclient draws the line, too */

static int get(int fd, void *bytes, size_t len)
{
	uint8_t *at = bytes;

	while (len) {
		ssize_t n = recv(fd, at, len, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -REASON_PEER_LOST;
		at += n;
		len -= (size_t)n;
	}
	return 0;
}

static int get_u32(int fd, uint32_t *ret)
{
	uint8_t bytes[4];
	int r = get(fd, bytes, sizeof bytes);
	struct cursor cursor = cursor_of(bytes, sizeof bytes);

	return r ? r : cursor_u32(&cursor, ret);
}

static int put(int fd, const void *bytes, size_t len)
{
	ssize_t n = send(fd, bytes, len, MSG_NOSIGNAL);

	return n == (ssize_t)len ? 0 : -REASON_PEER_LOST;
}

/* 3, 7 or 8. */
static int agree_version(int fd, int *ret_minor)
{
	char text[VERSION_LEN + 1] = {0};
	int major, minor, r;

	r = get(fd, text, VERSION_LEN);
	if (r)
		return r;
	if (sscanf(text, "RFB %3d.%3d", &major, &minor) != 2 ||
		text[VERSION_LEN - 1] != '\n')
		return -REASON_PROTOCOL;
	if (major < 3 || (major == 3 && minor < 3))
		return -REASON_VERSION;
	*ret_minor = major > 3 || minor >= 8 ? 8 : minor == 7 ? 7 : 3;
	snprintf(text, sizeof text, "RFB 003.00%d\n", *ret_minor);
	return put(fd, text, VERSION_LEN);
}

static int choose_security(int fd)
{
	uint8_t count, types[255];
	const uint8_t none = SECURITY_NONE;
	int r = get(fd, &count, 1);

	r = r ? r : get(fd, types, count);
	if (r)
		return r;
	return memchr(types, SECURITY_NONE, count) ? put(fd, &none, 1) : -REASON_PROTOCOL;
}

static int agree_security(int fd, int minor)
{
	uint32_t value = 0;
	int r;

	if (minor == 3) {
		r = get_u32(fd, &value);
		if (r)
			return r;
		return value == SECURITY_NONE ? 0 : -REASON_PROTOCOL;
	}
	r = choose_security(fd);
	if (r || minor == 7)
		return r;
	r = get_u32(fd, &value);
	if (r)
		return r;
	return value == 0 ? 0 : -REASON_PROTOCOL;
}

/* The desktop's name: the viewer has one of its own for this host. */
static int skip(int fd, uint32_t len)
{
	char bytes[512];
	int r = 0;

	while (!r && len) {
		uint32_t part = len < sizeof bytes ? len : (uint32_t)sizeof bytes;
		r = get(fd, bytes, part);
		len -= part;
	}
	return r;
}

static int server_init(int fd, struct rfb_hello *hello)
{
	uint8_t bytes[24];
	const uint8_t shared = 1, *format;
	uint32_t name_len;
	int r = put(fd, &shared, 1);

	r = r ? r : get(fd, bytes, sizeof bytes);
	if (r)
		return r;
	struct cursor cursor = cursor_of(bytes, sizeof bytes);
	if (cursor_u16(&cursor, &hello->width) || cursor_u16(&cursor, &hello->height) ||
		cursor_bytes(&cursor, 16, &format) || cursor_u32(&cursor, &name_len) ||
		name_len > NAME_MAX_LEN)
		return -REASON_PROTOCOL;
	return skip(fd, name_len);
}

int rfb_hello(int fd, struct rfb_hello *ret)
{
	struct rfb_hello hello;
	int minor = 0;
	int r = agree_version(fd, &minor);

	r = r ? r : agree_security(fd, minor);
	r = r ? r : server_init(fd, &hello);
	if (r)
		return r;
	*ret = hello;
	return 0;
}
