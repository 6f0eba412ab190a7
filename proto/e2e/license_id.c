#include "e2e/license_id.h"

#include <string.h>

#include "e2e/primitives.h"

int license_id_hash(const char public_id[static LICENSE_KEY_PUBLIC_SIZE],
	uint8_t ret[static LICENSE_ID_SIZE])
{
	static const char label[] = "ENGAWA license";
	uint8_t hash[PRIMITIVES_HASH];
	int result = primitives_sha256(hash, label, strlen(label), public_id,
		LICENSE_KEY_PUBLIC);
	if (result == 0)
		memcpy(ret, hash, LICENSE_ID_SIZE);
	return result;
}
