#include "rules/directory.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/reason.h"
#include "base/secret.h"
#include "base/text.h"
#include "rules/directory_address.h"
#include "rules/document.h"

static const char *const kinds[] = {"ldap", "oidc", NULL};
static const char *const states[] = {"enabled", "disabled", NULL};
static const char *const uses[] = {"accounts", "holders"};

int directory_id_good(const char *id)
{
	return tenant_id_good(id);
}

int directory_user_good(const char *user)
{
	size_t len = strlen(user);
	return len && len < DIRECTORY_USER_SIZE && field_is_plain(user) &&
	       user[0] != ' ' && user[len - 1] != ' ';
}

const char *directory_kind_name(int kind)
{
	return kinds[kind];
}

/* reading */

/* Members of an inner object carry its name when they are wrong. */
static int inside(const char *object, struct field_error *error, int r)
{
	char field[sizeof(error->field)];
	if (r != -REASON_BAD_VALUE || strchr(error->field, '.'))
		return r;
	snprintf(field, sizeof(field), "%s.%.56s", object, error->field);
	memcpy(error->field, field, sizeof(field));
	return r;
}

/* Line ends are what PEM is made of, so it is not field_text(). */
static int read_ca(const json_t *object, struct directory *directory,
	struct field_error *error)
{
	const json_t *value = json_object_get(object, "ca");
	const char *text = json_string_value(value);
	if (!value)
		return 0;
	if (json_is_null(value))
		text = "";
	if (!text || (*text && !strstr(text, "-----BEGIN CERTIFICATE-----")))
		return field_fail(error, "ca", "certificates in PEM are expected");
	for (const char *at = text; *at; at++)
		if (!isprint((unsigned char)*at) && *at != '\n' && *at != '\r')
			return field_fail(error, "ca",
				"certificates in PEM are expected");
	return text_copy(directory->ca, sizeof(directory->ca), text)
		       ? field_fail(error, "ca", "longer than %d bytes",
				 DIRECTORY_CA_SIZE - 1)
		       : 0;
}

static int read_ldap(const json_t *object, struct directory *directory,
	struct field_error *error)
{
	static const char *const known[] = {"url", "ca", "start_tls", "bind_dn_template",
		"base", "filter", "bind_dn", "bind_password", NULL};
	struct directory_ldap *ldap = &directory->ldap;
	const struct {
		const char *name;
		char *ret;
	} texts[] = {{"url", ldap->url}, {"bind_dn_template", ldap->bind_dn_template},
		{"base", ldap->base}, {"filter", ldap->filter},
		{"bind_dn", ldap->bind_dn}, {"bind_password", ldap->bind_password}};
	int r = field_known(object, known, error);
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(texts); i++)
		r = field_text(object, texts[i].name, FIELD_MAY, texts[i].ret,
			sizeof(ldap->url), error);
	if (r == 0)
		r = field_flag(object, "start_tls", &ldap->start_tls, error);
	return r ? r : read_ca(object, directory, error);
}

static int is_domain(const char *text)
{
	return *text && *text != '.' && strchr(text, '.') &&
	       strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789.-") == strlen(text);
}

static int read_domains(const json_t *object, struct directory_oidc *oidc,
	struct field_error *error)
{
	const json_t *domains = json_object_get(object, "domains"), *item;
	size_t i;
	if (!domains)
		return 0;
	if (!json_is_null(domains) &&
		(!json_is_array(domains) || json_array_size(domains) > DIRECTORY_DOMAINS))
		return field_fail(error, "domains",
			"a list of at most %d domains is expected", DIRECTORY_DOMAINS);
	json_array_foreach(domains, i, item)
	{
		const char *text = json_string_value(item);
		if (!text || !is_domain(text) ||
			text_copy(oidc->domains[i], sizeof(oidc->domains[i]), text))
			return field_fail(error, "domains",
				"domains like \"example.jp\" are expected");
	}
	oidc->domain_count = json_array_size(domains);
	return 0;
}

