/* links: gateway_directory */
/* What a provider sends: its description, its keys, an ID token and claims, each on a line of its own. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "directory/id_token.h"
#include "directory/oidc_flow.h"
#include "directory/oidc_providers.h"

#define ISSUER "https://idp.example"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct id_token_want want = {
		ISSUER, "engawa", "n0", INT64_C(1800000000000)};
	static const struct directory directory = {.kind = DIRECTORY_OIDC,
		.oidc = {.claim = "email", .domain_count = 1, .domains = {"b.jp"}}};
	const char *lines[4] = {"", "", "", ""};
	char *text = malloc(size + 1), *save = text;
	char why[ID_TOKEN_WHY], detail[FETCH_DETAIL];
	struct oidc_provider provider;
	struct oidc_flow_person person;

	memcpy(text, data, size);
	text[size] = 0;
	for (size_t i = 0; i < 4 && save; i++)
		lines[i] = strsep(&save, "\n");
	json_t *document = json_loads(lines[0], 0, NULL),
	       *keys = json_loads(lines[1], 0, NULL),
	       *claims = json_loads(lines[3], 0, NULL), *got = NULL;
	if (oidc_providers_read(document, ISSUER, &provider, detail) == 0 &&
		!*provider.token)
		abort();
	/* Nobody but the provider can sign; the seeds' keys are thrown away. */
	if (id_token_check(lines[2], keys, &want, &got, why) == 0)
		json_decref(got);
	if (oidc_flow_person(&directory, claims, &person, detail) == 0 &&
		!strstr(person.name, "@"))
		abort();
	json_decref(document);
	json_decref(keys);
	json_decref(claims);
	free(text);
	return 0;
}
