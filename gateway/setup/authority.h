/* authority: the cluster's own certificate authority and the certificates of its nodes.
 *
 * ECDSA on P-256, X.509 v3 (RFC 5280). Names go into subjectAltName; the CA can sign end
 * certificates only (path length 0).
 * Thread: any. Owner: the caller frees a pair by authority_done(), which wipes the key.
 * Errors: -REASON_BAD_VALUE (a name that is neither DNS name nor address), -REASON_STATE_DAMAGED
 * (the CA given is none), -REASON_NO_RANDOM, -REASON_NO_MEMORY.
 */
#ifndef SETUP_AUTHORITY_H
#define SETUP_AUTHORITY_H

#include <stddef.h>
#include <stdint.h>

#include "base/check.h"

#define AUTHORITY_CA_DAYS 3650
#define AUTHORITY_NODE_DAYS 820 /* some systems trust no longer ones */

#define AUTHORITY_NODE_MARK "engawa-node:"

struct authority_pair {
	char *cert, *key; /* PEM */
};

MUST_CHECK int authority_new(struct authority_pair *ret);
/* A node's certificate for these names; `node` is its subject. It serves as server, and as client
 * towards the other nodes, who know it by its mark: the URI AUTHORITY_NODE_MARK and the node's name in
 * subjectAltName (net/peer_trust.h). Nothing else that this CA signs may carry one. */
MUST_CHECK int authority_issue(const struct authority_pair *ca, const char *node,
	const char *const *names, size_t count, struct authority_pair *ret);
/* ECDSA over SHA-256, as `openssl dgst -sha256 -verify` takes it. What is signed must not begin like a
 * certificate ("0", ASN.1's SEQUENCE). */
#define AUTHORITY_SIGNATURE 80
MUST_CHECK int authority_sign(const struct authority_pair *ca, const void *bytes,
	size_t len, uint8_t ret[static AUTHORITY_SIGNATURE], size_t *ret_len);
/* Whether this is a name that a certificate can carry. */
MUST_CHECK int authority_name(const char *name);
void authority_done(struct authority_pair *pair);

#endif
