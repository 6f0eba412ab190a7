#include "directory/oidc_providers.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/reason.h"
#include "base/text.h"

#define KEPT 64
#define KEEP_MS (60 * 60 * 1000)

/* About one directory, as it was when it was last changed. */
struct entry {
	char directory[DIRECTORY_ID_SIZE];
	int64_t changed_ms, used_ms, found_ms, keys_ms; /* monotonic but the first */
	struct oidc_provider provider;
	json_t *keys;
};

struct oidc_providers {
	int64_t connect_ms, answer_ms;
	pthread_mutex_t mutex;
	struct entry entries[KEPT];
};

static int wrong(char detail[static FETCH_DETAIL], const char *what)
{
	snprintf(detail, FETCH_DETAIL, "the provider's description: %s", what);
	return -REASON_DIRECTORY_UNREACHABLE;
}

static int take_url(const json_t *document, const char *name,
	char ret[static OIDC_PROVIDERS_URL])
{
	const char *url = json_string_value(json_object_get(document, name));
	return !url || strncmp(url, "https://", 8) || strchr(url, '#') ||
	       !field_is_plain(url) || text_copy(ret, OIDC_PROVIDERS_URL, url);
}

static int has_word(const json_t *document, const char *name, const char *word)
{
	const json_t *item;
	size_t i;
	json_array_foreach(json_object_get(document, name), i, item)
	{
		if (json_is_string(item) && !strcmp(json_string_value(item), word))
			return 1;
	}
	return 0;
}

/* Only scopes that the provider knows, where it lists them: some refuse what they do not know. */
static void choose_scope(const json_t *document, struct oidc_provider *ret)
{
	static const char *const wishes[] = {"profile", "email"};
	int listed = json_is_array(json_object_get(document, "scopes_supported"));
	size_t len = (size_t)snprintf(ret->scope, sizeof(ret->scope), "openid");
	for (size_t i = 0; i < ARRAY_LEN(wishes); i++)
		if (!listed || has_word(document, "scopes_supported", wishes[i]))
			len += (size_t)snprintf(ret->scope + len,
				sizeof(ret->scope) - len, " %s", wishes[i]);
}

int oidc_providers_read(const json_t *document, const char *issuer,
	struct oidc_provider *ret, char detail[static FETCH_DETAIL])
{
	static const char *const methods = "token_endpoint_auth_methods_supported";
	struct oidc_provider provider = {0};
	const char *named = json_string_value(json_object_get(document, "issuer"));
	if (!named || strcmp(named, issuer))
		return wrong(detail, "it names another issuer");
	if (take_url(document, "authorization_endpoint", provider.authorize))
		return wrong(detail, "authorization_endpoint is no https address");
	if (take_url(document, "token_endpoint", provider.token))
		return wrong(detail, "token_endpoint is no https address");
	if (take_url(document, "jwks_uri", provider.keys))
		return wrong(detail, "jwks_uri is no https address");
	if (take_url(document, "userinfo_endpoint", provider.userinfo))
		provider.userinfo[0] = 0;
	choose_scope(document, &provider);
	provider.post_secret = has_word(document, methods, "client_secret_post") &&
			       !has_word(document, methods, "client_secret_basic");
	provider.names_itself = json_is_true(json_object_get(document,
		"authorization_response_iss_parameter_supported"));
	*ret = provider;
	return 0;
}

struct fetch oidc_providers_fetch(const struct oidc_providers *providers,
	const struct directory *directory, const char *url)
{
	return (struct fetch){.url = url,
		.ca = directory->ca,
		.connect_ms = providers->connect_ms,
		.answer_ms = providers->answer_ms};
}

static void clear(struct entry *entry)
{
	json_decref(entry->keys);
	memset(entry, 0, sizeof(*entry));
}

/* The directory's entry, emptied if it is of before a change; else the one unused for longest. Under
 * the mutex. */
