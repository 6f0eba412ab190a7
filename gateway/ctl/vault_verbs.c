/* The verbs of backups, data keys, and the end of a company's contract. */
#include <string.h>
#include <unistd.h>

#include "base/reason.h"
#include "ctl/ctl_verbs.h"

#define BACKUPS "/api/v1/backups"
#define KEYS "/api/v1/keys"
#define TENANTS "/api/v1/tenants"

static const struct table_column backup_columns[] = {{"BACKUP", "id"}, {"NODE", "node"},
	{"STATE", "state"}, {"MADE", "made", TABLE_TIME}, {"BYTES", "bytes", TABLE_BYTES},
	{"DOCUMENTS", "documents"}, {"ROWS", "rows"}, {"NOTE", "note"}, {0}};
static const struct table_column backup_card[] = {{"Backup", "id"}, {"Node", "node"},
	{"File", "file"}, {"State", "state"}, {"Reason", "reason"},
	{"Made", "made", TABLE_TIME}, {"Ended", "ended", TABLE_TIME},
	{"Bytes", "bytes", TABLE_BYTES}, {"Documents", "documents"},
	{"Journal rows", "rows"}, {"Keys", "keys"}, {"Ordered by", "by"},
	{"Note", "note"}, {"Drill", "drill"}, {0}};
static const struct table_column key_columns[] = {{"KEY", "id"}, {"COMPANY", "tenant"},
	{"GENERATION", "generation"}, {"CREATED", "created", TABLE_TIME},
	{"DESTROYED", "destroyed", TABLE_TIME}, {0}};
static const struct table_column rotated_card[] = {
	{"Company", "tenant"}, {"Generation", "generation"}, {0}};
static const struct table_column ended_card[] = {{"Company", "id"}, {"State", "state"},
	{"Ended", "ended", TABLE_TIME}, {"Erased after", "purge_after", TABLE_TIME}, {0}};
static const struct table_column proof_card[] = {{"Company", "tenant"},
	{"State", "state"}, {"By", "by"}, {"Begun", "began", TABLE_TIME},
	{"Erased", "purged", TABLE_TIME}, {"Documents", "documents"}, {"Kinds", "kinds"},
	{"Keys destroyed", "keys"}, {"Audit row", "row"}, {0}};

int vault_verbs_backup_create(void *arg, int count UNUSED, char **words UNUSED)
{
	struct ctl_options *options = arg;
	json_t *body = json_object();
	int status = ctl_verbs_set_text(body, "note", "--note", options->note);

	if (!status)
		status = ctl_verbs_act_show(options, "POST", BACKUPS, body, backup_card);
	json_decref(body);
	return status;
}

int vault_verbs_backup_list(void *arg, int count UNUSED, char **words UNUSED)
{
	return ctl_verbs_list(arg, BACKUPS, backup_columns);
}

int vault_verbs_backup_show(void *arg, int count, char **words)
{
	struct rest_path path;
	int status = ctl_verbs_path(&path, BACKUPS, NULL, count, words);
	return status ? status : ctl_verbs_show(arg, path.text, backup_card);
}

int vault_verbs_backup_drill(void *arg, int count, char **words)
{
	struct rest_path path;
	int status = ctl_verbs_path(&path, BACKUPS, "/drill", count, words);
	return status ? status
		      : ctl_verbs_act_show(arg, "POST", path.text, NULL, backup_card);
}

int vault_verbs_backup_delete(void *arg, int count, char **words)
{
	struct rest_path path;
	int status = ctl_verbs_path(&path, BACKUPS, NULL, count, words);
	return status ? status : ctl_verbs_act(arg, "DELETE", path.text, NULL);
}

int vault_verbs_key_list(void *arg, int count UNUSED, char **words UNUSED)
{
	struct ctl_options *options = arg;
	struct rest_path path;

	rest_path(&path, KEYS);
	rest_path_query(&path, "tenant", options->tenant);
	return ctl_verbs_list(options, path.text, key_columns);
}

int vault_verbs_key_rotate(void *arg, int count, char **words)
{
	struct rest_path path;
	int status = ctl_verbs_path(&path, KEYS, "/rotate", count, words);
	return status ? status
		      : ctl_verbs_act_show(arg, "POST", path.text, NULL, rotated_card);
}

/* What cannot be taken back is named twice. */
static int confirmed(struct ctl_options *options, const char *method, const char *tail,
	int count, char **words, const struct table_column *card)
{
	struct rest_path path;
	int status = ctl_verbs_path(&path, TENANTS, tail, count, words);

	if (!status && (!options->confirm || strcmp(options->confirm, words[0])))
		status = program_fail(-REASON_USAGE,
			"Say which company once more: --confirm %s", words[0]);
	if (status)
		return status;
	json_t *body = json_object();
	status = ctl_verbs_set_text(body, "confirm", "--confirm", options->confirm);
	if (!status)
		status = ctl_verbs_act_show(options, method, path.text, body, card);
	json_decref(body);
	return status;
}

int vault_verbs_tenant_delete(void *arg, int count, char **words)
{
	return confirmed(arg, "DELETE", NULL, count, words, ended_card);
}

int vault_verbs_tenant_purge(void *arg, int count, char **words)
{
	return confirmed(arg, "POST", "/purge", count, words, proof_card);
}

int vault_verbs_tenant_proof(void *arg, int count, char **words)
{
	struct rest_path path;
	int status = ctl_verbs_path(&path, TENANTS, "/proof", count, words);
	return status ? status : ctl_verbs_show(arg, path.text, proof_card);
}

int vault_verbs_tenant_export(void *arg, int count, char **words)
{
	struct rest_path path;
	int status = ctl_verbs_path(&path, TENANTS, "/export", count, words);

	if (!status && isatty(STDOUT_FILENO))
		status = program_fail(-REASON_USAGE,
			"A tar does not belong on a terminal: … > company.tar");
	return status ? status : rest_ask_stream(arg, "POST", path.text, stdout);
}
