#include <openssl/ssl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/reason.h"
#include "fakes/test_cert.h"
#include "net/tls_ctx.h"

static struct test_cert cert;
static char error[TLS_CTX_ERROR];

static int set_up(void **state)
{
	(void)state;
	test_cert_new(&cert, 10);
	error[0] = 0;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	test_cert_done(&cert);
	return 0;
}

static void only_tls13_without_tickets(void **state)
{
	struct tls_ctx *tls;
	(void)state;
	assert_int_equal(tls_ctx_new(cert.cert, cert.key, TLS_OFFER_BOTH, &tls, error),
		0);
	SSL_CTX *ctx = tls_ctx_get(tls);
	assert_int_equal(SSL_CTX_get_min_proto_version(ctx), TLS1_3_VERSION);
	assert_int_equal(SSL_CTX_get_max_proto_version(ctx), TLS1_3_VERSION);
	assert_int_equal(SSL_CTX_get_num_tickets(ctx), 0);
	assert_int_equal(SSL_CTX_get_max_early_data(ctx), 0);
	assert_true(SSL_CTX_get_options(ctx) & SSL_OP_NO_TICKET);
	SSL_CTX_free(ctx);
	int64_t left_ms = tls_ctx_expires_ms(tls) - clock_wall_ms();
	assert_in_range(left_ms, 9LL * 86400000, 10LL * 86400000);
	tls_ctx_free(tls);
}

static void a_key_that_others_can_read_is_refused(void **state)
{
	struct tls_ctx *tls = NULL;
	(void)state;
	static const mode_t modes[] = {0640, 0604, 0660};
	for (size_t i = 0; i < 3; i++) {
		chmod(cert.key, modes[i]);
		assert_int_equal(tls_ctx_new(cert.cert, cert.key, TLS_OFFER_BOTH, &tls,
					 error),
			-REASON_FILE_EXPOSED);
		assert_non_null(strstr(error, cert.key));
		assert_null(tls);
	}
}

static void files_that_are_wrong_are_named(void **state)
{
	struct tls_ctx *tls = NULL;
	struct test_cert other;
	(void)state;
	assert_int_equal(tls_ctx_new("/nowhere.pem", cert.key, TLS_OFFER_BOTH, &tls,
				 error),
		-REASON_FILE_UNREADABLE);
	assert_non_null(strstr(error, "/nowhere.pem"));
	assert_int_equal(tls_ctx_new(cert.cert, "/nowhere.pem", TLS_OFFER_BOTH, &tls,
				 error),
		-REASON_FILE_UNREADABLE);
	assert_int_equal(tls_ctx_new(cert.key, cert.key, TLS_OFFER_BOTH, &tls, error),
		-REASON_CONFIG);
	test_cert_new(&other, 10);
	assert_int_equal(tls_ctx_new(cert.cert, other.key, TLS_OFFER_BOTH, &tls, error),
		-REASON_CONFIG);
	assert_non_null(strstr(error, other.key));
	test_cert_done(&other);
	test_cert_renew(&cert, -1);
	assert_int_equal(tls_ctx_new(cert.cert, cert.key, TLS_OFFER_BOTH, &tls, error),
		-REASON_CONFIG);
	assert_non_null(strstr(error, "expired"));
	assert_null(tls);
}

static void a_reload_swaps_or_changes_nothing(void **state)
{
	struct tls_ctx *tls;
	(void)state;
	assert_int_equal(tls_ctx_new(cert.cert, cert.key, TLS_OFFER_BOTH, &tls, error),
		0);
	SSL_CTX *first = tls_ctx_get(tls);
	chmod(cert.key, 0644);
	assert_int_equal(tls_ctx_reload(tls, error), -REASON_FILE_EXPOSED);
	SSL_CTX *second = tls_ctx_get(tls);
	assert_ptr_equal(first, second);
	test_cert_renew(&cert, 20);
	assert_int_equal(tls_ctx_reload(tls, error), 0);
	SSL_CTX *third = tls_ctx_get(tls);
	assert_ptr_not_equal(first, third);
	SSL_CTX_free(first);
	SSL_CTX_free(second);
	SSL_CTX_free(third);
	tls_ctx_free(tls);
}

#define RELOADS 40

struct dialer {
	struct tls_ctx *tls;
	atomic_int *ended;
};

static void *begin_connections(void *ctx)
{
	struct dialer *dialer = ctx;
	while (!atomic_load(dialer->ended)) {
		SSL_CTX *tls = tls_ctx_get(dialer->tls);
		SSL *ssl = SSL_new(tls);
		SSL_CTX_free(tls);
		SSL_free(ssl);
	}
	return NULL;
}

/* The last connection that began with it frees the former one, in whatever thread that is. */
static void connections_begin_while_it_is_reloaded(void **state)
{
	struct tls_ctx *tls;
	atomic_int ended = 0;
	pthread_t threads[2];
	(void)state;
	assert_int_equal(tls_ctx_new(cert.cert, cert.key, TLS_OFFER_BOTH, &tls, error),
		0);
	struct dialer dialer = {tls, &ended};
	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, begin_connections,
					 &dialer),
			0);
	for (int i = 0; i < RELOADS; i++)
		assert_int_equal(tls_ctx_reload(tls, error), 0);
	atomic_store(&ended, 1);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	tls_ctx_free(tls);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(only_tls13_without_tickets),
		TEST(a_key_that_others_can_read_is_refused),
		TEST(files_that_are_wrong_are_named),
		TEST(a_reload_swaps_or_changes_nothing),
		TEST(connections_begin_while_it_is_reloaded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
