/* test_cert: a throw-away certificate for 127.0.0.1 in a directory of its own. */
#ifndef FAKES_TEST_CERT_H
#define FAKES_TEST_CERT_H

struct test_cert {
	char directory[64], cert[96], key[96];
};

/* Valid for `days` (may be negative: expired). Aborts when the machine does not let it. */
void test_cert_new(struct test_cert *ret, int days);
/* Another key and certificate in the same files. */
void test_cert_renew(const struct test_cert *cert, int days);
void test_cert_done(struct test_cert *cert);

#endif
