/* license bulk: one act on many licenses. */
#include <string.h>

#include "base/reason.h"
#include "ctl/ctl_verbs.h"

static int filter_of(const struct ctl_options *options, json_t *filter)
{
	const struct {
		const char *member, *flag, *value;
	} texts[] = {{"state", "--state", options->state},
		{"tenant", "--tenant", options->tenant},
		{"group", "--group", options->group},
		{"holder", "--holder", options->holder}, {"q", "--q", options->q},
		{"label", "--label",
			options->labels.count ? options->labels.items[0] : NULL}};
	int status = options->labels.count > 1
			     ? program_fail(-REASON_USAGE, "--label: only one here.")
			     : 0;

	for (size_t i = 0; !status && i < ARRAY_LEN(texts); i++)
		status = ctl_verbs_set_text(filter, texts[i].member, texts[i].flag,
			texts[i].value);
	if (options->online || options->offline)
		json_object_set_new(filter, "online", json_boolean(options->online));
	return status;
}

static int which(const struct ctl_options *options, json_t *body)
{
	json_t *filter = json_object(), *ids = json_array();
	int status = filter_of(options, filter);

	for (size_t i = 0; i < options->ids.count; i++)
		json_array_append_new(ids, json_string(options->ids.items[i]));
	if (!status && !json_array_size(ids) == !json_object_size(filter))
		status = program_fail(-REASON_USAGE,
			"Which ones? Give --id ID …, or a filter such as --group NAME.");
	if (json_array_size(ids))
		json_object_set(body, "ids", ids);
	else
		json_object_set(body, "filter", filter);
	json_decref(ids);
	json_decref(filter);
	return status;
}

static int change_of(const struct ctl_options *options, json_t *body)
{
	char expires[CTL_VERBS_TIME] = "";
	json_t *change = json_object();
	int never = options->set_expires && !strcmp(options->set_expires, "never");
	int status =
		ctl_verbs_set_text(change, "group", "--set-group", options->set_group);

	if (!status)
		status = ctl_verbs_set_text(change, "note", "--set-note",
			options->set_note);
	if (!status && !never)
		status =
			ctl_verbs_time("--set-expires", options->set_expires, 1, expires);
	if (never)
		json_object_set_new(change, "expires_ms", json_integer(0));
	else if (*expires)
		json_object_set_new(change, "expires", json_string(expires));
	if (json_object_size(change))
		json_object_set(body, "change", change);
	json_decref(change);
	return status;
}

static int tell(const struct ctl_options *options, const json_t *answer)
{
	const json_t *failed = json_object_get(answer, "failed"), *one;
	size_t i;

	if (options->json) {
		ctl_verbs_print_json(answer);
	} else {
		printf("%" JSON_INTEGER_FORMAT " done.\n",
			json_integer_value(json_object_get(answer, "done")));
		json_array_foreach(failed, i, one) fprintf(stderr, "engawactl: %s: %s\n",
			json_string_value(json_object_get(one, "id")),
			json_string_value(json_object_get(one, "message")));
	}
	if (!json_array_size(failed))
		return 0;
	return options->json ? -REASON_BAD_VALUE
			     : program_fail(-REASON_BAD_VALUE, "%zu could not be done.",
				       json_array_size(failed));
}

int bulk_verbs_license(void *arg, int count, char **words)
{
	struct ctl_options *options = arg;
	json_t *body = json_object(), *answer = NULL;
	int status = count < 1 ? program_fail(-REASON_USAGE,
					 "Which act? enable, disable, delete or change.")
			       : ctl_verbs_set_text(body, "act", "ACT", words[0]);

	if (!status)
		status = which(options, body);
	if (!status)
		status = change_of(options, body);
	if (!status)
		status =
			rest_ask(options, "POST", "/api/v1/licenses/bulk", body, &answer);
	if (!status)
		status = tell(options, answer);
	json_decref(answer);
	json_decref(body);
	return status;
}
