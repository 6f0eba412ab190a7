#include "setup/ca_sign.h"

#include <stdio.h>

#define PEM_MAX 65536

int ca_sign(const char *path, const void *bytes, size_t len,
	struct ca_sign_signature *ret, char error[static DATA_DIR_ERROR])
{
	struct authority_pair ca = {0};
	int status = data_dir_read(path, "ca.pem", PEM_MAX, &ca.cert, error);

	if (!status)
		status = data_dir_read(path, "ca.key", PEM_MAX, &ca.key, error);
	if (!status) {
		status = authority_sign(&ca, bytes, len, ret->bytes, &ret->len);
		if (status)
			snprintf(error, DATA_DIR_ERROR, "ca.key in %.400s cannot sign",
				path);
	}
	authority_done(&ca);
	return status;
}
