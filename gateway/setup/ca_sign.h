/* ca_sign: a signature by the cluster's CA over a file that the gateway offers, for people who hold
 * ca.pem from elsewhere: `openssl dgst -sha256 -verify` with the CA's public key takes it.
 *
 * Thread: main, at start. Errors: those of data_dir_read() and authority_sign(), with one line.
 */
#ifndef SETUP_CA_SIGN_H
#define SETUP_CA_SIGN_H

#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "setup/authority.h"
#include "setup/data_dir.h"

struct ca_sign_signature {
	uint8_t bytes[AUTHORITY_SIGNATURE];
	size_t len;
};

/* `path`: the data directory. */
MUST_CHECK int ca_sign(const char *path, const void *bytes, size_t len,
	struct ca_sign_signature *ret, char error[static DATA_DIR_ERROR]);

#endif