static struct entry *find_entry(struct oidc_providers *providers,
	const struct directory *directory)
{
	struct entry *oldest = &providers->entries[0], *entry = NULL;
	for (size_t i = 0; i < KEPT && !entry; i++) {
		struct entry *one = &providers->entries[i];
		if (!strcmp(one->directory, directory->id))
			entry = one;
		else if (one->used_ms < oldest->used_ms)
			oldest = one;
	}
	if (!entry)
		entry = oldest;
	if (strcmp(entry->directory, directory->id) ||
		entry->changed_ms != directory->changed_ms) {
		clear(entry);
		memcpy(entry->directory, directory->id, sizeof(entry->directory));
		entry->changed_ms = directory->changed_ms;
	}
	entry->used_ms = clock_mono_ms();
	return entry;
}

static int is_fresh(int64_t at_ms)
{
	return at_ms && clock_mono_ms() - at_ms < KEEP_MS;
}

static int discover(const struct oidc_providers *providers,
	const struct directory *directory, struct oidc_provider *ret,
	char detail[static FETCH_DETAIL])
{
	const char *issuer = directory->oidc.issuer;
	size_t len = strlen(issuer);
	char url[sizeof(directory->oidc.issuer) + 64];
	json_t *document;
	snprintf(url, sizeof(url), "%s%s.well-known/openid-configuration", issuer,
		issuer[len - 1] == '/' ? "" : "/");
	struct fetch fetch = oidc_providers_fetch(providers, directory, url);
	int r = fetch_json(&fetch, &document, detail);
	if (r)
		return r;
	r = oidc_providers_read(document, issuer, ret, detail);
	json_decref(document);
	return r;
}

int oidc_providers_find(struct oidc_providers *providers,
	const struct directory *directory, struct oidc_provider *ret,
	char detail[static FETCH_DETAIL])
{
	struct oidc_provider found;
	pthread_mutex_lock(&providers->mutex);
	const struct entry *kept = find_entry(providers, directory);
	int fresh = is_fresh(kept->found_ms);
	if (fresh)
		*ret = kept->provider;
	pthread_mutex_unlock(&providers->mutex);
	if (fresh)
		return 0;
	int r = discover(providers, directory, &found, detail);
	if (r)
		return r;
	pthread_mutex_lock(&providers->mutex);
	struct entry *entry = find_entry(providers, directory);
	entry->provider = found;
	entry->found_ms = clock_mono_ms();
	pthread_mutex_unlock(&providers->mutex);
	*ret = found;
	return 0;
}

static json_t *kept_keys(struct oidc_providers *providers,
	const struct directory *directory)
{
	json_t *keys = NULL;
	pthread_mutex_lock(&providers->mutex);
	const struct entry *entry = find_entry(providers, directory);
	if (entry->keys && is_fresh(entry->keys_ms))
		keys = json_deep_copy(entry->keys);
	pthread_mutex_unlock(&providers->mutex);
	return keys;
}

int oidc_providers_keys(struct oidc_providers *providers,
	const struct directory *directory, const struct oidc_provider *provider,
	enum oidc_keys which, json_t **ret, char detail[static FETCH_DETAIL])
{
	json_t *keys = which == OIDC_KEYS_KEPT ? kept_keys(providers, directory) : NULL;
	if (keys) {
		*ret = keys;
		return 0;
	}
	struct fetch fetch = oidc_providers_fetch(providers, directory, provider->keys);
	int r = fetch_json(&fetch, &keys, detail);
	if (r)
		return r;
	pthread_mutex_lock(&providers->mutex);
	struct entry *entry = find_entry(providers, directory);
	json_decref(entry->keys);
	entry->keys = json_deep_copy(keys);
	entry->keys_ms = clock_mono_ms();
	pthread_mutex_unlock(&providers->mutex);
	*ret = keys;
	return 0;
}

int oidc_providers_new(int64_t connect_ms, int64_t answer_ms, struct oidc_providers **ret)
{
	struct oidc_providers *providers = calloc(1, sizeof(*providers));
	if (!providers)
		return -REASON_NO_MEMORY;
	providers->connect_ms = connect_ms;
	providers->answer_ms = answer_ms;
	CHECK(pthread_mutex_init(&providers->mutex, NULL) == 0);
	*ret = providers;
	return 0;
}

struct oidc_providers *oidc_providers_free(struct oidc_providers *providers)
{
	if (!providers)
		return NULL;
	for (size_t i = 0; i < KEPT; i++)
		clear(&providers->entries[i]);
	pthread_mutex_destroy(&providers->mutex);
	free(providers);
	return NULL;
}
