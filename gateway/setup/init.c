#include "setup/init.h"

#include <dirent.h>
#include <errno.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/reason.h"
#include "base/secret.h"
#include "base/text.h"
#include "setup/authority.h"
#include "setup/seed.h"
#include "store/sealed/sealed_store.h"
#include "store/store_open.h"
#include "vault/backup_key.h"

#define PART "init.part"
#define PEM_MAX 65536
#define NAMES_MAX 68

struct names {
	const char *items[NAMES_MAX];
	size_t count;
};

PRINTF_LIKE(3, 4) static int fail(char *error, int reason, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vsnprintf(error, INIT_ERROR, format, args);
	va_end(args);
	return reason < 0 ? reason : -reason;
}

/* What was asked for, and always this machine itself. */
static int gather_names(const struct init_plan *plan, struct names *ret, char *error)
{
	static const char *const own[] = {"localhost", "127.0.0.1", "::1"};

	for (size_t i = 0; i < plan->name_count; i++) {
		if (authority_name(plan->names[i]))
			return fail(error, REASON_BAD_VALUE,
				"--name %.200s: a DNS name or an IP address expected",
				plan->names[i]);
		ret->items[ret->count++] = plan->names[i];
	}
	for (size_t i = 0; i < ARRAY_LEN(own); i++) {
		int given = 0;
		for (size_t k = 0; k < plan->name_count; k++)
			given |= !strcmp(own[i], plan->names[k]);
		if (!given)
			ret->items[ret->count++] = own[i];
	}
	return 0;
}

static int remove_tree(const char *path)
{
	char file[DATA_DIR_PATH];
	struct dirent *entry;
	DIR *dir = opendir(path);

	if (!dir)
		return errno == ENOENT ? 0 : -1;
	while ((entry = readdir(dir))) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		data_dir_file(path, entry->d_name, file);
		unlink(file);
	}
	closedir(dir);
	return rmdir(path);
}

/* The parts of an init that never came to its end. Only our own names are touched. */
static void remove_parts(const char *path)
{
	char file[DATA_DIR_PATH];

	for (size_t i = 0; data_dir_files[i]; i++) {
		data_dir_file(path, data_dir_files[i], file);
		unlink(file);
	}
	data_dir_file(path, PART, file);
	remove_tree(file);
}

static int prepare(const char *path, char *part, char *error)
{
	enum data_dir_state state;
	int status = data_dir_look(path, &state);

	if (status)
		return fail(error, status, "%.300s: %s", path, strerror(errno));
	if (state == DATA_DIR_READY)
		return fail(error, REASON_CONFLICT,
			"%.300s is set up already; nothing was changed", path);
	if (state == DATA_DIR_FOREIGN)
		return fail(error, REASON_CONFLICT,
			"%.300s is not empty; nothing was changed", path);
	if (state == DATA_DIR_ABSENT && mkdir(path, 0700))
		return fail(error,
			errno == ENOSPC ? REASON_DISK_FULL : REASON_FILE_UNWRITABLE,
			"%.300s: %s", path, strerror(errno));
	if (state == DATA_DIR_UNFINISHED)
		remove_parts(path);
	data_dir_file(path, PART, part);
	if (chmod(path, 0700) || mkdir(part, 0700))
		return fail(error,
			errno == ENOSPC ? REASON_DISK_FULL : REASON_FILE_UNWRITABLE,
			"%.300s: %s", part, strerror(errno));
	return 0;
}

static int write_text(const char *path, const char *name, const char *text, mode_t mode,
	char *error)
{
	return data_dir_write(path, name, text, strlen(text), mode, error);
}

static int make_master(const char *path, char *error)
{
	uint8_t master[DATA_DIR_MASTER];
	char text[TEXT_HEX_SIZE(DATA_DIR_MASTER)];

	if (secret_random(master, sizeof(master)))
		return fail(error, REASON_NO_RANDOM, "master.key");
	text_hex(text, master, sizeof(master));
	int status = write_text(path, "master.key", text, 0600, error);
	secret_wipe(master, sizeof(master));
	secret_wipe(text, sizeof(text));
	return status;
}

