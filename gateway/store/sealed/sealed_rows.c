#include "store/sealed/sealed_rows.h"

#include <stdlib.h>
#include <string.h>

#include "base/reason.h"
#include "base/secret.h"

static struct sealed_place place_of(const struct journal_row *row, uint32_t generation)
{
	struct sealed_place place = {0};
	sealed_box_bind(&place, "engawa-row-1");
	sealed_box_bind(&place, journal_kind_name(row->kind));
	sealed_box_bind(&place, row->tenant);
	sealed_box_bind(&place, row->license);
	sealed_box_bind_number(&place, row->at_ms);
	sealed_box_bind_number(&place, generation);
	return place;
}

static int close_one(struct sealed_keys *keys, const struct journal_row *row, char **ret)
{
	uint8_t key[SEALED_BOX_KEY];
	uint32_t generation;
	int r = sealed_keys_find(keys, row->tenant, 0, key, &generation);
	if (r)
		return r;
	struct sealed_place place = place_of(row, generation);
	r = sealed_box_text(key, generation, &place, row->body, strlen(row->body), ret);
	secret_wipe(key, sizeof(key));
	return r;
}

int sealed_rows_close(struct sealed_keys *keys, const struct journal_row *rows,
	size_t count, struct sealed_rows *ret, size_t *ret_missing)
{
	struct sealed_rows sealed = {.count = count};
	int r = 0;
	sealed.rows = calloc(count + 1, sizeof(*sealed.rows));
	sealed.bodies = calloc(count + 1, sizeof(*sealed.bodies));
	if (!sealed.rows || !sealed.bodies)
		r = -REASON_NO_MEMORY;
	for (size_t i = 0; i < count && r == 0; i++) {
		r = close_one(keys, &rows[i], &sealed.bodies[i]);
		sealed.rows[i] = rows[i];
		sealed.rows[i].body = sealed.bodies[i];
		if (r == 1)
			*ret_missing = i;
	}
	if (r)
		sealed_rows_done(&sealed);
	else
		*ret = sealed;
	return r;
}

static int open_one(struct sealed_keys *keys, struct journal_row *row, char *room,
	size_t *ret_used)
{
	uint8_t key[SEALED_BOX_KEY];
	uint32_t generation = sealed_box_generation(row->body);
	size_t len;
	int r = sealed_keys_find(keys, row->tenant, generation, key, &generation);
	if (r == -REASON_NOT_FOUND) {
		row->body = "{\"erased\":true}";
		return 0;
	}
	if (r)
		return r;
	struct sealed_place place = place_of(row, generation);
	r = sealed_box_untext(key, &place, row->body, room, &len);
	secret_wipe(key, sizeof(key));
	if (r == 0)
		*ret_used = len + 1;
	row->body = r == 0 ? room : "{\"damaged\":true}";
	return r == -REASON_STATE_DAMAGED ? 0 : r;
}

int sealed_rows_open(struct sealed_keys *keys, const struct journal_row *rows,
	size_t count, struct sealed_rows *ret, size_t *ret_missing)
{
	struct sealed_rows opened = {.count = count, .size = 1};
	int r = 0;
	for (size_t i = 0; i < count; i++)
		opened.size += sealed_box_room(rows[i].body);
	opened.rows = calloc(count + 1, sizeof(*opened.rows));
	opened.text = malloc(opened.size);
	if (!opened.rows || !opened.text)
		r = -REASON_NO_MEMORY;
	char *at = opened.text;
	for (size_t i = 0; i < count && r == 0; i++) {
		size_t used = 0;
		opened.rows[i] = rows[i];
		if (!sealed_box_is_text(rows[i].body))
			continue;
		r = open_one(keys, &opened.rows[i], at, &used);
		if (r == 1)
			*ret_missing = i;
		at += used;
	}
	if (r)
		sealed_rows_done(&opened);
	else
		*ret = opened;
	return r;
}

void sealed_rows_done(struct sealed_rows *rows)
{
	for (size_t i = 0; rows->bodies && i < rows->count; i++)
		free(rows->bodies[i]);
	free(rows->bodies);
	if (rows->text)
		secret_wipe(rows->text, rows->size);
	free(rows->text);
	free(rows->rows);
	*rows = (struct sealed_rows){0};
}
