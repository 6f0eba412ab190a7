#include "rules/group.h"

#include <stdio.h>
#include <string.h>

#include "base/reason.h"
#include "rules/document.h"

int group_id(char ret[static GROUP_ID_SIZE], const char *tenant, const char *name)
{
	if (!*name || strlen(name) >= GROUP_NAME_SIZE || strlen(tenant) > 40)
		return -REASON_LIMIT;
	snprintf(ret, GROUP_ID_SIZE, "%s/%s", tenant, name);
	return 0;
}

static int read_note(const json_t *object, struct group *group, struct field_error *error)
{
	return field_text(object, "note", FIELD_MAY, group->note, sizeof(group->note),
		error);
}

static int read_name(const json_t *object, struct group *group, struct field_error *error)
{
	int r = field_text(object, "name", FIELD_NEED, group->name, sizeof(group->name),
		error);
	/* A path takes these two for itself: nobody could ever ask for such a group. */
	if (r == 0 && (!strcmp(group->name, ".") || !strcmp(group->name, "..")))
		r = field_fail(error, "name", "is not a name");
	return r;
}

static int read_all(const json_t *object, struct group *group, struct field_error *error)
{
	int r = read_name(object, group, error);
	if (r == 0)
		r = field_text(object, "tenant", FIELD_MAY, group->tenant,
			sizeof(group->tenant), error);
	if (r == 0)
		r = field_time(object, "created_ms", &group->created_ms, error);
	if (r == 0)
		r = field_time(object, "changed_ms", &group->changed_ms, error);
	return r ? r : read_note(object, group, error);
}

int group_read(const char *body, struct group *ret, struct field_error *error)
{
	struct group group = {0};
	json_t *object;
	int r = field_parse(body, &object, error);
	if (r)
		return r;
	r = read_all(object, &group, error);
	json_decref(object);
	if (r == 0)
		*ret = group;
	return r;
}

int group_create(struct group *group, const json_t *fields, struct field_error *error)
{
	static const char *const known[] = {"name", "note", NULL};
	struct group made = *group;
	int r = field_known(fields, known, error);
	if (r == 0)
		r = read_name(fields, &made, error);
	if (r == 0)
		r = read_note(fields, &made, error);
	if (r == 0)
		*group = made;
	return r;
}

int group_change(struct group *group, const json_t *changes, struct field_error *error)
{
	static const char *const known[] = {"note", NULL};
	struct group changed = *group;
	int r = field_known(changes, known, error);
	if (r == 0)
		r = read_note(changes, &changed, error);
	if (r == 0)
		*group = changed;
	return r;
}

int group_write(const struct group *group, const char *before, char **ret)
{
	json_t *object;
	int r = document_open(before, &object);
	if (r == 0)
		r = document_set(object,
			json_pack("{s:s, s:s, s:s, s:I, s:I}", "name", group->name,
				"tenant", group->tenant, "note", group->note,
				"created_ms", (json_int_t)group->created_ms, "changed_ms",
				(json_int_t)group->changed_ms));
	return document_close(object, r, ret);
}