static int read_provision(const json_t *object, struct directory_oidc *oidc,
	struct field_error *error)
{
	static const char *const known[] = {"role", "tenant", NULL};
	const json_t *provision = json_object_get(object, "provision");
	char role[32] = "";
	if (!provision)
		return 0;
	oidc->provision = 0;
	oidc->provision_tenant[0] = 0;
	if (json_is_null(provision))
		return 0;
	if (!json_is_object(provision))
		return field_fail(error, "provision",
			"an object of role and tenant is expected");
	int r = field_known(provision, known, error);
	if (r == 0)
		r = field_text(provision, "role", FIELD_NEED, role, sizeof(role), error);
	if (r == 0)
		r = field_text(provision, "tenant", FIELD_MAY, oidc->provision_tenant,
			sizeof(oidc->provision_tenant), error);
	/* Whoever the provider lets in must not run the whole service without anybody's deed. */
	if (r == 0 && (role_parse(role, &oidc->provision_role) ||
			      oidc->provision_role == ROLE_OPERATOR))
		r = field_fail(error, "role", "admin, helpdesk or auditor is expected");
	oidc->provision = r == 0;
	return inside("oidc.provision", error, r);
}

static int read_oidc(const json_t *object, struct directory *directory,
	struct field_error *error)
{
	static const char *const known[] = {"issuer", "ca", "client_id", "client_secret",
		"claim", "domains", "trusted_mfa", "provision", NULL};
	struct directory_oidc *oidc = &directory->oidc;
	const struct {
		const char *name;
		char *ret;
	} texts[] = {{"issuer", oidc->issuer}, {"client_id", oidc->client_id},
		{"client_secret", oidc->client_secret}};
	int r = field_known(object, known, error);
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(texts); i++)
		r = field_text(object, texts[i].name, FIELD_MAY, texts[i].ret,
			sizeof(oidc->issuer), error);
	if (r == 0)
		r = field_text(object, "claim", FIELD_MAY, oidc->claim,
			sizeof(oidc->claim), error);
	if (r == 0)
		r = field_flag(object, "trusted_mfa", &oidc->trusted_mfa, error);
	if (r == 0)
		r = read_domains(object, oidc, error);
	if (r == 0)
		r = read_provision(object, oidc, error);
	return r ? r : read_ca(object, directory, error);
}

static int read_inner(const json_t *object, struct directory *directory,
	struct field_error *error)
{
	const char *own = kinds[directory->kind], *other = kinds[!directory->kind];
	const json_t *inner = json_object_get(object, own);
	if (json_object_get(object, other))
		return field_fail(error, other, "this directory is of kind %s", own);
	if (!inner)
		return 0;
	if (!json_is_object(inner))
		return field_fail(error, own, "an object is expected");
	return inside(own, error,
		directory->kind == DIRECTORY_LDAP ? read_ldap(inner, directory, error)
						  : read_oidc(inner, directory, error));
}

static int read_use(const json_t *object, struct directory *directory,
	struct field_error *error)
{
	const json_t *list = json_object_get(object, "use"), *item;
	unsigned use = 0;
	size_t i;
	if (!list || json_is_null(list))
		return 0;
	json_array_foreach(list, i, item)
	{
		const char *text = json_string_value(item);
		for (size_t j = 0; text && j < ARRAY_LEN(uses); j++)
			if (!strcmp(text, uses[j])) {
				use |= 1u << j;
				text = NULL;
			}
		if (text || !json_is_string(item))
			use |= 4;
	}
	if (!json_is_array(list) || !use || use > 3)
		return field_fail(error, "use",
			"a list of accounts, holders or both is expected");
	directory->use = use;
	return 0;
}

static int read_open_fields(const json_t *object, struct directory *directory,
	struct field_error *error)
{
	int r = field_text(object, "name", FIELD_MAY, directory->name,
		sizeof(directory->name), error);
	if (r == 0)
		r = field_word(object, "state", FIELD_MAY, states, &directory->state,
			error);
	if (r == 0)
		r = read_use(object, directory, error);
	return r ? r : read_inner(object, directory, error);
}

static int read_all(const json_t *object, struct directory *directory,
	struct field_error *error)
{
	int r = field_text(object, "id", FIELD_NEED, directory->id, sizeof(directory->id),
		error);
	if (r == 0 && !directory_id_good(directory->id))
		r = field_fail(error, "id",
			"1 to 40 small letters, digits, - or _ are expected");
	if (r == 0)
		r = field_text(object, "tenant", FIELD_MAY, directory->tenant,
			sizeof(directory->tenant), error);
	if (r == 0)
		r = field_word(object, "kind", FIELD_NEED, kinds, &directory->kind,
			error);
	if (r == 0)
		r = field_time(object, "created_ms", &directory->created_ms, error);
	if (r == 0)
		r = field_time(object, "changed_ms", &directory->changed_ms, error);
	if (r == 0)
		r = read_open_fields(object, directory, error);
	return r ? r : directory_check(directory, error);
}

