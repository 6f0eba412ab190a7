#include "inventory.h"

#include <jansson.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"

#define ITEM 200

/* The value of one NAME=value line of /etc/os-release, without its quotes. */
static void os_release(const char *name, char *ret, size_t size)
{
	char line[512];
	size_t len = strlen(name);
	FILE *file = fopen("/etc/os-release", "re");
	*ret = 0;
	while (file && fgets(line, sizeof(line), file)) {
		if (strncmp(line, name, len) || line[len] != '=')
			continue;
		char *value = line + len + 1;
		value += strspn(value, "\"'");
		value[strcspn(value, "\"'\n")] = 0;
		text_clip(ret, size, value);
	}
	if (file)
		fclose(file);
}

char *inventory_collect(const char *source, int width, int height)
{
	char os[ITEM], version[ITEM], user[ITEM] = "", started[CLOCK_TEXT];
	struct utsname system;
	uname(&system);
	os_release("NAME", os, sizeof(os));
	os_release("VERSION", version, sizeof(version));
	const struct passwd *person = getpwuid(getuid());
	if (person)
		text_clip(user, sizeof(user), person->pw_name);
	struct sysinfo info = {0};
	sysinfo(&info);
	clock_text(clock_wall_ms() - (int64_t)info.uptime * 1000, started);
	json_t *object = json_pack(
		"{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:i, s:i, s:i, s:s}", "os",
		os, "os_version", version, "kernel", system.release, "machine",
		system.machine, "computer", system.nodename, "user", user, "agent",
		ENGAWA_VERSION, "source", source, "memory_bytes",
		(json_int_t)info.totalram * (json_int_t)info.mem_unit, "processors",
		(int)sysconf(_SC_NPROCESSORS_ONLN), "width", width, "height", height,
		"booted", started);
	char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;
	json_decref(object);
	return text;
}
