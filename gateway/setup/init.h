/* init: sets a node up: the cluster's CA, this node's certificate, the master key, the store, the
 * first operator and the token for engawactl beside the gateway.
 *
 * Everything is made inside DIR/init.part and moved into place when it is whole, node.id last. An
 * interrupted init leaves a directory without node.id; the next one throws its parts away (nothing
 * of them has been told to anybody) and begins anew.
 * Thread: main. Errors come with one line in `error`: -REASON_CONFLICT (set up already, or not
 * empty; nothing is touched), -REASON_BAD_VALUE (a name), those of data_dir.h and store_open.h.
 */
#ifndef SETUP_INIT_H
#define SETUP_INIT_H

#include <stddef.h>
#include <stdio.h>

#include "base/check.h"
#include "setup/data_dir.h"

#define INIT_ERROR DATA_DIR_ERROR
#define INIT_ACCOUNT 64
#define INIT_PASSWORD 64

struct init_plan {
	const char *data;
	const char
		*from; /* directory of a node of the same cluster; NULL: a new cluster */
	const char *const *names;
	size_t name_count;
};

struct init_result {
	char data[DATA_DIR_PATH], node[DATA_DIR_NODE + 1];
	char account[INIT_ACCOUNT], password[INIT_PASSWORD]; /* "" with `from` */
};

MUST_CHECK int init_run(const struct init_plan *plan, struct init_result *ret,
	char error[static INIT_ERROR]);
/* A new key and certificate for a directory that is set up; names as given, else as before. */
MUST_CHECK int init_renew(const struct init_plan *plan, char error[static INIT_ERROR]);

enum init_form { INIT_TEXT, INIT_JSON };
void init_print(const struct init_result *result, enum init_form form, FILE *out);
/* Wipes the password. */
void init_done(struct init_result *result);

#endif