int directory_read(const char *body, struct directory *ret, struct field_error *error)
{
	json_t *object;
	struct directory *directory = secret_alloc(sizeof(*directory));
	int r = directory ? field_parse(body, &object, error) : -REASON_NO_MEMORY;
	if (r == 0) {
		directory->use = DIRECTORY_ACCOUNTS;
		r = read_all(object, directory, error);
		json_decref(object);
	}
	if (r == 0)
		*ret = *directory;
	secret_free(directory, sizeof(*directory));
	return r;
}

/* checking */

static int check_ldap(const struct directory_ldap *ldap, struct field_error *error)
{
	int r = directory_address_ldap(ldap->url, ldap->start_tls, error);
	if (r)
		return r;
	if (*ldap->bind_dn_template)
		return *ldap->filter || *ldap->base || *ldap->bind_dn
			       ? field_fail(error, "ldap.bind_dn_template",
					 "either this, or base and filter")
		       : directory_address_template(ldap->bind_dn_template)
			       ? 0
			       : field_fail(error, "ldap.bind_dn_template",
					 "\"{user}\" is expected in it, once");
	if (!*ldap->filter)
		return field_fail(error, "ldap.bind_dn_template",
			"this is needed, or base and filter");
	if (!directory_address_filter(ldap->filter))
		return field_fail(error, "ldap.filter",
			"a filter like \"(uid={user})\" is expected");
	if (*ldap->bind_dn && !*ldap->bind_password)
		return field_fail(error, "ldap.bind_password", "is needed with bind_dn");
	return 0;
}

static int check_oidc(const struct directory *directory, struct field_error *error)
{
	const struct directory_oidc *oidc = &directory->oidc;
	int r = directory_address_issuer(oidc->issuer, error);
	if (r)
		return r;
	if (!*oidc->client_id)
		return field_fail(error, "oidc.client_id", "is needed");
	if (!*oidc->claim)
		return field_fail(error, "oidc.claim",
			"is needed: the member of the ID token that names people, like "
			"\"email\" or \"sub\"");
	if (oidc->provision && *directory->tenant &&
		strcmp(directory->tenant, oidc->provision_tenant))
		return field_fail(error, "oidc.provision.tenant",
			"the directory's own is expected");
	if (oidc->provision && *oidc->provision_tenant &&
		!tenant_id_good(oidc->provision_tenant))
		return field_fail(error, "oidc.provision.tenant",
			"small letters, digits, - and _ are expected");
	return 0;
}

int directory_check(const struct directory *directory, struct field_error *error)
{
	if (!*directory->name)
		return field_fail(error, "name", "is needed");
	if (directory->kind == DIRECTORY_OIDC && (directory->use & DIRECTORY_HOLDERS))
		return field_fail(error, "use", "holders can sign in by LDAP only");
	return directory->kind == DIRECTORY_LDAP ? check_ldap(&directory->ldap, error)
						 : check_oidc(directory, error);
}

static int has_member(const json_t *changes, const char *object, const char *member)
{
	return json_object_get(json_object_get(changes, object), member) != NULL;
}

/* Else an administrator who may change a directory could send its secret to a server of his own. */
static int keep_secret_at_home(const struct directory *before,
	const struct directory *after, const json_t *changes, struct field_error *error)
{
	int ca = strcmp(before->ca, after->ca) != 0;
	if (*after->ldap.bind_password && !has_member(changes, "ldap", "bind_password") &&
		(ca || strcmp(before->ldap.url, after->ldap.url) ||
			before->ldap.start_tls != after->ldap.start_tls))
		return field_fail(error, "ldap.bind_password",
			"has to be given again for another server");
	if (*after->oidc.client_secret && !has_member(changes, "oidc", "client_secret") &&
		(ca || strcmp(before->oidc.issuer, after->oidc.issuer)))
		return field_fail(error, "oidc.client_secret",
			"has to be given again for another server");
	return 0;
}

