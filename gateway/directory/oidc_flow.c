#include "directory/oidc_flow.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/reason.h"
#include "base/secret.h"
#include "base/text.h"
#include "directory/id_token.h"

#define CODE_MOST 4096

static int refuse(char detail[static FETCH_DETAIL], const char *why)
{
	snprintf(detail, FETCH_DETAIL, "%s", why);
	return -REASON_DIRECTORY_REFUSED;
}

/* NAME=VALUE&… with every value escaped; the caller wipes and frees. NULL without memory. */
struct pair {
	const char *name, *value; /* NULL: left out */
};

static char *form_of(const char *before, const struct pair *pairs, size_t count)
{
	char *form = strdup(before);
	const char *join = "";
	for (size_t i = 0; i < count && form; i++) {
		char *value, *longer = NULL;
		if (!pairs[i].value)
			continue;
		value = fetch_escape(pairs[i].value);
		if (!value || asprintf(&longer, "%s%s%s=%s", form, join, pairs[i].name,
				      value) < 0)
			longer = NULL;
		secret_wipe(form, strlen(form));
		free(form);
		free(value);
		form = longer;
		join = "&";
	}
	return form;
}

int oidc_flow_begin(struct oidc_flow *flow, const struct directory *directory,
	const char *back, char **ret_url, char ret_cookie[static OIDC_VISIT_SIZE],
	char detail[static FETCH_DETAIL])
{
	struct oidc_provider provider;
	struct oidc_visit visit;
	char challenge[OIDC_VISIT_WORD], start[OIDC_PROVIDERS_URL + 1];
	int r = oidc_providers_find(flow->providers, directory, &provider, detail);
	if (r == 0)
		r = oidc_visit_new(directory->id, back, clock_wall_ms(), &visit);
	if (r == 0)
		r = oidc_visit_challenge(&visit, challenge);
	if (r == 0)
		r = oidc_visit_seal(flow->key, &visit, ret_cookie);
	if (r)
		return r;
	const struct pair pairs[] = {{"response_type", "code"},
		{"client_id", directory->oidc.client_id}, {"redirect_uri", back},
		{"scope", provider.scope}, {"state", visit.state}, {"nonce", visit.nonce},
		{"code_challenge", challenge}, {"code_challenge_method", "S256"}};
	snprintf(start, sizeof(start), "%s%c", provider.authorize,
		strchr(provider.authorize, '?') ? '&' : '?');
	char *url = form_of(start, pairs, ARRAY_LEN(pairs));
	secret_wipe(&visit, sizeof(visit));
	if (!url)
		return -REASON_NO_MEMORY;
	*ret_url = url;
	return 0;
}

/* The way back */

/* Whether this browser set out from here for this directory, and comes back from there. */
static int check_answer(struct oidc_flow *flow, const struct directory *directory,
	const struct oidc_flow_answer *answer, struct oidc_visit *ret,
	char detail[static FETCH_DETAIL])
{
	struct oidc_visit visit;
	if (!answer->cookie ||
		oidc_visit_open(flow->key, answer->cookie, clock_wall_ms(), &visit))
		return refuse(detail,
			"the browser did not set out from here, or too long ago");
	size_t len = strlen(visit.state);
	if (strcmp(visit.directory, directory->id) || *visit.account)
		return refuse(detail, "the browser set out for another directory");
	if (!answer->state || strlen(answer->state) != len ||
		!secret_equal(answer->state, visit.state, len))
		return refuse(detail, "the state is not the one that was sent");
	if (answer->issuer && strcmp(answer->issuer, directory->oidc.issuer))
		return refuse(detail, "the answer is another provider's");
	if (answer->error) {
		char text[128];
		field_plain(text, sizeof(text), answer->error);
		snprintf(detail, FETCH_DETAIL, "the provider says: %s", text);
		return -REASON_DIRECTORY_REFUSED;
	}
	if (!answer->code || !*answer->code || strlen(answer->code) > CODE_MOST)
		return refuse(detail, "the provider gave no code");
	*ret = visit;
	return 0;
}

static int ask_token(struct oidc_flow *flow, const struct directory *directory,
	const struct oidc_provider *provider, const struct oidc_visit *visit,
	const char *code, json_t **ret, char detail[static FETCH_DETAIL])
{
	const struct directory_oidc *oidc = &directory->oidc;
	int in_form = provider->post_secret || !*oidc->client_secret;
	const struct pair pairs[] = {{"grant_type", "authorization_code"}, {"code", code},
		{"redirect_uri", visit->back}, {"code_verifier", visit->verifier},
		{"client_id", in_form ? oidc->client_id : NULL},
		{"client_secret",
			in_form && *oidc->client_secret ? oidc->client_secret : NULL}};
	struct fetch fetch =
		oidc_providers_fetch(flow->providers, directory, provider->token);
	char *form = form_of("", pairs, ARRAY_LEN(pairs));
	/* RFC 6749 section 2.3.1: both are form-encoded before they become a header. */
	char *user = fetch_escape(oidc->client_id),
	     *password = fetch_escape(oidc->client_secret);
	int r = -REASON_NO_MEMORY;
	fetch.form = form;
	fetch.user = in_form ? NULL : user;
	fetch.password = password;
	if (form && user && password)
		r = fetch_json(&fetch, ret, detail);
	if (form)
		secret_wipe(form, strlen(form));
	if (password)
		secret_wipe(password, strlen(password));
	free(form);
	free(user);
	free(password);
	return r;
}

