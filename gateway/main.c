/* engawa-gateway: command line, the process around the gateway, signals. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "admin/openapi.h"
#include "base/args.h"
#include "base/log.h"
#include "base/program.h"
#include "base/reason.h"
#include "config/gateway_config.h"
#include "directory/directories.h"
#include "gateway.h"
#include "keeper/offline_audit.h"
#include "rekey_verb.h"
#include "restore_verb.h"
#include "setup/init.h"
#include "setup/notify.h"
#include "store/store_open.h"

struct options {
	const char *data, *from, *config, *listen, *admin_listen, *store, *log_format,
		*key, *checkpoints;
	struct args_many names;
	long ready_fd;
	int json, sample, openapi;
};

#define AT(field) offsetof(struct options, field)
#define DATA                                                                             \
	{                                                                                \
		"--data", "DIR", ARGS_TEXT, AT(data), "the node's data directory"        \
	}
#define NAME                                                                             \
	{                                                                                \
		"--name", "DNS-OR-IP", ARGS_MANY, AT(names),                             \
			"a name under which the gateway is reached; may be repeated"     \
	}

static const struct args_option init_options[] = {DATA, NAME,
	{"--from", "DIR", ARGS_TEXT, AT(from),
		"a further node of the cluster of this directory"},
	{0}};

static const struct args_option renew_options[] = {DATA, NAME, {0}};

static const struct args_option run_options[] = {DATA,
	{"--listen", "HOST:PORT", ARGS_TEXT, AT(listen),
		"where hosts and viewers connect; port 0: any"},
	{"--admin-listen", "HOST:PORT", ARGS_TEXT, AT(admin_listen),
		"where the REST API is served"},
	{"--store", "ADDRESS", ARGS_TEXT, AT(store),
		"sqlite:PATH (DIR/engawa.db) or redis://HOST:PORT"},
	{"--config", "FILE", ARGS_TEXT, AT(config), "configuration; flags go before it"},
	{"--ready-fd", "N", ARGS_LONG, AT(ready_fd),
		"write one line there when the gateway serves"},
	{0}};

static const struct args_option restore_options[] = {DATA,
	{"--from", "FILE", ARGS_TEXT, AT(from), "the backup"},
	{"--key", "FILE", ARGS_TEXT, AT(key), "the key file of the backup (backup.key)"},
	{"--store", "ADDRESS", ARGS_TEXT, AT(store),
		"an empty store; DIR/engawa.db without it"},
	{0}};

static const struct args_option audit_options[] = {DATA,
	{"--store", "ADDRESS", ARGS_TEXT, AT(store), "sqlite:PATH (DIR/engawa.db)"},
	{"--checkpoints", "FILE", ARGS_TEXT, AT(checkpoints),
		"a further file of signed checkpoints"},
	{0}};

static const struct args_option rekey_options[] = {DATA,
	{"--store", "ADDRESS", ARGS_TEXT, AT(store),
		"the cluster's store; DIR/engawa.db without it"},
	{0}};

static const struct args_option check_options[] = {
	{"--config", "FILE", ARGS_TEXT, AT(config), "the configuration to check"},
	{"--openapi", NULL, ARGS_FLAG, AT(openapi),
		"print the description of the REST API instead"},
	{"--sample", NULL, ARGS_FLAG, AT(sample),
		"print a configuration with all entries instead"},
	{0}};

static const struct args_option globals[] = {
	{"--json", NULL, ARGS_FLAG, AT(json), "results and errors as JSON"},
	{"--log-format", "FORMAT", ARGS_TEXT, AT(log_format), "text or json"}, {0}};

static volatile sig_atomic_t terminations, reloads;

static void on_signal(int number)
{
	if (number == SIGHUP)
		reloads++;
	else
		terminations++;
}

/* Nothing of this process is for other users or for core files: it holds keys and personal data. */
static void harden(void)
{
	struct rlimit limit;

	umask(077);
#ifndef __SANITIZE_ADDRESS__ /* its leak check has to look into the process */
	prctl(PR_SET_DUMPABLE, 0);
#endif
	setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
	if (!getrlimit(RLIMIT_NOFILE, &limit)) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

/* Blocked except while main waits in ppoll, so that no signal falls between check and wait. */
static void take_signals(sigset_t *ret_waiting)
{
	static const int numbers[] = {SIGTERM, SIGINT, SIGHUP};
	struct sigaction action = {.sa_handler = on_signal};
	sigset_t blocked;

	sigemptyset(&blocked);
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		sigaction(numbers[i], &action, NULL);
		sigaddset(&blocked, numbers[i]);
	}
	signal(SIGPIPE, SIG_IGN);
	sigprocmask(SIG_BLOCK, &blocked, ret_waiting);
}

