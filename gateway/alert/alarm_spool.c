#include "alert/alarm_spool.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/list.h"
#include "base/log.h"
#include "base/reason.h"

#define PATH_SIZE 4200
#define FILE_MOST (64 * 1024)
#define LONGEST_WAIT_MS 60000

struct item {
	struct list node;
	int lent;
	struct alarm_spool_entry entry;
};

struct alarm_spool {
	pthread_mutex_t lock;
	struct list items; /* in order of arrival */
	size_t count;
	int dir; /* descriptor */
};

static int reason_of_errno(void)
{
	return errno == ENOSPC || errno == EDQUOT ? -REASON_DISK_FULL
						  : -REASON_FILE_UNWRITABLE;
}

static int write_all(int fd, const char *text, size_t len)
{
	while (len) {
		ssize_t done = write(fd, text, len);
		if (done < 0 && errno != EINTR)
			return reason_of_errno();
		if (done > 0) {
			text += done;
			len -= (size_t)done;
		}
	}
	return fsync(fd) ? reason_of_errno() : 0;
}

/* Whole under its final name, or not at all. */
static int write_file(struct alarm_spool *spool, const char *name, const char *text)
{
	char part[ALARM_SPOOL_ID + 16];

	snprintf(part, sizeof(part), "%s.part", name);
	int fd = openat(spool->dir, part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return reason_of_errno();
	int status = write_all(fd, text, strlen(text));
	if (close(fd) && !status)
		status = reason_of_errno();
	if (!status && renameat(spool->dir, part, spool->dir, name))
		status = reason_of_errno();
	if (!status && fsync(spool->dir))
		status = reason_of_errno();
	if (status)
		unlinkat(spool->dir, part, 0);
	return status;
}

static void file_name(const struct alarm_spool_entry *entry,
	char ret[static ALARM_SPOOL_ID + 8])
{
	snprintf(ret, ALARM_SPOOL_ID + 8, "%s.json", entry->id);
}

static int save(struct alarm_spool *spool, const struct alarm_spool_entry *entry)
{
	char *alarm, name[ALARM_SPOOL_ID + 8];
	int status = alarm_write(&entry->alarm, &alarm);

	if (status)
		return status;
	json_t *object = json_pack("{s:o, s:s, s:I, s:I, s:I}", "alarm",
		json_loads(alarm, 0, NULL), "route", entry->route, "tries",
		(json_int_t)entry->tries, "next_ms", (json_int_t)entry->next_ms,
		"made_ms", (json_int_t)entry->made_ms);
	char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;
	file_name(entry, name);
	status = text ? write_file(spool, name, text) : -REASON_NO_MEMORY;
	free(text);
	json_decref(object);
	free(alarm);
	return status;
}

static void set_id(struct alarm_spool_entry *entry)
{
	snprintf(entry->id, sizeof(entry->id), "%s-%s", entry->alarm.id, entry->route);
}

static int parse(const char *text, struct alarm_spool_entry *ret)
{
	struct field_error error;
	struct alarm_spool_entry entry = {0};
	json_t *object;
	int status = field_parse(text, &object, &error);

	if (status)
		return status;
	char *alarm = json_dumps(json_object_get(object, "alarm"), JSON_COMPACT);
	status = alarm ? alarm_read(alarm, &entry.alarm, &error) : -REASON_BAD_VALUE;
	if (!status)
		status = field_text(object, "route", FIELD_NEED, entry.route,
			sizeof(entry.route), &error);
	entry.tries = json_integer_value(json_object_get(object, "tries"));
	entry.next_ms = json_integer_value(json_object_get(object, "next_ms"));
	entry.made_ms = json_integer_value(json_object_get(object, "made_ms"));
	free(alarm);
	json_decref(object);
	set_id(&entry);
	if (!status)
		*ret = entry;
	return status;
}

static int read_file(struct alarm_spool *spool, const char *name,
	struct alarm_spool_entry *ret)
{
	int fd = openat(spool->dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	char *text = fd < 0 ? NULL : calloc(1, FILE_MOST + 1);
	int status = -REASON_FILE_UNREADABLE;
	size_t len = 0;
	ssize_t got = 1;

	while (text && got > 0 && len < FILE_MOST) {
		got = read(fd, text + len, FILE_MOST - len);
		len += got > 0 ? (size_t)got : 0;
	}
	if (text && got == 0)
		status = parse(text, ret);
	free(text);
	if (fd >= 0)
		close(fd);
	return status;
}

static struct item *add(struct alarm_spool *spool, const struct alarm_spool_entry *entry)
{
	struct item *item = calloc(1, sizeof(*item));

	if (!item)
		return NULL;
	item->entry = *entry;
	list_add_tail(&spool->items, &item->node);
	spool->count++;
	return item;
}

static void load_file(struct alarm_spool *spool, const char *name)
{
	size_t len = strlen(name);
	struct alarm_spool_entry entry;

	if (len > 5 && !strcmp(name + len - 5, ".part")) {
		unlinkat(spool->dir, name, 0);
		return;
	}
	if (strncmp(name, "alm_", 4) || len <= 5 || strcmp(name + len - 5, ".json"))
		return;
	if (read_file(spool, name, &entry) || spool->count >= ALARM_SPOOL_MOST) {
		log_line(LOG_WARN, "a file of the alarm spool is left alone",
			LOG_S("file", name));
		return;
	}
	add(spool, &entry);
}

static int load(struct alarm_spool *spool)
{
	int fd = openat(spool->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *one;

	if (!dir) {
		if (fd >= 0)
			close(fd);
		return -REASON_FILE_UNREADABLE;
	}
	while ((one = readdir(dir)))
		load_file(spool, one->d_name);
	closedir(dir);
	return 0;
}

int alarm_spool_open(const char *dir, struct alarm_spool **ret)
{
	struct alarm_spool *spool = calloc(1, sizeof(*spool));

	if (!spool)
		return -REASON_NO_MEMORY;
	pthread_mutex_init(&spool->lock, NULL);
	list_init(&spool->items);
	mkdir(dir, 0700);
	spool->dir = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int status = spool->dir < 0 ? -REASON_FILE_UNWRITABLE : load(spool);
	if (status)
		alarm_spool_free(spool);
	else
		*ret = spool;
	return status;
}

struct alarm_spool *alarm_spool_free(struct alarm_spool *spool)
{
	if (!spool)
		return NULL;
	LIST_EACH(node, &spool->items)
	{
		list_remove(node);
		free(LIST_ENTRY(node, struct item, node));
	}
	if (spool->dir >= 0)
		close(spool->dir);
	pthread_mutex_destroy(&spool->lock);
	free(spool);
	return NULL;
}

static int is_there(struct alarm_spool *spool, const char *id)
{
	LIST_EACH(node, &spool->items)
	{
		if (!strcmp(LIST_ENTRY(node, struct item, node)->entry.id, id))
			return 1;
	}
	return 0;
}

int alarm_spool_put(struct alarm_spool *spool, const struct alarm *alarm,
	const char *route, int64_t now_ms)
{
	struct alarm_spool_entry entry = {
		.alarm = *alarm, .made_ms = now_ms, .next_ms = now_ms};
	int status = 0;

	snprintf(entry.route, sizeof(entry.route), "%s", route);
	set_id(&entry);
	pthread_mutex_lock(&spool->lock);
	if (!is_there(spool, entry.id)) {
		status = spool->count < ALARM_SPOOL_MOST ? save(spool, &entry)
							 : -REASON_LIMIT;
		if (!status && !add(spool, &entry))
			status = -REASON_NO_MEMORY;
	}
	pthread_mutex_unlock(&spool->lock);
	return status;
}

/* One receiver that hangs must not hold all senders. */
static int is_busy(struct alarm_spool *spool, const char *route)
{
	LIST_EACH(node, &spool->items)
	{
		const struct item *item = LIST_ENTRY(node, struct item, node);
		if (item->lent && !strcmp(item->entry.route, route))
			return 1;
	}
	return 0;
}

struct alarm_spool_entry *alarm_spool_take(struct alarm_spool *spool, int64_t now_ms,
	int64_t *ret_wait_ms)
{
	struct alarm_spool_entry *found = NULL;
	int64_t wait = LONGEST_WAIT_MS;

	pthread_mutex_lock(&spool->lock);
	LIST_EACH(node, &spool->items)
	{
		struct item *item = LIST_ENTRY(node, struct item, node);
		if (item->lent)
			continue;
		if (item->entry.next_ms > now_ms) {
			if (item->entry.next_ms - now_ms < wait)
				wait = item->entry.next_ms - now_ms;
			continue;
		}
		if (is_busy(spool, item->entry.route))
			continue;
		item->lent = 1;
		found = &item->entry;
		break;
	}
	pthread_mutex_unlock(&spool->lock);
	*ret_wait_ms = wait;
	return found;
}

static struct item *item_of(struct alarm_spool_entry *entry)
{
	return (struct item *)((char *)entry - offsetof(struct item, entry));
}

void alarm_spool_done(struct alarm_spool *spool, struct alarm_spool_entry *entry)
{
	char name[ALARM_SPOOL_ID + 8];

	file_name(entry, name);
	pthread_mutex_lock(&spool->lock);
	unlinkat(spool->dir, name, 0);
	list_remove(&item_of(entry)->node);
	spool->count--;
	pthread_mutex_unlock(&spool->lock);
	free(item_of(entry));
}

void alarm_spool_again(struct alarm_spool *spool, struct alarm_spool_entry *entry)
{
	pthread_mutex_lock(&spool->lock);
	/* If this cannot be written, the older file stands: tried a little earlier after a restart. */
	int status = save(spool, entry);
	item_of(entry)->lent = 0;
	pthread_mutex_unlock(&spool->lock);
	if (status)
		log_line(LOG_WARN, "a try of an alarm could not be noted",
			LOG_S("reason", reason_symbol(status)));
}

size_t alarm_spool_count(struct alarm_spool *spool)
{
	pthread_mutex_lock(&spool->lock);
	size_t count = spool->count;
	pthread_mutex_unlock(&spool->lock);
	return count;
}
