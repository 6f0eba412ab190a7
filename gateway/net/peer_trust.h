/* peer_trust: by what a node knows another node of its cluster: a certificate that the cluster's CA has
 * signed, made for both sides of TLS (serverAuth and clientAuth), which carries a node's mark: the URI
 * "engawa-node:NAME" in subjectAltName (RFC 5280 section 4.2.1.6), and which is not in the list of
 * revoked ones.
 *
 * Anything else that the same CA has ever signed is no node: the CA alone proves nothing.
 * The list is a text file: one SHA-256 fingerprint of a certificate per line, as `openssl x509 -noout
 * -fingerprint -sha256` prints it (what stands before "=", colons and case do not matter); "#" begins a
 * remark. No file is an empty list.
 * Thread: any; constant once made. Owner: who made it.
 */
#ifndef NET_PEER_TRUST_H
#define NET_PEER_TRUST_H

#include "base/check.h"

struct peer_trust;
struct x509_st;

#define PEER_TRUST_MARK "engawa-node:"
#define PEER_TRUST_NODE 65
#define PEER_TRUST_ERROR 256
#define PEER_TRUST_REVOKED_MAX 10000

/* Reads the list. With one line in `error`: -REASON_FILE_UNREADABLE, -REASON_CONFIG (a line that is no
 * fingerprint), -REASON_NO_MEMORY. */
MUST_CHECK int peer_trust_new(const char *revoked_file, struct peer_trust **ret,
	char error[static PEER_TRUST_ERROR]);
/* Of a certificate whose chain has been verified: NULL, and its node's name; or why it is not accepted.
 * `expected`: the only name that will do; "": any. */
MUST_CHECK const char *peer_trust_judge(const struct peer_trust *trust,
	struct x509_st *certificate, const char *expected,
	char ret_node[static PEER_TRUST_NODE]);
/* The node's name in a certificate; -REASON_NOT_FOUND: it carries no mark, or one that is none. */
MUST_CHECK int peer_trust_node(struct x509_st *certificate,
	char ret[static PEER_TRUST_NODE]);
/* Accepts NULL, returns NULL. */
struct peer_trust *peer_trust_free(struct peer_trust *trust);

#endif
