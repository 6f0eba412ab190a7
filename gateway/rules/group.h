/* group: licenses that are treated alike (STATE_GROUP, id = "TENANT/NAME").
 *
 * JSON body: "name" (1 to 64 bytes), "tenant", "note", "created_ms", "changed_ms". Its policy is the
 * document "group/T/NAME" (rules/policy.h); a license names its group. Members that are not known
 * here are kept by group_write().
 * Thread: any; pure. Errors: -REASON_BAD_VALUE and the field.
 */
#ifndef RULES_GROUP_H
#define RULES_GROUP_H

#include <stdint.h>

#include "base/check.h"
#include "rules/field.h"

#define GROUP_NAME_SIZE 65
#define GROUP_NOTE_SIZE 513
#define GROUP_ID_SIZE 128

struct group {
	char name[GROUP_NAME_SIZE], tenant[41], note[GROUP_NOTE_SIZE];
	int64_t created_ms, changed_ms;
};

/* The id of the document. -REASON_LIMIT when it is none that could exist. */
MUST_CHECK int group_id(char ret[static GROUP_ID_SIZE], const char *tenant,
	const char *name);
MUST_CHECK int group_read(const char *body, struct group *ret, struct field_error *error);
/* A new one's name and note; the caller gives it its tenant. */
MUST_CHECK int group_create(struct group *group, const json_t *fields,
	struct field_error *error);
/* What people may set later: note. On error `group` is as before. */
MUST_CHECK int group_change(struct group *group, const json_t *changes,
	struct field_error *error);
/* `before`: the stored body whose unknown members stay, or NULL. The caller frees *ret. */
MUST_CHECK int group_write(const struct group *group, const char *before, char **ret);

#endif