static int second_termination(void)
{
	sigset_t pending;
	/* Still blocked: a further one waits in the kernel. */
	return !sigpending(&pending) &&
	       (sigismember(&pending, SIGTERM) || sigismember(&pending, SIGINT));
}

static int say_ready(struct gateway *gateway, long fd)
{
	char line[GATEWAY_READY + 1];

	gateway_ready_line(gateway, line);
	notify_send("READY=1");
	size_t len = strlen(line);
	line[len++] = '\n';
	if (fd < 0)
		return 0;
	if (write((int)fd, line, len) != (ssize_t)len)
		return program_fail(-REASON_USAGE, "--ready-fd %ld: %s", fd,
			strerror(errno));
	close((int)fd);
	return 0;
}

static void serve(struct gateway *gateway, const sigset_t *waiting)
{
	const struct timespec second = {1, 0};
	int done = 0;

	while (!terminations) {
		ppoll(NULL, 0, &second, waiting);
		while (done < reloads) {
			done++;
			gateway_reload(gateway);
		}
		gateway_tick(gateway);
	}
	notify_send("STOPPING=1");
	gateway_drain(gateway, second_termination);
}

static int run(void *arg, int count UNUSED, char **words UNUSED)
{
	struct options *options = arg;
	struct gateway_plan plan = {options->data, options->config, options->listen,
		options->admin_listen, options->store, options->log_format};
	char error[GATEWAY_ERROR] = "";
	struct gateway *gateway = NULL;
	sigset_t waiting;

	if (!options->data)
		return program_fail(-REASON_USAGE, "--data DIR is missing.");
	harden();
	take_signals(&waiting);
	directories_init();
	int status = gateway_new(&plan, &gateway, error);
	if (!status)
		status = gateway_start(gateway, error);
	if (status)
		program_fail(status, "%s", error);
	else
		status = say_ready(gateway, options->ready_fd);
	if (!status)
		serve(gateway, &waiting);
	gateway_free(gateway);
	return status;
}

static int init(void *arg, int count UNUSED, char **words UNUSED)
{
	struct options *options = arg;
	struct init_plan plan = {
		options->data, options->from, options->names.items, options->names.count};
	char error[INIT_ERROR] = "";
	struct init_result result;

	if (!options->data)
		return program_fail(-REASON_USAGE, "--data DIR is missing.");
	harden();
	int status = init_run(&plan, &result, error);
	if (status)
		return program_fail(status, "%s", error);
	init_print(&result, options->json ? INIT_JSON : INIT_TEXT, stdout);
	init_done(&result);
	return 0;
}

static int renew(void *arg, int count UNUSED, char **words UNUSED)
{
	struct options *options = arg;
	struct init_plan plan = {
		options->data, NULL, options->names.items, options->names.count};
	char error[INIT_ERROR] = "";

	if (!options->data)
		return program_fail(-REASON_USAGE, "--data DIR is missing.");
	harden();
	int status = init_renew(&plan, error);
	return status ? program_fail(status, "%s", error) : 0;
}

static int check(void *arg, int count UNUSED, char **words UNUSED)
{
	struct options *options = arg;
	struct gateway_config config;
	struct conf_error error;

	if (options->sample) {
		conf_sample(gateway_config_table(), stdout);
		return 0;
	}
	if (options->openapi) {
		openapi_write(stdout);
		return 0;
	}
	if (!options->config)
		return program_fail(-REASON_USAGE,
			"--config FILE or --sample is missing.");
	int status = gateway_config_load(&config, options->config, &error);
	if (status) {
		char text[CONF_ERROR_TEXT];
		conf_error_text(&error, text);
		return program_fail(status, "%s", text);
	}
	char wrong[STORE_ERROR] = "";
	status = *config.store ? store_open_check(config.store, wrong) : 0;
	gateway_config_done(&config);
	if (status)
		return program_fail(status, "%s: store.address: %s", options->config,
			wrong);
	puts(options->json ? "{\"ok\":true}" : "The configuration is in order.");
	return 0;
}

