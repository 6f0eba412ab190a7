#include "directory/directories.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/reason.h"
#include "base/secret.h"
#include "base/text.h"
#include "directory/cutter.h"
#include "store/store_open.h"
#include "store/store_wait.h"

#define THREADS 8
#define WAITING 512
/* The office has few threads, and others need them too. */
#define OFFICE_SEATS 2
#define OFFICE_WAIT_S 1
#define KEPT 128

struct entry {
	char directory[DIRECTORY_ID_SIZE];
	int64_t changed_ms, used_ms;
	struct breaker breaker;
};

struct directories {
	struct store *store;
	struct directories_settings settings;
	struct directory_pool *pool;
	struct cutter *cutter;
	struct oidc_flow flow;
	sem_t seats;
	pthread_mutex_t mutex;
	struct entry entries[KEPT];
};

void directories_init(void)
{
	ldap_bind_init();
	fetch_init();
}

/* manners */

/* Under the mutex. */
static struct breaker *breaker_of(struct directories *directories,
	const struct directory *directory)
{
	struct entry *oldest = &directories->entries[0], *entry = NULL;
	for (size_t i = 0; i < KEPT && !entry; i++) {
		struct entry *one = &directories->entries[i];
		if (!strcmp(one->directory, directory->id))
			entry = one;
		else if (one->used_ms < oldest->used_ms)
			oldest = one;
	}
	if (!entry)
		entry = oldest;
	if (strcmp(entry->directory, directory->id) ||
		entry->changed_ms != directory->changed_ms) {
		*entry = (struct entry){.changed_ms = directory->changed_ms};
		memcpy(entry->directory, directory->id, sizeof(entry->directory));
	}
	entry->used_ms = clock_mono_ms();
	return &entry->breaker;
}

static int may_ask(struct directories *directories, const struct directory *directory,
	char detail[static FETCH_DETAIL])
{
	pthread_mutex_lock(&directories->mutex);
	int asks = breaker_asks(breaker_of(directories, directory),
		&directories->settings.breaker, clock_mono_ms());
	pthread_mutex_unlock(&directories->mutex);
	if (asks)
		return 0;
	snprintf(detail, FETCH_DETAIL, "it has not answered lately and is left alone");
	return -REASON_DIRECTORY_UNREACHABLE;
}

static int report(struct directories *directories, const struct directory *directory,
	int status, const char *detail)
{
	int silent = status == -REASON_DIRECTORY_UNREACHABLE;
	pthread_mutex_lock(&directories->mutex);
	breaker_tell(breaker_of(directories, directory), &directories->settings.breaker,
		silent ? BREAKER_SILENT : BREAKER_ANSWERED, clock_mono_ms());
	pthread_mutex_unlock(&directories->mutex);
	if (silent || status == -REASON_DIRECTORY_REFUSED)
		log_line(LOG_WARN,
			silent ? "directory does not answer" : "directory refused",
			LOG_S("directory", directory->id), LOG_S("detail", detail));
	return status;
}

static int sit_down(struct directories *directories)
{
	struct timespec until;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += OFFICE_WAIT_S;
	while (sem_timedwait(&directories->seats, &until))
		if (errno != EINTR)
			return -REASON_BUSY;
	return 0;
}

/* documents */

int directories_load(struct directories *directories, const char *id,
	struct directory *ret)
{
	struct store_docs docs = {0};
	struct field_error error;
	if (!directory_id_good(id))
		return -REASON_NOT_FOUND;
	int r = store_wait_get(directories->store->state, STATE_DIRECTORY, id, &docs);
	if (r)
		return r;
	r = directory_read(docs.docs[0].body, ret, &error);
	store_docs_free(&docs);
	return r ? -REASON_STATE_DAMAGED : 0;
}

/* passwords */

static int ask(struct directories *directories, const struct directory *directory,
	const struct directories_password *asked, char detail[static FETCH_DETAIL])
{
	_Static_assert(FETCH_DETAIL == LDAP_BIND_DETAIL, "one size of detail");
	int r = may_ask(directories, directory, detail);
	if (r)
		return r;
	r = ldap_bind_check(directory, directories->cutter, &directories->settings.limits,
		asked->user, asked->password, detail);
	return report(directories, directory, r, detail);
}

static int load_and_ask(struct directories *directories,
	const struct directories_password *asked, char detail[static FETCH_DETAIL])
{
	struct directory *directory = secret_alloc(sizeof(*directory));
	detail[0] = 0;
	if (!directory)
		return -REASON_NO_MEMORY;
	int r = directories_load(directories, asked->directory, directory);
	if (r == 0 && (directory->kind != DIRECTORY_LDAP ||
			      !directory_serves(directory, asked->tenant, asked->use)))
		r = -REASON_NOT_FOUND;
	if (r == -REASON_NOT_FOUND) {
		snprintf(detail, FETCH_DETAIL, "it is not there for this, or disabled");
		r = -REASON_DIRECTORY_REFUSED;
	}
	if (r == 0)
		r = ask(directories, directory, asked, detail);
	secret_free(directory, sizeof(*directory));
	return r;
}

int directories_put(struct directories *directories, struct directory_task *task)
{
	return directory_pool_put(directories->pool, task);
}

