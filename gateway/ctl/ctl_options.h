/* ctl_options: every option of every verb of engawactl, filled from the command line.
 *
 * Thread: main. Strings point into argv; NULL where an option was not given.
 */
#ifndef CTL_CTL_OPTIONS_H
#define CTL_CTL_OPTIONS_H

#include "base/args.h"

struct ctl_options {
	/* where and who */
	const char *data, *url, *token_file, *ca;
	int json;
	const char *log_format;
	/* what things are */
	const char *holder, *tenant, *group, *expires, *name, *role, *note, *ttl;
	const char *retention_days, *licenses_max, *sessions_max, *rate_max, *purge_days,
		*confirm;
	const char *full_name, *mail, *language;
	struct args_many labels, roles;
	/* how people sign in */
	const char *totp, *idle, *longest, *min_length, *min_classes, *history, *max_age,
		*refuse_common, *failures, *lock;
	struct args_many addresses;
	const char *directory, *directory_user;
	/* alerts, routes, notices, reports */
	const char *when, *threshold, *window, *quiet, *kind, *url_to, *secret_file,
		*server, *security, *user, *password_file, *sender, *target, *lang,
		*text_en, *text_ja, *show_from, *month, *format, *seen;
	struct args_many routes, recipients, places;
	int verify;
	/* which ones */
	const char *license, *state, *from, *to, *q, *by, *event, *step, *heads;
	int csv, jsonl, newest, online, offline, bom;
	long limit;
	/* how */
	int yes, key_only, take_good, dry_run;
	const char *out, *set_group, *set_note, *set_expires;
	struct args_many ids;
	const char *reason;
};

#endif
