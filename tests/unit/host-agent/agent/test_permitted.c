/* Policy x veto: what is in force. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "permitted.h"
#include "veto.h"

static struct veto a_veto(void)
{
	return (struct veto){.clipboard_to_host = 1,
		.clipboard_to_viewer = 1,
		.file_to_host = 1,
		.file_to_viewer = 1,
		.kinds = (char *)"native,web"};
}

struct row {
	const char *policy;
	struct veto veto; /* over a_veto() where it says something */
	struct permitted wanted;
};

#define ALL INNER_RIGHTS_ALL
#define BOTH PERMITTED_KINDS

static const struct row rows[] = {
	{"", {0}, {.rights = ALL, .kinds = BOTH}},
	{"{\"rights\":15}", {0}, {.rights = 15, .kinds = BOTH}},
	{"{\"rights\":65535,\"viewer_kinds\":255}", {.view_only = 1},
		{.rights = INNER_RIGHT_VIEW | INNER_RIGHT_CLIP_TO_VIEWER |
			   INNER_RIGHT_FILE_TO_VIEWER,
			.kinds = BOTH}},
	{"{\"rights\":3,\"viewer_kinds\":1}", {.kinds = (char *)"web"}, {.rights = 3}},
	{"{\"rights\":1,\"max_session_ms\":500}", {.max_session_ms = 900},
		{.rights = 1, .kinds = BOTH, .max_session_ms = 500}},
	{"{\"rights\":1,\"max_session_ms\":0}", {.max_session_ms = 900},
		{.rights = 1, .kinds = BOTH, .max_session_ms = 900}},
	{"{\"rights\":1,\"max_session_ms\":9000}", {.max_session_ms = 900},
		{.rights = 1, .kinds = BOTH, .max_session_ms = 900}},
	{"{\"rights\":1,\"idle_ms\":9000}", {.idle_ms = 10},
		{.rights = 1, .kinds = BOTH, .idle_ms = 10}},
	{"{\"rights\":1,\"idle_ms\":5}", {.idle_ms = 10},
		{.rights = 1, .kinds = BOTH, .idle_ms = 5}},
	{"{\"rights\":1,\"until_ms\":77}", {0},
		{.rights = 1, .kinds = BOTH, .until_ms = 77}},
	{"{\"rights\":1,\"clip_max_bytes\":7,\"file_max_bytes\":0,\"devices_max\":3}",
		{.clip_max_bytes = 8, .file_max_bytes = 9, .devices_max = 2},
		{.rights = 1,
			.kinds = BOTH,
			.clip_max_bytes = 7,
			.file_max_bytes = 9,
			.devices_max = 2}},
	{"{\"rights\":1,\"consent\":true}", {0},
		{.rights = 1, .kinds = BOTH, .consent = 1}},
	{"{\"rights\":1,\"consent\":false}", {.consent = 1},
		{.rights = 1, .kinds = BOTH, .consent = 1}},
	{"{\"rights\":1,\"watermark\":true}", {.lock_at_end = 1},
		{.rights = 1, .kinds = BOTH, .watermark = 1, .lock_at_end = 1}},
	{"{\"rights\":1,\"lock_at_end\":true}", {.watermark = 1},
		{.rights = 1, .kinds = BOTH, .watermark = 1, .lock_at_end = 1}},
	/* Not to be understood: nothing. */
	{"{\"rights\":1,\"lock_at_end\":1}", {0},
		{.consent = 1, .watermark = 1, .lock_at_end = 1}},
	{"{\"rights\":1,\"until_ms\":\"5\"}", {0},
		{.consent = 1, .watermark = 1, .lock_at_end = 1}},
};

static struct veto veto_of(const struct row *row)
{
	struct veto veto = a_veto();
	veto.view_only = row->veto.view_only;
	veto.max_session_ms = row->veto.max_session_ms;
	veto.idle_ms = row->veto.idle_ms;
	veto.clip_max_bytes = row->veto.clip_max_bytes;
	veto.file_max_bytes = row->veto.file_max_bytes;
	veto.devices_max = row->veto.devices_max;
	veto.consent = row->veto.consent;
	veto.watermark = row->veto.watermark;
	veto.lock_at_end = row->veto.lock_at_end;
	if (row->veto.kinds)
		veto.kinds = row->veto.kinds;
	return veto;
}

/* Whichever comes first, the same is in force. */
static void policy_and_veto_by_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct veto veto = veto_of(&rows[i]);
		struct permitted told, own, one, other;
		permitted_by_policy(rows[i].policy, &told);
		permitted_by_veto(&veto, &own);
		one = told;
		permitted_narrow(&one, &own);
		other = own;
		permitted_narrow(&other, &told);
		if (memcmp(&one, &rows[i].wanted, sizeof(one)) ||
			memcmp(&other, &rows[i].wanted, sizeof(other)))
			fail_msg("row %zu: %s", i, rows[i].policy);
		/* Once more changes nothing. */
		permitted_narrow(&one, &told);
		permitted_narrow(&one, &own);
		assert_memory_equal(&one, &rows[i].wanted, sizeof(one));
	}
}

static void mobile_is_no_native(void **state)
{
	struct permitted permitted = {.kinds = PERMITTED_NATIVE};
	(void)state;
	assert_true(permitted_kind(&permitted, INNER_NATIVE));
	assert_false(permitted_kind(&permitted, INNER_WEB));
	assert_false(permitted_kind(&permitted, INNER_MOBILE));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(policy_and_veto_by_table),
		cmocka_unit_test(mobile_is_no_native),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