/* Keys may have been changed since they were fetched: an unknown one is looked for once more. */
static int check_token(struct oidc_flow *flow, const struct directory *directory,
	const struct oidc_provider *provider, const struct id_token_want *want,
	const char *token, json_t **ret, char detail[static FETCH_DETAIL])
{
	char why[ID_TOKEN_WHY] = "";
	int r = -REASON_NOT_FOUND;
	for (int i = 0; i < 2 && r == -REASON_NOT_FOUND; i++) {
		json_t *keys;
		r = oidc_providers_keys(flow->providers, directory, provider,
			i ? OIDC_KEYS_FRESH : OIDC_KEYS_KEPT, &keys, detail);
		if (r)
			return r;
		r = id_token_check(token, keys, want, ret, why);
		json_decref(keys);
	}
	if (r)
		snprintf(detail, FETCH_DETAIL, "the ID token: %s", why);
	return r == -REASON_NOT_FOUND ? -REASON_DIRECTORY_REFUSED : r;
}

/* A token need not carry all claims; the rest is asked for, and must be about the same person. */
static int add_userinfo(struct oidc_flow *flow, const struct directory *directory,
	const struct oidc_provider *provider, const json_t *answer, json_t *claims,
	char detail[static FETCH_DETAIL])
{
	const char *access = json_string_value(json_object_get(answer, "access_token"));
	const char *subject = json_string_value(json_object_get(claims, "sub"));
	json_t *more;
	if (json_object_get(claims, directory->oidc.claim) || !access ||
		!*provider->userinfo)
		return 0;
	struct fetch fetch =
		oidc_providers_fetch(flow->providers, directory, provider->userinfo);
	fetch.bearer = access;
	int r = fetch_json(&fetch, &more, detail);
	if (r)
		return r;
	const char *named = json_string_value(json_object_get(more, "sub"));
	if (!named || strcmp(named, subject))
		r = refuse(detail, "the userinfo is about somebody else");
	else if (json_object_update_missing(claims, more))
		r = -REASON_NO_MEMORY;
	json_decref(more);
	return r;
}

static int find_person(struct oidc_flow *flow, const struct directory *directory,
	const struct oidc_visit *visit, const struct oidc_flow_answer *came,
	struct oidc_flow_person *ret, char detail[static FETCH_DETAIL])
{
	struct oidc_provider provider;
	json_t *answer = NULL, *claims = NULL;
	const struct id_token_want want = {directory->oidc.issuer,
		directory->oidc.client_id, visit->nonce, clock_wall_ms()};
	int r = oidc_providers_find(flow->providers, directory, &provider, detail);
	if (r == 0 && provider.names_itself && !came->issuer)
		r = refuse(detail, "the answer does not name its provider");
	if (r == 0)
		r = ask_token(flow, directory, &provider, visit, came->code, &answer,
			detail);
	if (r)
		return r;
	const char *token = json_string_value(json_object_get(answer, "id_token"));
	r = check_token(flow, directory, &provider, &want, token ? token : "", &claims,
		detail);
	if (r == 0)
		r = add_userinfo(flow, directory, &provider, answer, claims, detail);
	if (r == 0)
		r = oidc_flow_person(directory, claims, ret, detail);
	json_decref(answer);
	json_decref(claims);
	return r;
}

int oidc_flow_finish(struct oidc_flow *flow, const struct directory *directory,
	const struct oidc_flow_answer *answer, struct oidc_flow_person *ret,
	char detail[static FETCH_DETAIL])
{
	struct oidc_visit visit;
	int r = check_answer(flow, directory, answer, &visit, detail);
	if (r)
		return r;
	r = find_person(flow, directory, &visit, answer, ret, detail);
	secret_wipe(&visit, sizeof(visit));
	return r;
}

/* The person */

static void take_text(const json_t *claims, const char *name, char *ret, size_t size)
{
	const char *text = json_string_value(json_object_get(claims, name));
	field_plain(ret, size, text ? text : "");
}

/* Some providers say "true" in words. */
static int mail_is_verified(const json_t *claims)
{
	const json_t *verified = json_object_get(claims, "email_verified");
	const char *text = json_string_value(verified);
	return json_is_true(verified) || (text && !strcmp(text, "true"));
}

/* RFC 8176 */
static int has_second_factor(const json_t *claims)
{
	const json_t *item;
	size_t i;
	json_array_foreach(json_object_get(claims, "amr"), i, item)
	{
		const char *text = json_string_value(item);
		if (text && (!strcmp(text, "mfa") || !strcmp(text, "otp")))
			return 1;
	}
	return 0;
}

int oidc_flow_person(const struct directory *directory, const json_t *claims,
	struct oidc_flow_person *ret, char detail[static FETCH_DETAIL])
{
	const struct directory_oidc *oidc = &directory->oidc;
	const json_t *claim = json_object_get(claims, oidc->claim);
	const char *name = json_string_value(claim);
	struct oidc_flow_person person = {
		.second_factor = oidc->trusted_mfa && has_second_factor(claims)};
	if (!name || strlen(name) != json_string_length(claim) ||
		!directory_user_good(name)) {
		snprintf(detail, FETCH_DETAIL, "the claim \"%s\" is missing or no name",
			oidc->claim);
		return -REASON_DIRECTORY_REFUSED;
	}
	/* Whoever can enter any address at the provider would else be anybody here. */
	if (!strcmp(oidc->claim, "email") && !mail_is_verified(claims))
		return refuse(detail, "the provider has not verified the mail address");
	if (mail_is_verified(claims))
		take_text(claims, "email", person.mail, sizeof(person.mail));
	if (!directory_permits_domain(directory, strchr(name, '@') ? name : person.mail))
		return refuse(detail, "the person is of no permitted domain");
	CHECK(text_copy(person.name, sizeof(person.name), name) == 0);
	take_text(claims, "name", person.full_name, sizeof(person.full_name));
	*ret = person;
	return 0;
}