int directory_change(struct directory *directory, const json_t *changes,
	struct field_error *error)
{
	static const char *const known[] = {"name", "state", "use", "ldap", "oidc", NULL};
	if (!json_is_object(changes))
		return field_fail(error, "", "a JSON object is expected");
	struct directory *changed = secret_alloc(sizeof(*changed));
	if (!changed)
		return -REASON_NO_MEMORY;
	*changed = *directory;
	int r = field_known(changes, known, error);
	if (r == 0)
		r = read_open_fields(changes, changed, error);
	if (r == 0)
		r = directory_check(changed, error);
	if (r == 0)
		r = keep_secret_at_home(directory, changed, changes, error);
	if (r == 0)
		*directory = *changed;
	secret_free(changed, sizeof(*changed));
	return r;
}

/* writing */

static json_t *use_json(const struct directory *directory)
{
	json_t *list = json_array();
	for (size_t i = 0; i < ARRAY_LEN(uses); i++)
		if (directory->use & (1u << i))
			json_array_append_new(list, json_string(uses[i]));
	return list;
}

static json_t *ldap_json(const struct directory *directory)
{
	const struct directory_ldap *ldap = &directory->ldap;
	return json_pack("{s:s, s:s, s:b, s:s, s:s, s:s, s:s}", "url", ldap->url, "ca",
		directory->ca, "start_tls", ldap->start_tls, "bind_dn_template",
		ldap->bind_dn_template, "base", ldap->base, "filter", ldap->filter,
		"bind_dn", ldap->bind_dn);
}

static json_t *oidc_json(const struct directory *directory)
{
	const struct directory_oidc *oidc = &directory->oidc;
	json_t *domains = json_array();
	json_t *provision = oidc->provision ? json_pack("{s:s, s:s}", "role",
						      role_name(oidc->provision_role),
						      "tenant", oidc->provision_tenant)
					    : json_null();
	for (size_t i = 0; i < oidc->domain_count; i++)
		json_array_append_new(domains, json_string(oidc->domains[i]));
	return json_pack("{s:s, s:s, s:s, s:s, s:b, s:o, s:o}", "issuer", oidc->issuer,
		"ca", directory->ca, "client_id", oidc->client_id, "claim", oidc->claim,
		"trusted_mfa", oidc->trusted_mfa, "domains", domains, "provision",
		provision);
}

enum secrets { SECRETS_OUT, SECRETS_IN };

static json_t *inner_json(const struct directory *directory, enum secrets secrets)
{
	int ldap = directory->kind == DIRECTORY_LDAP;
	json_t *inner = ldap ? ldap_json(directory) : oidc_json(directory);
	const char *secret =
		ldap ? directory->ldap.bind_password : directory->oidc.client_secret;
	const char *name = ldap ? "bind_password" : "client_secret";
	const char *shown = ldap ? "bind_password_set" : "client_secret_set";
	int bad = secrets == SECRETS_IN
			  ? json_object_set_new(inner, name, json_string(secret))
			  : json_object_set_new(inner, shown, json_boolean(*secret != 0));
	if (!bad)
		return inner;
	json_decref(inner);
	return NULL;
}

static int set_all(json_t *object, const struct directory *directory,
	enum secrets secrets)
{
	return document_set(object,
		json_pack("{s:s, s:s, s:s, s:s, s:s, s:o, s:I, s:I, s:o}", "id",
			directory->id, "name", directory->name, "tenant",
			directory->tenant, "kind", kinds[directory->kind], "state",
			states[directory->state], "use", use_json(directory),
			"created_ms", (json_int_t)directory->created_ms, "changed_ms",
			(json_int_t)directory->changed_ms, kinds[directory->kind],
			inner_json(directory, secrets)));
}

int directory_write(const struct directory *directory, const char *before, char **ret)
{
	json_t *object;
	int r = document_open(before, &object);
	if (r == 0)
		r = set_all(object, directory, SECRETS_IN);
	return document_close(object, r, ret);
}

int directory_show(const struct directory *directory, char **ret)
{
	json_t *object = json_object();
	return document_close(object, set_all(object, directory, SECRETS_OUT), ret);
}

/* using */

int directory_serves(const struct directory *directory, const char *tenant,
	enum directory_use use)
{
	return directory->state == DIRECTORY_ENABLED && (directory->use & use) &&
	       (!*directory->tenant || !strcmp(directory->tenant, tenant));
}

int directory_permits_domain(const struct directory *directory, const char *name)
{
	const struct directory_oidc *oidc = &directory->oidc;
	const char *at = strrchr(name, '@');
	for (size_t i = 0; at && at != name && i < oidc->domain_count; i++)
		if (!strcasecmp(at + 1, oidc->domains[i]))
			return 1;
	return oidc->domain_count == 0;
}
