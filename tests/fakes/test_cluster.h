/* test_cluster: a throw-away CA and certificates signed by it, good ones and bad ones. */
#ifndef FAKES_TEST_CLUSTER_H
#define FAKES_TEST_CLUSTER_H

#include "fakes/test_cert.h"

struct test_cluster {
	char directory[64], ca[96], ca_key[96], revoked[96];
};

void test_cluster_new(struct test_cluster *ret);
/* A certificate of this CA: `names` is a subjectAltName ("IP:127.0.0.1,URI:engawa-node:n1"), `usage` an
 * extendedKeyUsage ("serverAuth,clientAuth"; NULL: none). */
void test_cluster_issue(const struct test_cluster *cluster, const char *names,
	const char *usage, struct test_cert *ret);
/* The certificate of the node of this name, as init makes it. */
void test_cluster_node(const struct test_cluster *cluster, const char *node,
	struct test_cert *ret);
/* Puts this certificate into the cluster's list of revoked ones. */
void test_cluster_revoke(const struct test_cluster *cluster,
	const struct test_cert *cert);
void test_cluster_done(struct test_cluster *cluster);

#endif
