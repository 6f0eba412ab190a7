/* links: proto_e2e */
/* license_key: whatever is typed as a key or an id is refused, or prints back as the same. */
#include <stdlib.h>
#include <string.h>

#include "base/license_key.h"

static void try_key(const char *text)
{
	struct license_key key, again;
	char printed[LICENSE_KEY_TEXT_SIZE];
	if (license_key_parse(text, &key) < 0)
		return;
	license_key_print(&key, printed);
	if (license_key_parse(printed, &again) < 0 ||
		strcmp(key.public_id, again.public_id) != 0 ||
		memcmp(key.secret, again.secret, sizeof(key.secret)) != 0)
		abort();
}

static void try_id(const char *text)
{
	char public_id[LICENSE_KEY_PUBLIC_SIZE], again[LICENSE_KEY_PUBLIC_SIZE];
	char id[LICENSE_KEY_ID_SIZE];
	if (license_key_id_parse(text, public_id) < 0)
		return;
	license_key_id(public_id, id);
	if (license_key_id_parse(id, again) < 0 || strcmp(public_id, again) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[256];
	if (size >= sizeof(text))
		return 0;
	if (size)
		memcpy(text, data, size);
	text[size] = 0;
	try_key(text);
	try_id(text);
	return 0;
}
