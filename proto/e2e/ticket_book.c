#include "e2e/ticket_book.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/reason.h"
#include "base/secret.h"
#include "e2e/private_file.h"

#define VERSION 1
#define FOLDER "tickets"
#define NAME_LEN 5 /* hex digits of an id */

static const char *const state_names[] = {
	[TICKET_BOOK_OPEN] = "open",
	[TICKET_BOOK_USED] = "used",
	[TICKET_BOOK_BURNED] = "burned",
	[TICKET_BOOK_EXPIRED] = "expired",
};

struct page {
	struct ticket_book_entry entry;
	uint8_t psk[PRIMITIVES_KEY]; /* zeros unless open */
};

/* One change: the folder, its lock, and the page it is about. */
struct change {
	char folder[PRIVATE_FILE_PATH], path[PRIVATE_FILE_PATH];
	int lock;
	struct page page;
};

static int page_path(char ret[static PRIVATE_FILE_PATH], const char *folder, uint32_t id)
{
	char name[NAME_LEN + 1];
	if (id == 0 || id > TICKET_ID_MAX)
		return -REASON_TICKET_WRONG;
	snprintf(name, sizeof(name), "%05x", (unsigned)id);
	return private_file_path(ret, folder, name, "json");
}

static int get_state(const json_t *object, enum ticket_book_state *ret)
{
	const char *name = json_string_value(json_object_get(object, "state"));
	for (size_t i = 0; name && i < ARRAY_LEN(state_names); i++) {
		if (!strcmp(name, state_names[i])) {
			*ret = (enum ticket_book_state)i;
			return 0;
		}
	}
	return -REASON_STATE_DAMAGED;
}

static int get_page(const json_t *object, uint32_t id, struct page *ret)
{
	struct page page = {.entry = {.id = id}};
	int64_t version, stored_id, tries;
	int result =
		private_file_get_number(object, "version", VERSION, VERSION, &version);
	if (result == 0)
		result = private_file_get_number(object, "ticket_id", id, id, &stored_id);
	if (result == 0)
		result = get_state(object, &page.entry.state);
	if (result == 0)
		result = private_file_get_number(object, "tries", 0, TICKET_BOOK_TRIES,
			&tries);
	if (result == 0)
		result = private_file_get_number(object, "created_ms", 0, INT64_MAX,
			&page.entry.created_ms);
	if (result == 0)
		result = private_file_get_number(object, "expires_ms", 0, INT64_MAX,
			&page.entry.expires_ms);
	if (result == 0 && page.entry.state == TICKET_BOOK_OPEN)
		result =
			private_file_get_bytes(object, "psk", page.psk, sizeof(page.psk));
	if (result == 0) {
		page.entry.tries = (int)tries;
		*ret = page;
	}
	secret_wipe(&page, sizeof(page));
	return result;
}

static int read_page(const char *path, uint32_t id, struct page *ret)
{
	json_t *object;
	int result = private_file_read(path, &object);
	if (result == -REASON_NOT_FOUND)
		return -REASON_TICKET_WRONG;
	if (result < 0)
		return result;
	result = get_page(object, id, ret);
	json_decref(object);
	return result;
}

static json_t *page_object(const struct page *page)
{
	const struct ticket_book_entry *entry = &page->entry;
	json_t *object = json_pack("{s:i, s:I, s:s, s:i, s:I, s:I}", "version", VERSION,
		"ticket_id", (json_int_t)entry->id, "state", state_names[entry->state],
		"tries", entry->tries, "created_ms", (json_int_t)entry->created_ms,
		"expires_ms", (json_int_t)entry->expires_ms);
	if (object && entry->state == TICKET_BOOK_OPEN &&
		private_file_set_bytes(object, "psk", page->psk, sizeof(page->psk)) < 0) {
		json_decref(object);
		return NULL;
	}
	return object;
}

static int write_page(const char *path, const struct page *page,
	int (*write)(const char *path, const json_t *object))
{
	json_t *object = page_object(page);
	if (!object)
		return -REASON_NO_MEMORY;
	int result = write(path, object);
	json_decref(object);
	return result;
}

