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
#include "base/secret.h"
#include "store/sealed/sealed_keys.h"

#define FILE_MOST (64 * 1024)
#define LONGEST_WAIT_MS 60000

struct item {
	struct list node;
	int lent;
	char *box; /* the alarm as it stands in the file */
	struct alarm_spool_entry entry;
};

struct alarm_spool {
	pthread_mutex_t lock;
	struct list items; /* in order of arrival */
	size_t count;
	int dir; /* descriptor */
	struct sealed_keys *keys;
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

static void free_item(struct item *item)
{
	free(item->box);
	free(item);
}

/* The key of a generation, 0: the newest; the store is asked when it is not at hand. */
static int find_key(struct alarm_spool *spool, const char *tenant, uint32_t generation,
	uint8_t ret[static SEALED_BOX_KEY], uint32_t *ret_generation)
{
	int r = sealed_keys_find(spool->keys, tenant, generation, ret, ret_generation);
	if (r <= 0)
		return r;
	r = sealed_keys_load(spool->keys, tenant, generation);
	if (r == 0)
		r = sealed_keys_find(spool->keys, tenant, generation, ret,
			ret_generation);
	return r > 0 ? -REASON_NOT_FOUND : r;
}

static struct sealed_place place_of(const struct alarm_spool_entry *entry,
	const char *tenant, uint32_t generation)
{
	struct sealed_place place = {0};

	sealed_box_bind(&place, "engawa-letter-1");
	sealed_box_bind(&place, entry->id);
	sealed_box_bind(&place, tenant);
	sealed_box_bind_number(&place, generation);
	return place;
}

static int seal(struct alarm_spool *spool, const struct alarm_spool_entry *entry,
	char **ret)
{
	uint8_t key[SEALED_BOX_KEY];
	uint32_t generation;
	char *alarm;
	int r = find_key(spool, entry->alarm.tenant, 0, key, &generation);

	if (r)
		return r;
	r = alarm_write(&entry->alarm, &alarm);
	if (r == 0) {
		struct sealed_place place =
			place_of(entry, entry->alarm.tenant, generation);
		r = sealed_box_text(key, generation, &place, alarm, strlen(alarm), ret);
		secret_wipe(alarm, strlen(alarm));
		free(alarm);
	}
	secret_wipe(key, sizeof(key));
	return r;
}

static int save(struct alarm_spool *spool, const struct item *item)
{
	const struct alarm_spool_entry *entry = &item->entry;
	char name[ALARM_SPOOL_ID + 8];
	json_t *object = json_pack("{s:s, s:s, s:I, s:I, s:I, s:s}", "tenant",
		entry->alarm.tenant, "route", entry->route, "tries",
		(json_int_t)entry->tries, "next_ms", (json_int_t)entry->next_ms,
		"made_ms", (json_int_t)entry->made_ms, "alarm", item->box);
	char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;

	file_name(entry, name);
	int status = text ? write_file(spool, name, text) : -REASON_NO_MEMORY;
	free(text);
	json_decref(object);
	return status;
}

static void set_id(struct alarm_spool_entry *entry)
{
	snprintf(entry->id, sizeof(entry->id), "%s-%s", entry->alarm.id, entry->route);
}

static int read_alarm(const char *text, struct alarm_spool_entry *entry)
{
	struct field_error error;
	int status = alarm_read(text, &entry->alarm, &error);

	return status ? -REASON_STATE_DAMAGED : 0;
}

static int open_box(struct alarm_spool *spool, const char *tenant, const char *box,
	struct alarm_spool_entry *entry)
{
	uint8_t key[SEALED_BOX_KEY];
	uint32_t generation = sealed_box_generation(box);
	size_t len;
	int r = generation ? find_key(spool, tenant, generation, key, &generation)
			   : -REASON_STATE_DAMAGED;

