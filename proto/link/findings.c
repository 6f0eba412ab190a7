#include "link/findings.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/reason.h"

struct findings {
	json_t *list;
	int first; /* -REASON_* of the first failure */
};

int findings_new(struct findings **ret)
{
	struct findings *findings = calloc(1, sizeof(*findings));
	if (!findings || !(findings->list = json_array())) {
		free(findings);
		return -REASON_NO_MEMORY;
	}
	*ret = findings;
	return 0;
}

void findings_note(struct findings *findings, const char *check, int status,
	const char *detail)
{
	if (status < 0 && !findings->first)
		findings->first = status;
	json_array_append_new(findings->list,
		json_pack("{s:s, s:b, s:s, s:s, s:s}", "check", check, "ok", status == 0,
			"code", reason_symbol(status), "detail", detail ? detail : "",
			"hint",
			status < 0 ? reason_hint(status, reason_lang_env()) : ""));
}

static const char *text_of(const json_t *finding, const char *member)
{
	return json_string_value(json_object_get(finding, member));
}

static void print_text(const struct findings *findings)
{
	size_t i;
	json_t *finding;
	json_array_foreach(findings->list, i, finding)
	{
		const char *detail = text_of(finding, "detail");
		int ok = json_is_true(json_object_get(finding, "ok"));
		printf("%-5s %s%s%s\n", ok ? "ok" : "FAIL", text_of(finding, "check"),
			*detail ? ": " : "", detail);
		if (!ok)
			printf("      %s: %s\n", text_of(finding, "code"),
				text_of(finding, "hint"));
	}
}

int findings_print(const struct findings *findings, enum findings_form form)
{
	if (form == FINDINGS_TEXT)
		print_text(findings);
	else if (json_dumpf(findings->list, stdout, JSON_COMPACT) == 0)
		puts("");
	return findings->first;
}

struct findings *findings_free(struct findings *findings)
{
	if (!findings)
		return NULL;
	json_decref(findings->list);
	free(findings);
	return NULL;
}
