/* S10: three tries, one use, an end; also when several processes come at once. */
#include <signal.h>
#include <sys/wait.h>

#include "base/reason.h"
#include "cmocka_all.h"
#include "e2e/private_file.h"
#include "e2e/ticket_book.h"
#include "scratch.h"

#define NOW INT64_C(1800000000000)

static const uint8_t license[LICENSE_ID_SIZE] = {1, 2, 3};

static struct ticket issue(void **state, int64_t life_ms)
{
	struct ticket ticket;
	assert_int_equal(ticket_book_issue(*state, license, life_ms, NOW, &ticket), 0);
	return ticket;
}

static const char *path_of(void **state, uint32_t id)
{
	char name[64];
	snprintf(name, sizeof(name), "tickets/%05x.json", (unsigned)id);
	return scratch_path(state, name);
}

static enum ticket_book_state state_of(void **state, uint32_t id, int64_t now_ms)
{
	struct ticket_book_entry entry;
	assert_int_equal(ticket_book_look(*state, id, now_ms, &entry), 0);
	assert_int_equal(entry.id, id);
	return entry.state;
}

static void is_wiped(void **state, uint32_t id)
{
	char text[1024];
	scratch_read(path_of(state, id), text, sizeof(text));
	assert_null(strstr(text, "psk"));
	assert_int_equal(scratch_mode(path_of(state, id)), 0600);
}

static void one_pairing(void **state)
{
	uint8_t psk[32], stretched[32];
	char text[1024];
	struct ticket ticket = issue(state, 0);
	assert_int_equal(scratch_mode(path_of(state, ticket.id)), 0600);
	assert_int_equal(scratch_mode(scratch_path(state, "tickets")), 0700);
	assert_int_equal(ticket_stretch(&ticket, license, stretched), 0);
	assert_int_equal(ticket_book_try(*state, ticket.id, NOW, psk), 0);
	assert_memory_equal(psk, stretched, 32);
	/* The secret itself is nowhere: what is stored cannot be printed again. */
	scratch_read(path_of(state, ticket.id), text, sizeof(text));
	assert_null(strstr(text, "secret"));
	assert_int_equal(ticket_book_use(*state, ticket.id, NOW), 0);
	assert_int_equal(ticket_book_use(*state, ticket.id, NOW), -REASON_TICKET_USED);
	assert_int_equal(ticket_book_try(*state, ticket.id, NOW, psk),
		-REASON_TICKET_USED);
	assert_int_equal(ticket_book_fail(*state, ticket.id, NOW), -REASON_TICKET_USED);
	assert_int_equal(state_of(state, ticket.id, NOW), TICKET_BOOK_USED);
	is_wiped(state, ticket.id);
}

static void three_wrong_tries_burn_it(void **state)
{
	uint8_t psk[32];
	struct ticket ticket = issue(state, 0);
	for (int i = 0; i < TICKET_BOOK_TRIES; i++) {
		assert_int_equal(state_of(state, ticket.id, NOW), TICKET_BOOK_OPEN);
		assert_int_equal(ticket_book_try(*state, ticket.id, NOW, psk), 0);
		assert_int_equal(ticket_book_fail(*state, ticket.id, NOW), 0);
	}
	assert_int_equal(state_of(state, ticket.id, NOW), TICKET_BOOK_BURNED);
	is_wiped(state, ticket.id);
	assert_int_equal(ticket_book_try(*state, ticket.id, NOW, psk),
		-REASON_TICKET_USED);
	assert_int_equal(ticket_book_use(*state, ticket.id, NOW), -REASON_TICKET_USED);
}

static void the_third_try_may_be_right(void **state)
{
	uint8_t psk[32];
	struct ticket ticket = issue(state, 0);
	for (int i = 0; i < TICKET_BOOK_TRIES; i++)
		assert_int_equal(ticket_book_try(*state, ticket.id, NOW, psk), 0);
	assert_int_equal(ticket_book_use(*state, ticket.id, NOW), 0);
}