static int close_page(struct change *change, enum ticket_book_state state)
{
	change->page.entry.state = state;
	secret_wipe(change->page.psk, sizeof(change->page.psk));
	return write_page(change->path, &change->page, private_file_write);
}

static int folder_of(const char *dir, char ret[static PRIVATE_FILE_PATH])
{
	return private_file_path(ret, dir, FOLDER, NULL);
}

static void end_change(struct change *change)
{
	secret_wipe(&change->page, sizeof(change->page));
	change->lock = private_file_unlock(change->lock);
}

/* What a ticket is now says this function, whatever was written when: time passes without writing. */
static enum ticket_book_state state_at(const struct ticket_book_entry *entry,
	int64_t now_ms)
{
	if (entry->state == TICKET_BOOK_OPEN && now_ms >= entry->expires_ms)
		return TICKET_BOOK_EXPIRED;
	return entry->state;
}

static int refusal(enum ticket_book_state state)
{
	if (state == TICKET_BOOK_OPEN)
		return 0;
	return state == TICKET_BOOK_EXPIRED ? -REASON_TICKET_EXPIRED
					    : -REASON_TICKET_USED;
}

/* Locks and reads the page; fails, unlocked, when the ticket is not open any more. */
static int begin_change(struct change *change, const char *dir, uint32_t id,
	int64_t now_ms)
{
	change->lock = -1;
	int result = folder_of(dir, change->folder);
	if (result == 0)
		result = page_path(change->path, change->folder, id);
	if (result == 0)
		result = private_file_lock(change->folder, &change->lock);
	if (result == -REASON_NOT_FOUND)
		result = -REASON_TICKET_WRONG;
	if (result == 0)
		result = read_page(change->path, id, &change->page);
	if (result == 0) {
		enum ticket_book_state state = state_at(&change->page.entry, now_ms);
		if (state == TICKET_BOOK_EXPIRED &&
			change->page.entry.state == TICKET_BOOK_OPEN)
			result = close_page(change, state);
		if (result == 0)
			result = refusal(state);
	}
	if (result < 0)
		end_change(change);
	return result;
}

int ticket_book_try(const char *dir, uint32_t id, int64_t now_ms,
	uint8_t ret_psk[static PRIMITIVES_KEY])
{
	struct change change;
	int result = begin_change(&change, dir, id, now_ms);
	if (result < 0)
		return result;
	if (change.page.entry.tries >= TICKET_BOOK_TRIES) {
		result = close_page(&change, TICKET_BOOK_BURNED);
		if (result == 0)
			result = -REASON_TICKET_USED;
	} else {
		change.page.entry.tries++;
		result = write_page(change.path, &change.page, private_file_write);
	}
	if (result == 0)
		memcpy(ret_psk, change.page.psk, PRIMITIVES_KEY);
	end_change(&change);
	return result;
}

int ticket_book_use(const char *dir, uint32_t id, int64_t now_ms)
{
	struct change change;
	int result = begin_change(&change, dir, id, now_ms);
	if (result < 0)
		return result;
	result = close_page(&change, TICKET_BOOK_USED);
	end_change(&change);
	return result;
}

int ticket_book_fail(const char *dir, uint32_t id, int64_t now_ms)
{
	struct change change;
	int result = begin_change(&change, dir, id, now_ms);
	if (result < 0)
		return result;
	if (change.page.entry.tries >= TICKET_BOOK_TRIES)
		result = close_page(&change, TICKET_BOOK_BURNED);
	end_change(&change);
	return result;
}

int ticket_book_look(const char *dir, uint32_t id, int64_t now_ms,
	struct ticket_book_entry *ret)
{
	char folder[PRIVATE_FILE_PATH], path[PRIVATE_FILE_PATH];
	struct page page;
	int result = folder_of(dir, folder);
	if (result == 0)
		result = page_path(path, folder, id);
	if (result == 0)
		result = read_page(path, id, &page);
	if (result < 0)
		return result;
	*ret = page.entry;
	ret->state = state_at(&page.entry, now_ms);
	secret_wipe(&page, sizeof(page));
	return 0;
}