static int make_backup_key(const char *path, char *error)
{
	uint8_t key[BACKUP_FILE_KEY];
	char file[DATA_DIR_PATH], more[256] = "";

	data_dir_file(path, "backup.key", file);
	int status = backup_key_make(file, key, more);
	secret_wipe(key, sizeof(key));
	return status ? fail(error, status, "%s", more) : 0;
}

static int make_node_id(char ret[static DATA_DIR_NODE + 1])
{
	uint8_t digits[9];
	char text[sizeof(digits) + 1];

	if (secret_random(digits, sizeof(digits)))
		return -REASON_NO_RANDOM;
	for (size_t i = 0; i < sizeof(digits); i++)
		digits[i] &= 31;
	text_crockford(text, digits, sizeof(digits));
	for (char *at = text; *at; at++)
		if (*at >= 'A' && *at <= 'Z')
			*at += 'a' - 'A';
	snprintf(ret, DATA_DIR_NODE + 1, "node-%s", text);
	return 0;
}

static int read_ca(const char *path, struct authority_pair *ret, char *error)
{
	int status = data_dir_read(path, "ca.pem", PEM_MAX, &ret->cert, error);
	if (!status)
		status = data_dir_read(path, "ca.key", PEM_MAX, &ret->key, error);
	return status;
}

static int make_ca(const char *path, struct authority_pair *ret, char *error)
{
	int status = authority_new(ret);

	if (status)
		return fail(error, status, "the CA could not be made");
	status = write_text(path, "ca.pem", ret->cert, 0644, error);
	if (!status)
		status = write_text(path, "ca.key", ret->key, 0600, error);
	return status;
}

static int copy_file(const char *from, const char *to, const char *name, mode_t mode,
	char *error)
{
	char *text;
	int status = data_dir_read(from, name, PEM_MAX, &text, error);

	if (status)
		return status;
	status = write_text(to, name, text, mode, error);
	data_dir_wipe(text);
	return status;
}

/* What all nodes of a cluster share. */
static int copy_cluster(const char *from, const char *to, char *error)
{
	static const struct {
		const char *name;
		mode_t mode;
	} files[] = {{"ca.pem", 0644}, {"ca.key", 0600}, {"master.key", 0600},
		{"seed.json", 0600}, {"admin.token", 0600}};
	struct data_dir dir;
	int status = data_dir_open(from, &dir, error);

	if (status)
		return status;
	data_dir_close(&dir);
	for (size_t i = 0; !status && i < ARRAY_LEN(files); i++)
		status = copy_file(from, to, files[i].name, files[i].mode, error);
	/* One key for the backups of all nodes, unless it was put somewhere else. */
	char key[DATA_DIR_PATH];
	data_dir_file(from, "backup.key", key);
	if (!status && !access(key, F_OK))
		status = copy_file(from, to, "backup.key", 0600, error);
	return status;
}

static int make_certificate(const char *path, const struct authority_pair *ca,
	const char *node, const struct names *names, char *error)
{
	struct authority_pair pair = {0};
	int status = authority_issue(ca, node, names->items, names->count, &pair);

	if (status)
		return fail(error, status, "the node's certificate could not be made");
	/* The key first: a gateway that reads in between keeps what it has. */
	status = write_text(path, "node.key", pair.key, 0600, error);
	if (!status)
		status = write_text(path, "node.pem", pair.cert, 0644, error);
	authority_done(&pair);
	return status;
}

static int make_store(const char *path, const char *node, char *error)
{
	char address[DATA_DIR_PATH + 32], more[STORE_ERROR] = "";
	uint8_t master[DATA_DIR_MASTER];
	struct store *store;

	int status = data_dir_master(path, master, error);
	if (status)
		return status;
	snprintf(address, sizeof(address), "sqlite:%s/engawa.db", path);
	status = store_open(address, node, &store, more);
	if (!status)
		status = sealed_store_open(store, master, &store, more);
	secret_wipe(master, sizeof(master));
	if (status)
		return fail(error, status, "%s", more);
	status = seed_apply(path, store, node, error);
	store_close(store);
	return status;
}