/* Handshakes that were cut, or a crash, never said "fail": a fourth try burns all the same. */
static void a_fourth_try_is_never_given(void **state)
{
	uint8_t psk[32];
	struct ticket ticket = issue(state, 0);
	for (int i = 0; i < TICKET_BOOK_TRIES; i++)
		assert_int_equal(ticket_book_try(*state, ticket.id, NOW, psk), 0);
	assert_int_equal(ticket_book_try(*state, ticket.id, NOW, psk),
		-REASON_TICKET_USED);
	assert_int_equal(state_of(state, ticket.id, NOW), TICKET_BOOK_BURNED);
	is_wiped(state, ticket.id);
}

static void it_expires(void **state)
{
	uint8_t psk[32];
	struct ticket ticket = issue(state, 0), longest = issue(state, INT64_MAX);
	struct ticket_book_entry entry;
	int64_t end = NOW + TICKET_BOOK_LIFE_MS;
	assert_int_equal(state_of(state, ticket.id, end - 1), TICKET_BOOK_OPEN);
	assert_int_equal(state_of(state, ticket.id, end), TICKET_BOOK_EXPIRED);
	assert_int_equal(ticket_book_try(*state, ticket.id, end, psk),
		-REASON_TICKET_EXPIRED);
	is_wiped(state, ticket.id);
	/* Also when the clock is set back afterwards. */
	assert_int_equal(ticket_book_try(*state, ticket.id, NOW, psk),
		-REASON_TICKET_EXPIRED);
	assert_int_equal(ticket_book_use(*state, ticket.id, NOW), -REASON_TICKET_EXPIRED);
	assert_int_equal(ticket_book_look(*state, longest.id, NOW, &entry), 0);
	assert_int_equal(entry.expires_ms, NOW + TICKET_BOOK_LIFE_MAX_MS);
	assert_int_equal(entry.created_ms, NOW);
}

static void unknown_tickets_are_wrong(void **state)
{
	uint8_t psk[32];
	struct ticket_book_entry entry;
	assert_int_equal(ticket_book_try(*state, 5, NOW, psk), -REASON_TICKET_WRONG);
	struct ticket ticket = issue(state, 0);
	uint32_t other = ticket.id == 5 ? 6 : 5;
	assert_int_equal(ticket_book_try(*state, other, NOW, psk), -REASON_TICKET_WRONG);
	assert_int_equal(ticket_book_use(*state, other, NOW), -REASON_TICKET_WRONG);
	assert_int_equal(ticket_book_look(*state, other, NOW, &entry),
		-REASON_TICKET_WRONG);
	assert_int_equal(ticket_book_try(*state, 0, NOW, psk), -REASON_TICKET_WRONG);
	assert_int_equal(ticket_book_try(*state, TICKET_ID_MAX + 1, NOW, psk),
		-REASON_TICKET_WRONG);
}

static void broken_files_open_nothing(void **state)
{
	uint8_t psk[32];
	char text[1024];
	struct ticket ticket = issue(state, 0);
	const char *path = path_of(state, ticket.id);
	assert_int_equal(chmod(path, 0644), 0);
	assert_int_equal(ticket_book_try(*state, ticket.id, NOW, psk),
		-REASON_FILE_EXPOSED);
	assert_int_equal(chmod(path, 0600), 0);
	size_t len = scratch_read(path, text, sizeof(text));
	for (size_t cut = 0; cut < len - 1; cut++) {
		scratch_write(path, text, cut);
		assert_int_equal(ticket_book_try(*state, ticket.id, NOW, psk),
			-REASON_STATE_DAMAGED);
	}
	/* Under the name of another ticket. */
	char other[64];
	uint32_t id = ticket.id ^ 1 ? ticket.id ^ 1 : 2;
	snprintf(other, sizeof(other), "tickets/%05x.json", (unsigned)id);
	scratch_write(scratch_path(state, other), text, len);
	assert_int_equal(ticket_book_try(*state, id, NOW, psk), -REASON_STATE_DAMAGED);
}