int directories_ask_password(struct directories *directories,
	const struct directories_password *asked)
{
	char detail[FETCH_DETAIL];
	return load_and_ask(directories, asked, detail);
}

int directories_password(struct directories *directories,
	const struct directories_password *asked, char detail[static FETCH_DETAIL])
{
	int r = sit_down(directories);
	if (r)
		return r;
	r = load_and_ask(directories, asked, detail);
	sem_post(&directories->seats);
	return r;
}

/* OpenID Connect */

int directories_begin(struct directories *directories, const struct directory *directory,
	const char *back, char **ret_url, char ret_cookie[static OIDC_VISIT_SIZE],
	char detail[static FETCH_DETAIL])
{
	int r = may_ask(directories, directory, detail);
	if (r == 0)
		r = sit_down(directories);
	if (r)
		return r;
	r = oidc_flow_begin(&directories->flow, directory, back, ret_url, ret_cookie,
		detail);
	sem_post(&directories->seats);
	return report(directories, directory, r, detail);
}

int directories_finish(struct directories *directories, const struct directory *directory,
	const struct oidc_flow_answer *answer, struct oidc_flow_person *ret,
	char detail[static FETCH_DETAIL])
{
	int r = may_ask(directories, directory, detail);
	if (r == 0)
		r = sit_down(directories);
	if (r)
		return r;
	r = oidc_flow_finish(&directories->flow, directory, answer, ret, detail);
	sem_post(&directories->seats);
	return report(directories, directory, r, detail);
}

int directories_vouch(struct directories *directories, const char *directory,
	const char *account, char ret_cookie[static OIDC_VISIT_SIZE])
{
	struct oidc_visit visit;
	int r = oidc_visit_new(directory, "", clock_wall_ms(), &visit);
	if (r == 0)
		r = text_copy(visit.account, sizeof(visit.account), account);
	return r ? r : oidc_visit_seal(directories->flow.key, &visit, ret_cookie);
}

int directories_vouched(struct directories *directories, const char *directory,
	const char *cookie, char ret_account[static 65])
{
	struct oidc_visit visit;
	int r = oidc_visit_open(directories->flow.key, cookie, clock_wall_ms(), &visit);
	if (r == 0 && (strcmp(visit.directory, directory) || !*visit.account))
		r = -REASON_DIRECTORY_REFUSED;
	return r ? r : text_copy(ret_account, 65, visit.account);
}

static int test_oidc(struct directories *directories, const struct directory *directory,
	char detail[static FETCH_DETAIL])
{
	struct oidc_provider provider;
	json_t *keys;
	int r = oidc_providers_find(directories->flow.providers, directory, &provider,
		detail);
	if (r == 0)
		r = oidc_providers_keys(directories->flow.providers, directory, &provider,
			OIDC_KEYS_FRESH, &keys, detail);
	if (r == 0)
		json_decref(keys);
	return r;
}

static int test_ldap(struct directories *directories, const struct directory *directory,
	const char *user, const char *password, char detail[static FETCH_DETAIL])
{
	const struct ldap_bind_limits *limits = &directories->settings.limits;
	return user ? ldap_bind_check(directory, directories->cutter, limits, user,
			      password, detail)
		    : ldap_bind_reach(directory, directories->cutter, limits, detail);
}

int directories_test(struct directories *directories, const struct directory *directory,
	const char *user, const char *password, char detail[static FETCH_DETAIL])
{
	int r = sit_down(directories);
	if (r)
		return r;
	detail[0] = 0;
	r = directory->kind == DIRECTORY_LDAP
		    ? test_ldap(directories, directory, user, password, detail)
		    : test_oidc(directories, directory, detail);
	sem_post(&directories->seats);
	return report(directories, directory, r, detail);
}

/* all of it */

int directories_new(struct store *store, const uint8_t master[static 32],
	const struct directories_settings *settings, struct directories **ret)
{
	struct directories *directories = calloc(1, sizeof(*directories));
	if (!directories)
		return -REASON_NO_MEMORY;
	directories->store = store;
	directories->settings = *settings;
	CHECK(sem_init(&directories->seats, 0, OFFICE_SEATS) == 0);
	CHECK(pthread_mutex_init(&directories->mutex, NULL) == 0);
	int r = oidc_visit_key(master, directories->flow.key);
	if (r == 0)
		r = oidc_providers_new(settings->limits.connect_ms,
			settings->limits.answer_ms, &directories->flow.providers);
	if (r == 0)
		r = cutter_new(&directories->cutter);
	if (r == 0)
		r = directory_pool_new(THREADS, WAITING, &directories->pool);
	if (r)
		directories_free(directories);
	else
		*ret = directories;
	return r;
}

struct directories *directories_free(struct directories *directories)
{
	if (!directories)
		return NULL;
	directories->pool = directory_pool_free(directories->pool);
	directories->cutter = cutter_free(directories->cutter);
	directories->flow.providers = oidc_providers_free(directories->flow.providers);
	secret_wipe(directories->flow.key, sizeof(directories->flow.key));
	pthread_mutex_destroy(&directories->mutex);
	sem_destroy(&directories->seats);
	free(directories);
	return NULL;
}
