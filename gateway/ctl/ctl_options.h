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
	const char *retention_days, *licenses_max, *sessions_max;
	struct args_many labels;
	/* which ones */
	const char *license, *state, *from, *to, *q;
	int csv, jsonl, newest, online, offline, bom;
	long limit;
	/* how */
	int yes, key_only;
	const char *reason;
};

#endif