static int restore(void *arg, int count UNUSED, char **words UNUSED)
{
	struct options *options = arg;
	struct restore_verb_plan plan = {
		options->data, options->from, options->key, options->store};
	char error[RESTORE_VERB_ERROR] = "";
	struct backup_counts counts;

	if (!options->data || !options->from || !options->key)
		return program_fail(-REASON_USAGE,
			"--data DIR, --from FILE and --key FILE are needed.");
	harden();
	int status = restore_verb_run(&plan, &counts, error);
	if (status)
		return program_fail(status, "%s", error);
	restore_verb_print(&counts, options->json, stdout);
	return 0;
}

static const char keep_en[] =
	"Keep the evidence: copy the store and the data directory as they are (of every "
	"node) before anything else, "
	"restore nothing over them, and tell whoever is responsible for security.";
static const char keep_ja[] =
	"証拠を保全してください。まず現状のストアと（各ノードの）"
	"データディレクトリーをコピーし、"
	"上書きの復元はせず、セキュリティ責任者に知らせてください。";

static int tell_audit(const struct options *options, const json_t *verdict)
{
	const char *fault = json_string_value(json_object_get(verdict, "fault"));

	/* Not the hint of a damaged file: restoring would destroy what has to be looked at. */
	if (fault)
		return program_fail_hint(-REASON_STATE_DAMAGED,
			reason_lang_env() == REASON_JA ? keep_ja : keep_en,
			"Row %lld of the journal: %s.",
			(long long)json_integer_value(json_object_get(verdict,
				"first_bad")),
			fault);
	if (!options->json) {
		printf("%lld rows and %lld signed checkpoints are in order.\n",
			(long long)json_integer_value(json_object_get(verdict,
				"checked")),
			(long long)json_integer_value(json_object_get(verdict,
				"checkpoints_met")));
		return 0;
	}
	json_dumpf(verdict, stdout, JSON_INDENT(2));
	putchar('\n');
	return 0;
}

static int audit(void *arg, int count UNUSED, char **words UNUSED)
{
	struct options *options = arg;
	const struct offline_audit_plan plan = {
		options->data, options->store, options->checkpoints};
	char error[OFFLINE_AUDIT_ERROR] = "";
	json_t *verdict = NULL;

	if (!options->data)
		return program_fail(-REASON_USAGE, "--data DIR is missing.");
	/* Those of the directory may be missing; what is asked for by name has to be looked at. */
	if (options->checkpoints && access(options->checkpoints, R_OK))
		return program_fail(-REASON_FILE_UNREADABLE, "%s: %s",
			options->checkpoints, strerror(errno));
	harden();
	int status = offline_audit_run(&plan, &verdict, error);
	if (status)
		return program_fail(status, "%s", error);
	status = tell_audit(options, verdict);
	json_decref(verdict);
	return status;
}

static int rekey(void *arg, int count UNUSED, char **words UNUSED)
{
	struct options *options = arg;
	char error[REKEY_VERB_ERROR] = "";
	struct rekey_counts counts;

	if (!options->data)
		return program_fail(-REASON_USAGE, "--data DIR is missing.");
	harden();
	int status = rekey_verb_run(options->data, options->store, &counts, error);
	if (status)
		return program_fail(status, "%s", error);
	printf(options->json ? "{\"keys\":%llu,\"checkpoints\":%llu}\n"
			     : "The master key is new: %llu data keys, %llu checkpoints. "
			       "Copy master.key to the other nodes before they start.\n",
		(unsigned long long)counts.keys, (unsigned long long)counts.checkpoints);
	return 0;
}

static const struct program_verb verbs[] = {
	{"init", "", "Set a node up: CA, certificate, keys, first operator", init_options,
		0, init},
	{"run", "", "Serve hosts, viewers and administration", run_options, 0, run},
	{"check", "", "Check a configuration file", check_options, 0, check},
	{"audit", "", "Verify the journal of a data directory, without a gateway",
		audit_options, 0, audit},
	{"renew", "", "Make a new certificate of the cluster's CA for this node",
		renew_options, 0, renew},
	{"rekey", "", "Give the cluster a new master key, while none of its nodes runs",
		rekey_options, 0, rekey},
	{"restore", "", "Bring a backup into an empty directory or an empty store",
		restore_options, 0, restore},
	{0}};

int main(int argc, char **argv)
{
	static struct options options = {.ready_fd = -1};
	static const struct program program = {.name = "engawa-gateway",
		.summary = "The relay between office PCs and viewers, and its "
			   "administration.",
		.verbs = verbs,
		.globals = globals,
		.options = &options,
		.json = &options.json,
		.log_format = &options.log_format};

	return program_main(&program, argc, argv);
}