static int make_all(const struct init_plan *plan, const struct names *names,
	const char *part, struct init_result *result, char *error)
{
	struct authority_pair ca = {0};
	char line[DATA_DIR_NODE + 2];
	int status = make_node_id(result->node);

	if (status)
		return fail(error, status, "node.id");
	if (plan->from) {
		status = copy_cluster(plan->from, part, error);
		if (!status)
			status = read_ca(part, &ca, error);
	} else {
		status = make_ca(part, &ca, error);
		if (!status)
			status = make_master(part, error);
		if (!status)
			status = make_backup_key(part, error);
		if (!status)
			status = seed_make(part, result->password, error);
		text_clip(result->account, sizeof(result->account), SEED_ACCOUNT);
	}
	if (!status)
		status = make_certificate(part, &ca, result->node, names, error);
	if (!status)
		status = make_store(part, result->node, error);
	snprintf(line, sizeof(line), "%s\n", result->node);
	if (!status)
		status = write_text(part, "node.id", line, 0644, error);
	authority_done(&ca);
	return status;
}

static int move_into_place(const char *part, const char *path, char *error)
{
	char from[DATA_DIR_PATH], to[DATA_DIR_PATH];

	for (size_t i = 0; data_dir_files[i]; i++) {
		data_dir_file(part, data_dir_files[i], from);
		data_dir_file(path, data_dir_files[i], to);
		if (rename(from, to) && errno != ENOENT)
			return fail(error, REASON_FILE_UNWRITABLE, "%.300s: %s", to,
				strerror(errno));
	}
	rmdir(part);
	return 0;
}

int init_run(const struct init_plan *plan, struct init_result *ret,
	char error[static INIT_ERROR])
{
	struct init_result result = {0};
	struct names names = {0};
	char part[DATA_DIR_PATH];
	int status;

	if (text_copy(result.data, sizeof(result.data) - 64, plan->data))
		return fail(error, REASON_BAD_VALUE, "the path is too long");
	status = gather_names(plan, &names, error);
	if (!status)
		status = prepare(plan->data, part, error);
	if (status)
		return status;
	status = make_all(plan, &names, part, &result, error);
	if (!status)
		status = move_into_place(part, plan->data, error);
	if (status) {
		remove_parts(plan->data);
		init_done(&result);
		return status;
	}
	*ret = result;
	init_done(&result);
	return 0;
}

int init_renew(const struct init_plan *plan, char error[static INIT_ERROR])
{
	struct authority_pair ca = {0};
	struct names names = {0};
	struct data_dir dir;
	int status = gather_names(plan, &names, error);

	if (!status)
		status = data_dir_open(plan->data, &dir, error);
	if (status)
		return status;
	status = read_ca(dir.path, &ca, error);
	if (!status)
		status = make_certificate(dir.path, &ca, dir.node, &names, error);
	authority_done(&ca);
	data_dir_close(&dir);
	return status;
}

void init_print(const struct init_result *result, enum init_form form, FILE *out)
{
	if (form == INIT_JSON) {
		json_t *object = json_pack("{s:s, s:s, s:s+, s:s+}", "data", result->data,
			"node", result->node, "ca", result->data, "/ca.pem", "token",
			result->data, "/admin.token");
		if (*result->account)
			json_object_set_new(object, "operator",
				json_pack("{s:s, s:s}", "account", result->account,
					"password", result->password));
		json_dumpf(object, out, JSON_INDENT(2));
		fputc('\n', out);
		json_decref(object);
		return;
	}
	fprintf(out,
		"Node      %s\nCA        %s/ca.pem   (give it to hosts and viewers: "
		"--ca)\n",
		result->node, result->data);
	fprintf(out, "Token     %s/admin.token   (engawactl --data %s …)\n", result->data,
		result->data);
	if (*result->account)
		fprintf(out,
			"Operator  %s\nPassword  %s   (shown only now; to be changed at "
			"the first sign-in)\n",
			result->account, result->password);
	fprintf(out, "Start it: engawa-gateway run --data %s\n", result->data);
}

void init_done(struct init_result *result)
{
	secret_wipe(result->password, sizeof(result->password));
}
