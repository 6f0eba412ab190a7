/* The verbs of holders' one-time codes. */
#include <string.h>

#include "base/reason.h"
#include "ctl/ctl_verbs.h"

#define LICENSES "/api/v1/licenses"

static const struct table_column columns[] = {
	{"License", "id"}, {"Secret", "secret"}, {"Link", "uri"}, {0}};
static const struct table_column done_columns[] = {
	{"License", "id"}, {"Holder", "holder"}, {"One-time codes", "totp"}, {0}};

/* 1: dark. Outside of the code is light, as a phone needs it. */
static int dark(const json_t *rows, int size, int x, int y)
{
	if (x < 0 || y < 0 || x >= size || y >= size)
		return 0;
	const char *row = json_string_value(json_array_get(rows, (size_t)y));
	return row && strlen(row) > (size_t)x && row[x] == '1';
}

/* Two modules in one character, light on dark: most terminals are dark, and phones read both. */
static void print_code(const json_t *qr)
{
	static const char *const blocks[] = {"█", "▀", "▄", " "};
	const json_t *rows = json_object_get(qr, "rows");
	int size = (int)json_array_size(rows);
	if (size > 177)
		return;
	for (int y = -2; y < size + 2; y += 2) {
		for (int x = -2; x < size + 2; x++)
			fputs(blocks[dark(rows, size, x, y) * 2 +
				      dark(rows, size, x, y + 1)],
				stdout);
		puts("");
	}
}

int totp_verbs_begin(void *arg, int count, char **words)
{
	struct ctl_options *options = arg;
	struct rest_path path;
	json_t *answer = NULL;
	int status = ctl_verbs_path(&path, LICENSES, "/totp", count, words);
	if (!status)
		status = rest_ask(options, "POST", path.text, NULL, &answer);
	if (!status && options->json) {
		ctl_verbs_print_json(answer);
	} else if (!status) {
		table_card(columns, answer, stdout);
		print_code(json_object_get(answer, "qr"));
		printf("Next: engawactl license totp-confirm %s CODE\n", words[0]);
	}
	json_decref(answer);
	return status;
}

int totp_verbs_confirm(void *arg, int count, char **words)
{
	struct rest_path path;
	if (count < 2)
		return program_fail(-REASON_USAGE, "LICENSE and the code of the app.");
	int status = ctl_verbs_path(&path, LICENSES, "/totp/confirm", 1, words);
	json_t *body = status ? NULL : json_pack("{s:s}", "code", words[1]);
	if (!status && !body)
		status = program_fail(-REASON_BAD_VALUE, "(%s)", words[1]);
	if (!status)
		status = ctl_verbs_act_show(arg, "POST", path.text, body, done_columns);
	json_decref(body);
	return status;
}

int totp_verbs_remove(void *arg, int count, char **words)
{
	struct rest_path path;
	int status = ctl_verbs_path(&path, LICENSES, "/totp", count, words);
	return status ? status : ctl_verbs_act(arg, "DELETE", path.text, NULL);
}
