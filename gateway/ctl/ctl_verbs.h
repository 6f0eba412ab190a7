/* ctl_verbs: what engawactl can do: one function per line of verbs.def, and what they share.
 *
 * Thread: main. A verb returns 0 or -REASON_* that it has told already.
 */
#ifndef CTL_CTL_VERBS_H
#define CTL_CTL_VERBS_H

#include "base/program.h"
#include "ctl/ctl_options.h"
#include "ctl/rest.h"
#include "ctl/rest_path.h"
#include "ctl/table.h"

extern const struct program ctl_verbs_program;

#define VERB(function, name, words, most, options, summary)                              \
	int function(void *options_, int count, char **words_);
#include "ctl/verbs.def"
#undef VERB

/* BASE/ID/TAIL with the verb's one word; `tail` may be NULL. Told when the word is missing. */
MUST_CHECK int ctl_verbs_path(struct rest_path *path, const char *base, const char *tail,
	int count, char **words);
/* The call, and nothing to show but "done" for people and the answer for scripts. */
MUST_CHECK int ctl_verbs_act(struct ctl_options *options, const char *method,
	const char *path, const json_t *body);
/* The members of `body` as a PATCH. Told when there are none. */
MUST_CHECK int ctl_verbs_change(struct ctl_options *options, const char *path,
	const json_t *body);
MUST_CHECK int ctl_verbs_change_state(struct ctl_options *options, const char *path,
	const char *state);
/* As ctl_verbs_act() with an object as answer, shown as a card. */
MUST_CHECK int ctl_verbs_act_show(struct ctl_options *options, const char *method,
	const char *path, const json_t *body, const struct table_column *columns);
/* A member of a body that was given: text must be UTF-8, a number a number. Told on error. */
MUST_CHECK int ctl_verbs_set_text(json_t *body, const char *member, const char *flag,
	const char *value);
MUST_CHECK int ctl_verbs_set_number(json_t *body, const char *member, const char *flag,
	const char *value);
/* One object as a card. */
MUST_CHECK int ctl_verbs_show(struct ctl_options *options, const char *path,
	const struct table_column *columns);
/* Pages as one table. */
MUST_CHECK int ctl_verbs_list(struct ctl_options *options, const char *path,
	const struct table_column *columns);
/* The answer as JSON, for people too: what can be written to a file, changed and sent back. */
MUST_CHECK int ctl_verbs_print(struct ctl_options *options, const char *method,
	const char *path, const json_t *body);
void ctl_verbs_print_json(const json_t *value);
/* A JSON file; "-" is standard input, NULL none was given. Told on error; the caller owns *ret. */
MUST_CHECK int ctl_verbs_read_json(const char *name, json_t **ret);
/* --from, --to, --expires as RFC 3339 text; "" when not given. */
#define CTL_VERBS_TIME 32
MUST_CHECK int ctl_verbs_time(const char *flag, const char *text, int whole_day_ends,
	char ret[static CTL_VERBS_TIME]);

#endif
