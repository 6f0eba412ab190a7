/* links: proto_base */
/* A configuration file: read whole, or nothing changed and a place named. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/conf.h"
#include "base/text.h"

struct program {
	char *listen, *url;
	int proxy;
	int64_t workers, queue, grace_ms;
};

#define AT(field) offsetof(struct program, field)

static const struct conf_entry entries[] = {
	{"net", "listen", CONF_STRING, AT(listen), ":7443", 0, 0, false, "a"},
	{"net", "proxy", CONF_BOOL, AT(proxy), "no", 0, 0, false, "b"},
	{"net", "workers", CONF_INT, AT(workers), "4", -5, 64, false, "c"},
	{"relay", "queue", CONF_SIZE, AT(queue), "256K", 4096, 1 << 24, true, "d"},
	{"relay", "grace", CONF_MS, AT(grace_ms), "60s", 0, 3600000, true, "e"},
	{"store", "url", CONF_STRING, AT(url), NULL, 0, 0, false, "f"},
};
static const struct conf_table table = {entries, ARRAY_LEN(entries)};

static void check_error(const struct conf_error *error)
{
	if (!*error->message || error->line < 1 || error->column < 1)
		abort();
	/* it goes to a terminal */
	if (!text_utf8_valid(error->message, strlen(error->message)))
		abort();
	for (const char *at = error->message; *at; at++)
		if ((unsigned char)*at < 0x20)
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static int fd = -1;
	char path[40];
	struct program program = {0};
	struct conf_error error;
	if (fd < 0)
		fd = memfd_create("conf", MFD_CLOEXEC);
	if (ftruncate(fd, 0) || pwrite(fd, bytes, len, 0) != (ssize_t)len)
		return 0;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (conf_defaults(&table, &program))
		abort();
	struct program before = program;
	if (conf_read(&table, &program, path, &error)) {
		check_error(&error);
		if (memcmp(&before, &program, sizeof(program)) != 0)
			abort();
	} else if (program.workers < -5 || program.workers > 64 || program.queue < 4096 ||
		   program.queue > 1 << 24 || program.grace_ms < 0 ||
		   program.grace_ms > 3600000 || (program.proxy & ~1)) {
		abort();
	}
	conf_done(&table, &program);
	return 0;
}
