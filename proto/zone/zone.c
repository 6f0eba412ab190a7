#include "zone/zone.h"

#include <glib.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/reason.h"
#include "base/text.h"

#define KEPT 32

/* The one who asks holds a reference of his own, so a place can be given to another zone meanwhile. */
static struct kept {
	char name[ZONE_NAME_SIZE];
	GTimeZone *zone;
} kept[KEPT];
static size_t next_place;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* GLib also takes paths, offsets and rules ("AAA3"): a name out of the database is all we mean, and none
 * that leads out of its folder. */
static int is_name(const char *name)
{
	static const char *const letters =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/_+-";
	size_t len = strlen(name);
	return len && len < ZONE_NAME_SIZE && strspn(name, letters) == len &&
	       g_ascii_isupper(name[0]);
}

static int is_in_database(const char *name)
{
	const char *folder = g_getenv("TZDIR");
	char path[512];
	struct stat info;
	int len = snprintf(path, sizeof(path), "%s/%s",
		folder ? folder : "/usr/share/zoneinfo", name);
	return len < (int)sizeof(path) && stat(path, &info) == 0 && S_ISREG(info.st_mode);
}

static GTimeZone *find_kept(const char *name)
{
	for (size_t i = 0; i < KEPT; i++)
		if (kept[i].zone && !strcmp(kept[i].name, name))
			return g_time_zone_ref(kept[i].zone);
	return NULL;
}

static void keep(const char *name, GTimeZone *zone)
{
	struct kept *place = &kept[next_place++ % KEPT];
	if (place->zone)
		g_time_zone_unref(place->zone);
	text_clip(place->name, sizeof(place->name), name);
	place->zone = g_time_zone_ref(zone);
}

static GTimeZone *open_zone(const char *name)
{
	if (!is_name(name))
		return NULL;
	pthread_mutex_lock(&lock);
	GTimeZone *zone = find_kept(name);
	if (!zone && is_in_database(name)) {
		zone = g_time_zone_new_identifier(name);
		if (zone)
			keep(name, zone);
	}
	pthread_mutex_unlock(&lock);
	return zone;
}

int zone_known(const char *name)
{
	GTimeZone *zone = open_zone(name);
	if (zone)
		g_time_zone_unref(zone);
	return zone != NULL;
}

int zone_offset(const char *name, int64_t wall_ms, int *ret_minutes)
{
	GTimeZone *zone = open_zone(name);
	if (!zone)
		return -REASON_BAD_VALUE;
	int64_t seconds = wall_ms >= 0 ? wall_ms / 1000 : (wall_ms - 999) / 1000;
	int at = g_time_zone_find_interval(zone, G_TIME_TYPE_UNIVERSAL, seconds);
	*ret_minutes = g_time_zone_get_offset(zone, at) / 60;
	g_time_zone_unref(zone);
	return 0;
}
