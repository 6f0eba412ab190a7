/* What waits on the disk is there after a restart, and nobody who has the disk alone reads a name in it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alert/alarm_spool.h"
#include "base/reason.h"
#include "store/sealed/sealed_store.h"
#include "store/store_open.h"

#define NAME "hanako@acme.example"
#define ROUTE "rte_0123456789abcdef"
#define FILE_NAME "alm_1-" ROUTE ".json"

struct rig {
	struct store *store;
	char dir[64];
	struct alarm_spool *spool;
};

static void open_spool(struct rig *rig)
{
	assert_int_equal(alarm_spool_open(rig->dir, sealed_store_keys(rig->store),
				 &rig->spool),
		0);
}

static int setup(void **state)
{
	static const uint8_t master[SEALED_KEYS_MASTER] = {1};
	struct rig *rig = calloc(1, sizeof(*rig));
	char error[STORE_ERROR];
	struct store *below;
	assert_int_equal(store_open("memory:", "node", &below, error), 0);
	assert_int_equal(sealed_store_open(below, master, &rig->store, error), 0);
	strcpy(rig->dir, "/tmp/engawa-spool-XXXXXX");
	assert_non_null(mkdtemp(rig->dir));
	open_spool(rig);
	*state = rig;
	return 0;
}

static void clean(const char *dir)
{
	DIR *open = opendir(dir);
	struct dirent *one;
	char path[400];
	while ((one = readdir(open))) {
		snprintf(path, sizeof(path), "%s/%s", dir, one->d_name);
		unlink(path);
	}
	closedir(open);
	rmdir(dir);
}

static int teardown(void **state)
{
	struct rig *rig = *state;
	alarm_spool_free(rig->spool);
	store_close(rig->store);
	clean(rig->dir);
	free(rig);
	return 0;
}

static struct alarm an_alarm(void)
{
	struct alarm alarm = {
		.id = "alm_1", .alert = "alr_acme.login_failed", .name = "x"};
	strcpy(alarm.tenant, "acme");
	strcpy(alarm.subject, NAME);
	alarm.when = ALERT_LOGIN_FAILED;
	alarm.threshold = alarm.value = 1;
	alarm.at_ms = alarm.made_ms = alarm.last_ms = 1000;
	return alarm;
}

static void put(struct rig *rig)
{
	struct alarm alarm = an_alarm();
	assert_int_equal(alarm_spool_put(rig->spool, &alarm, ROUTE, 2000), 0);
}

static size_t read_letter(struct rig *rig, char *ret, size_t size)
{
	char path[200];
	snprintf(path, sizeof(path), "%s/" FILE_NAME, rig->dir);
	FILE *file = fopen(path, "r");
	if (!file)
		return 0;
	size_t len = fread(ret, 1, size - 1, file);
	ret[len] = '\0';
	fclose(file);
	return len;
}

static void write_letter(struct rig *rig, const char *text)
{
	char path[200];
	snprintf(path, sizeof(path), "%s/" FILE_NAME, rig->dir);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void restart(struct rig *rig)
{
	rig->spool = alarm_spool_free(rig->spool);
	open_spool(rig);
}

static struct alarm_spool_entry *take(struct rig *rig)
{
	int64_t wait_ms;
	struct alarm_spool_entry *entry =
		alarm_spool_take(rig->spool, INT64_C(1) << 50, &wait_ms);
	assert_non_null(entry);
	assert_string_equal(entry->alarm.subject, NAME);
	assert_string_equal(entry->route, ROUTE);
	assert_string_equal(entry->id, "alm_1-" ROUTE);
	return entry;
}

static void test_sealed_and_back(void **state)
{
	struct rig *rig = *state;
	char text[8192];
	put(rig);
	put(rig);
	assert_int_equal(alarm_spool_count(rig->spool), 1);
	assert_true(read_letter(rig, text, sizeof(text)) > 0);
	assert_null(strstr(text, "hanako"));
	assert_null(strstr(text, "login_failed"));
	restart(rig);
	struct alarm_spool_entry *entry = take(rig);
	entry->tries = 3;
	entry->next_ms = 5000;
	alarm_spool_again(rig->spool, entry);
	assert_true(read_letter(rig, text, sizeof(text)) > 0);
	assert_null(strstr(text, "hanako"));
	restart(rig);
	entry = take(rig);
	assert_int_equal(entry->tries, 3);
	assert_int_equal(entry->next_ms, 5000);
	assert_int_equal(entry->made_ms, 2000);
	alarm_spool_done(rig->spool, entry);
	assert_int_equal(read_letter(rig, text, sizeof(text)), 0);
}

/* A letter that an older program left there in the clear is delivered, and sealed until then. */
static void test_from_before(void **state)
{
	struct rig *rig = *state;
	struct alarm alarm = an_alarm();
	char *body, text[8192];
	assert_int_equal(alarm_write(&alarm, &body), 0);
	snprintf(text, sizeof(text),
		"{\"alarm\":%s,\"route\":\"" ROUTE
		"\",\"tries\":1,\"next_ms\":1,\"made_ms\":1}",
		body);
	free(body);
	write_letter(rig, text);
	restart(rig);
	assert_true(read_letter(rig, text, sizeof(text)) > 0);
	assert_null(strstr(text, "hanako"));
	assert_int_equal(take(rig)->tries, 1);
}

static void test_changed(void **state)
{
	struct rig *rig = *state;
	char text[8192];
	put(rig);
	assert_true(read_letter(rig, text, sizeof(text)) > 0);
	char *box = strstr(text, "box");
	assert_non_null(box);
	box[40] = box[40] == 'A' ? 'B' : 'A';
	write_letter(rig, text);
	restart(rig);
	assert_int_equal(alarm_spool_count(rig->spool), 0);
	assert_true(read_letter(rig, text, sizeof(text)) > 0);
}

/* With its company's key the letter is gone. */
static void test_erased(void **state)
{
	struct rig *rig = *state;
	char text[8192];
	size_t count;
	put(rig);
	assert_int_equal(sealed_keys_destroy(sealed_store_keys(rig->store), "acme",
				 &count),
		0);
	restart(rig);
	assert_int_equal(alarm_spool_count(rig->spool), 0);
	assert_int_equal(read_letter(rig, text, sizeof(text)), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_sealed_and_back, setup, teardown),
		cmocka_unit_test_setup_teardown(test_from_before, setup, teardown),
		cmocka_unit_test_setup_teardown(test_changed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_erased, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