	if (r)
		return r;
	char *text = malloc(sealed_box_room(box));
	struct sealed_place place = place_of(entry, tenant, generation);
	r = text ? sealed_box_untext(key, &place, box, text, &len) : -REASON_NO_MEMORY;
	if (r == 0) {
		r = read_alarm(text, entry);
		secret_wipe(text, len);
	}
	free(text);
	secret_wipe(key, sizeof(key));
	return r;
}

/* As programs before wrote it, without a seal. */
static int open_clear(const json_t *alarm, struct alarm_spool_entry *entry)
{
	char *text = json_dumps(alarm, JSON_COMPACT);
	int status = text ? read_alarm(text, entry) : -REASON_STATE_DAMAGED;

	free(text);
	return status;
}

static int parse_alarm(struct alarm_spool *spool, json_t *object, struct item *item)
{
	struct alarm_spool_entry *entry = &item->entry;
	json_t *alarm = json_object_get(object, "alarm");
	char tenant[TENANT_ID_SIZE];
	struct field_error error;

	if (!json_is_string(alarm)) {
		int status = open_clear(alarm, entry);
		if (!status)
			status = seal(spool, entry, &item->box);
		return status ? status : save(spool, item);
	}
	if (field_text(object, "tenant", FIELD_MAY, tenant, sizeof(tenant), &error))
		return -REASON_STATE_DAMAGED;
	item->box = strdup(json_string_value(alarm));
	return item->box ? open_box(spool, tenant, item->box, entry) : -REASON_NO_MEMORY;
}

static int parse(struct alarm_spool *spool, const char *text, struct item *item)
{
	struct alarm_spool_entry *entry = &item->entry;
	struct field_error error;
	json_t *object;
	int status = field_parse(text, &object, &error);

	if (status)
		return status;
	status = field_text(object, "route", FIELD_NEED, entry->route,
		sizeof(entry->route), &error);
	entry->tries = json_integer_value(json_object_get(object, "tries"));
	entry->next_ms = json_integer_value(json_object_get(object, "next_ms"));
	entry->made_ms = json_integer_value(json_object_get(object, "made_ms"));
	if (!status)
		status = parse_alarm(spool, object, item);
	json_decref(object);
	return status;
}

static int read_file(struct alarm_spool *spool, const char *name, struct item *item)
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
		status = parse(spool, text, item);
	free(text);
	if (fd >= 0)
		close(fd);
	return status;
}

static void add(struct alarm_spool *spool, struct item *item)
{
	list_add_tail(&spool->items, &item->node);
	spool->count++;
}

static void load_alarm(struct alarm_spool *spool, const char *name, size_t id_len)
{
	struct item *item = calloc(1, sizeof(*item));
	int status = -REASON_NO_MEMORY;

	if (item && spool->count < ALARM_SPOOL_MOST) {
		memcpy(item->entry.id, name, id_len);
		status = read_file(spool, name, item);
	}
	if (!status) {
		add(spool, item);
		return;
	}
	/* Its company was erased, and its key with it: nobody reads this any more. */
	if (status == -REASON_NOT_FOUND)
		unlinkat(spool->dir, name, 0);
	else
		log_line(LOG_WARN, "a file of the alarm spool is left alone",
			LOG_S("file", name), LOG_S("reason", reason_symbol(status)));
	if (item)
		free_item(item);
}

static void load_file(struct alarm_spool *spool, const char *name)
{
	size_t len = strlen(name);

	if (len > 5 && !strcmp(name + len - 5, ".part")) {
		unlinkat(spool->dir, name, 0);
		return;
	}
	if (!strncmp(name, "alm_", 4) && len > 5 && len - 5 < ALARM_SPOOL_ID &&
		!strcmp(name + len - 5, ".json"))
		load_alarm(spool, name, len - 5);
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

int alarm_spool_open(const char *dir, struct sealed_keys *keys, struct alarm_spool **ret)
{
	struct alarm_spool *spool = calloc(1, sizeof(*spool));

	if (!spool)
		return -REASON_NO_MEMORY;
	pthread_mutex_init(&spool->lock, NULL);
	list_init(&spool->items);
	spool->keys = keys;
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
		free_item(LIST_ENTRY(node, struct item, node));
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
	struct item *item = calloc(1, sizeof(*item));

	if (!item)
		return -REASON_NO_MEMORY;
	item->entry = (struct alarm_spool_entry){
		.alarm = *alarm, .made_ms = now_ms, .next_ms = now_ms};
	snprintf(item->entry.route, sizeof(item->entry.route), "%s", route);
	set_id(&item->entry);
	int status = seal(spool, &item->entry, &item->box), is_new = 0;
	pthread_mutex_lock(&spool->lock);
	if (!status && !is_there(spool, item->entry.id)) {
		status = spool->count < ALARM_SPOOL_MOST ? save(spool, item)
							 : -REASON_LIMIT;
		is_new = !status;
	}
	if (is_new)
		add(spool, item);
	pthread_mutex_unlock(&spool->lock);
	if (!is_new)
		free_item(item);
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
	free_item(item_of(entry));
}

void alarm_spool_again(struct alarm_spool *spool, struct alarm_spool_entry *entry)
{
	pthread_mutex_lock(&spool->lock);
	/* If this cannot be written, the older file stands: tried a little earlier after a restart. */
	int status = save(spool, item_of(entry));
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