/* Stretching is slow, so the others are copies under names of their own. */
static void copy_as(void **state, uint32_t from, uint32_t to)
{
	json_t *page;
	assert_int_equal(private_file_read(path_of(state, from), &page), 0);
	json_object_set_new(page, "ticket_id", json_integer(to));
	assert_int_equal(private_file_write(path_of(state, to), page), 0);
	json_decref(page);
}

static void open_ones_are_bounded(void **state)
{
	struct ticket ticket, first = issue(state, 0);
	for (uint32_t i = 1; i < TICKET_BOOK_OPEN_MAX; i++)
		copy_as(state, first.id, first.id ^ i ? first.id ^ i : TICKET_ID_MAX);
	assert_int_equal(ticket_book_issue(*state, license, 0, NOW, &ticket),
		-REASON_LIMIT);
	assert_int_equal(ticket_book_use(*state, first.id, NOW), 0);
	issue(state, 0);
	/* Long afterwards all of them are forgotten. */
	int64_t later = NOW + TICKET_BOOK_LIFE_MS + TICKET_BOOK_KEEP_MS + 1;
	assert_int_equal(ticket_book_issue(*state, license, 0, later, &ticket), 0);
	assert_int_equal(scratch_count(scratch_path(state, "tickets"), NULL), 1);
}

/* `children` processes do the same at the same time; how many of them succeeded. */
static int race(void **state, uint32_t id, int children,
	int (*act)(const char *dir, uint32_t id))
{
	int gate[2], won = 0;
	char go = 0;
	assert_int_equal(pipe(gate), 0);
	fflush(NULL);
	for (int i = 0; i < children; i++) {
		if (fork() == 0) {
			close(gate[1]);
			_exit(read(gate[0], &go, 1) == 0 && act(*state, id) == 0 ? 0 : 1);
		}
	}
	close(gate[0]);
	close(gate[1]);
	for (int i = 0; i < children; i++) {
		int status;
		assert_true(wait(&status) > 0);
		won += WIFEXITED(status) && WEXITSTATUS(status) == 0;
	}
	return won;
}

static int act_use(const char *dir, uint32_t id)
{
	return ticket_book_use(dir, id, NOW);
}

static int act_try(const char *dir, uint32_t id)
{
	uint8_t psk[32];
	return ticket_book_try(dir, id, NOW, psk);
}

static void two_pairings_race_and_one_wins(void **state)
{
	struct ticket ticket = issue(state, 0);
	for (uint32_t round = 1; round <= 20; round++) {
		uint32_t id = ticket.id ^ round ? ticket.id ^ round : TICKET_ID_MAX;
		copy_as(state, ticket.id, id);
		assert_int_equal(race(state, id, 4, act_use), 1);
	}
}

static void guesses_in_parallel_are_counted(void **state)
{
	struct ticket ticket = issue(state, 0);
	assert_int_equal(race(state, ticket.id, 8, act_try), TICKET_BOOK_TRIES);
	assert_int_equal(state_of(state, ticket.id, NOW), TICKET_BOOK_BURNED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCRATCH_TEST(one_pairing),
		SCRATCH_TEST(three_wrong_tries_burn_it),
		SCRATCH_TEST(the_third_try_may_be_right),
		SCRATCH_TEST(a_fourth_try_is_never_given),
		SCRATCH_TEST(it_expires),
		SCRATCH_TEST(unknown_tickets_are_wrong),
		SCRATCH_TEST(broken_files_open_nothing),
		SCRATCH_TEST(open_ones_are_bounded),
		SCRATCH_TEST(two_pairings_race_and_one_wins),
		SCRATCH_TEST(guesses_in_parallel_are_counted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