static bool page_name(const char *name, uint32_t *ret_id)
{
	char *end;
	if (strspn(name, "0123456789abcdef") != NAME_LEN ||
		strcmp(name + NAME_LEN, ".json") != 0)
		return false;
	*ret_id = (uint32_t)strtoul(name, &end, 16);
	return *ret_id != 0;
}

/* Closes what has run out, forgets what was closed long ago, counts what is open. A page that cannot
 * be read counts as open: it must not make room for more. */
static int tidy_page(struct change *change, uint32_t id, int64_t now_ms, size_t *open)
{
	int result = page_path(change->path, change->folder, id);
	if (result < 0)
		return result;
	if (read_page(change->path, id, &change->page) < 0) {
		(*open)++;
		return 0;
	}
	const struct ticket_book_entry *entry = &change->page.entry;
	enum ticket_book_state state = state_at(entry, now_ms);
	if (state == TICKET_BOOK_OPEN)
		(*open)++;
	else if (now_ms - entry->expires_ms > TICKET_BOOK_KEEP_MS)
		result = private_file_remove(change->path);
	else if (entry->state == TICKET_BOOK_OPEN)
		result = close_page(change, state);
	return result;
}

static int tidy(struct change *change, int64_t now_ms)
{
	size_t open = 0;
	int result = 0;
	uint32_t id;
	private_file_tidy(change->folder);
	DIR *folder = opendir(change->folder);
	if (!folder)
		return -REASON_FILE_UNREADABLE;
	for (struct dirent *item; result == 0 && (item = readdir(folder));)
		if (page_name(item->d_name, &id))
			result = tidy_page(change, id, now_ms, &open);
	closedir(folder);
	if (result == 0 && open >= TICKET_BOOK_OPEN_MAX)
		result = -REASON_LIMIT;
	return result;
}

/* Stretching comes before the lock: it takes long, and the agent may be waiting. */
static int draw(const uint8_t license_id[static LICENSE_ID_SIZE], struct ticket *ret,
	uint8_t ret_psk[static PRIMITIVES_KEY])
{
	int result = ticket_generate(ret);
	if (result == 0)
		result = ticket_stretch(ret, license_id, ret_psk);
	return result;
}

static int enter(struct change *change, const struct page *page, int64_t now_ms)
{
	int result = private_file_lock(change->folder, &change->lock);
	if (result == 0)
		result = tidy(change, now_ms);
	if (result == 0)
		result = page_path(change->path, change->folder, page->entry.id);
	if (result == 0)
		result = write_page(change->path, page, private_file_create);
	end_change(change);
	return result;
}

int ticket_book_issue(const char *dir, const uint8_t license_id[static LICENSE_ID_SIZE],
	int64_t life_ms, int64_t now_ms, struct ticket *ret)
{
	struct change change = {.lock = -1};
	struct page page = {.entry = {.created_ms = now_ms}};
	struct ticket ticket;
	if (life_ms <= 0)
		life_ms = TICKET_BOOK_LIFE_MS;
	if (life_ms > TICKET_BOOK_LIFE_MAX_MS)
		life_ms = TICKET_BOOK_LIFE_MAX_MS;
	page.entry.expires_ms = now_ms + life_ms;
	int result = private_file_directory(dir);
	if (result == 0)
		result = folder_of(dir, change.folder);
	if (result == 0)
		result = private_file_directory(change.folder);
	if (result < 0)
		return result;
	for (int draws = 0; draws < 4; draws++) {
		result = draw(license_id, &ticket, page.psk);
		page.entry.id = ticket.id;
		if (result == 0)
			result = enter(&change, &page, now_ms);
		/* Else its id is in the book already: 20 bits do not exclude it. */
		if (result != -REASON_CONFLICT)
			break;
	}
	if (result == 0)
		*ret = ticket;
	secret_wipe(&ticket, sizeof(ticket));
	secret_wipe(&page, sizeof(page));
	return result;
}
