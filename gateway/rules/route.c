#include "rules/route.h"

#include <stdio.h>
#include <string.h>

static const char *const kinds[] = {"webhook", "mail", "syslog", NULL};
static const char *const languages[] = {"en", "ja", NULL};
static const char *const states[] = {"enabled", "disabled", NULL};
static const char *const securities[] = {"starttls", "tls", "none", NULL};

const char *route_kind_name(int kind)
{
	return kinds[kind];
}

/* What stands in a header or an SMTP command: no blank, no bracket, one @. */
static int is_mail_address(const char *text)
{
	static const char good[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				   "0123456789.!#$%&'*+/=?^_`{|}~-@";
	const char *at = strchr(text, '@');

	return at && at > text && at[1] && !strchr(at + 1, '@') &&
	       strspn(text, good) == strlen(text);
}

static int is_host(const char *host)
{
	static const char good[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				   "0123456789.-_:";
	return *host && strspn(host, good) == strlen(host);
}

int route_transport(const char *target, enum route_transport *ret,
	struct text_endpoint *ret_at)
{
	static const struct {
		const char *scheme;
		enum route_transport transport;
		uint16_t port;
	} schemes[] = {{"udp://", ROUTE_UDP, 514}, {"tcp://", ROUTE_TCP, 601},
		{"tls://", ROUTE_TCP_TLS, 6514}};
	struct text_endpoint at = {0};

	if (!strcmp(target, "unix")) {
		*ret = ROUTE_UNIX;
		*ret_at = at;
		return 0;
	}
	for (size_t i = 0; i < ARRAY_LEN(schemes); i++) {
		size_t len = strlen(schemes[i].scheme);
		if (strncmp(target, schemes[i].scheme, len))
			continue;
		if (text_endpoint(&at, target + len, schemes[i].port) ||
			!is_host(at.host))
			break;
		*ret = schemes[i].transport;
		*ret_at = at;
		return 0;
	}
	return -REASON_BAD_VALUE;
}

/* https://HOST[:PORT][/…]: no user, no fragment, nothing that two parsers could read differently. */
static int is_url(const char *url)
{
	static const char good[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				   "0123456789.-_:/?=&%~+,;[]";
	struct text_endpoint at;
	char authority[TEXT_HOST_SIZE + 16];

	if (strncmp(url, "https://", 8) || strspn(url, good) != strlen(url))
		return 0;
	size_t len = strcspn(url + 8, "/?");
	if (!len || len >= sizeof(authority))
		return 0;
	snprintf(authority, sizeof(authority), "%.*s", (int)len, url + 8);
	return !text_endpoint(&at, authority, 443) && is_host(at.host);
}

static int read_common(const json_t *object, struct route *route,
	struct field_error *error)
{
	int r = field_text(object, "name", FIELD_MAY, route->name, sizeof(route->name),
		error);
	if (r == 0)
		r = field_word(object, "language", FIELD_MAY, languages, &route->language,
			error);
	if (r == 0)
		r = field_word(object, "state", FIELD_MAY, states, &route->state, error);
	return r;
}

static int read_webhook(const json_t *object, struct route *route,
	struct field_error *error)
{
	int r = field_text(object, "url", FIELD_MAY, route->url, sizeof(route->url),
		error);
	if (r == 0 && !is_url(route->url))
		r = field_fail(error, "url", "https://HOST/PATH is expected");
	if (r == 0)
		r = field_text(object, "secret", FIELD_MAY, route->secret,
			sizeof(route->secret), error);
	if (r == 0 && *route->secret && strlen(route->secret) < 16)
		r = field_fail(error, "secret", "at least 16 characters are expected");
	return r;
}

static int read_to(const json_t *object, struct route *route, struct field_error *error)
{
	const json_t *list = json_object_get(object, "to");
	size_t i;
	json_t *value;

	if (!list)
		return 0;
	if (!json_is_array(list) || json_array_size(list) > ROUTE_ADDRESSES)
		return field_fail(error, "to",
			"a list of at most %d mail addresses is expected",
			ROUTE_ADDRESSES);
	route->to_count = 0;
	json_array_foreach((json_t *)list, i, value)
	{
		const char *text = json_string_value(value);
		if (!text || strlen(text) >= ROUTE_ADDRESS_SIZE ||
			json_string_length(value) != strlen(text) ||
			!is_mail_address(text))
			return field_fail(error, "to", "is not a mail address");
		snprintf(route->to[route->to_count++], ROUTE_ADDRESS_SIZE, "%s", text);
	}
	return 0;
}

static int check_mail(const struct route *route, struct field_error *error)
{
	struct text_endpoint at;

	if (text_endpoint(&at, route->server, 587) || !is_host(at.host))
		return field_fail(error, "server", "HOST:PORT is expected");
	if (!is_mail_address(route->from))
		return field_fail(error, "from", "is not a mail address");
	if (!route->to_count)
		return field_fail(error, "to", "at least one address is expected");
	if (route->security == ROUTE_PLAIN && *route->password)
		return field_fail(error, "security",
			"a password is sent over TLS only: starttls or tls");
	return 0;
}

static int read_mail(const json_t *object, struct route *route, struct field_error *error)
{
	int r = field_text(object, "server", FIELD_MAY, route->server,
		sizeof(route->server), error);
	if (r == 0)
		r = field_word(object, "security", FIELD_MAY, securities,
			&route->security, error);
	if (r == 0)
		r = field_text(object, "user", FIELD_MAY, route->user,
			sizeof(route->user), error);
	if (r == 0)
		r = field_text(object, "password", FIELD_MAY, route->password,
			sizeof(route->password), error);
	if (r == 0)
		r = field_text(object, "from", FIELD_MAY, route->from,
			sizeof(route->from), error);
	if (r == 0)
		r = read_to(object, route, error);
	return r ? r : check_mail(route, error);
}

static int read_syslog(const json_t *object, struct route *route,
	struct field_error *error)
{
	enum route_transport transport;
	struct text_endpoint at;
	int r = field_text(object, "target", FIELD_MAY, route->target,
		sizeof(route->target), error);

	if (r == 0 && route_transport(route->target, &transport, &at))
		r = field_fail(error, "target",
			"unix, udp://HOST:PORT, tcp://HOST:PORT or tls://HOST:PORT");
	/* The socket of the machine is the operator's own. */
	if (r == 0 && transport == ROUTE_UNIX && *route->tenant)
		r = field_fail(error, "target", "unix is for the operator only");
	return r;
}

static int read_of_kind(const json_t *object, struct route *route,
	struct field_error *error)
{
	static int (*const readers[])(const json_t *, struct route *,
		struct field_error *) = {read_webhook, read_mail, read_syslog};

	return readers[route->kind](object, route, error);
}

static int known(const json_t *object, const struct route *route,
	struct field_error *error)
{
	static const char *const members[][12] = {
		{"kind", "name", "language", "state", "url", "secret", NULL},
		{"kind", "name", "language", "state", "server", "security", "user",
			"password", "from", "to", NULL},
		{"kind", "name", "language", "state", "target", NULL}};

	return field_known(object, members[route->kind], error);
}

int route_change(struct route *route, const json_t *changes, struct field_error *error)
{
	struct route changed = *route;
	int is_new = !route->created_ms;
	int r = field_word(changes, "kind", is_new ? FIELD_NEED : FIELD_MAY, kinds,
		&changed.kind, error);

	if (r == 0 && !is_new && changed.kind != route->kind)
		r = field_fail(error, "kind", "cannot be changed");
	if (r == 0)
		r = known(changes, &changed, error);
	if (r == 0)
		r = read_common(changes, &changed, error);
	if (r == 0)
		r = read_of_kind(changes, &changed, error);
	if (r == 0)
		*route = changed;
	return r;
}

static int read_all(const json_t *object, struct route *route, struct field_error *error)
{
	int r = field_text(object, "id", FIELD_NEED, route->id, sizeof(route->id), error);
	if (r == 0)
		r = field_text(object, "tenant", FIELD_MAY, route->tenant,
			sizeof(route->tenant), error);
	if (r == 0)
		r = field_word(object, "kind", FIELD_NEED, kinds, &route->kind, error);
	if (r == 0)
		r = field_time(object, "created_ms", &route->created_ms, error);
	if (r == 0)
		r = field_time(object, "changed_ms", &route->changed_ms, error);
	if (r == 0)
		r = field_time(object, "test_ms", &route->test_ms, error);
	if (r == 0)
		r = field_text(object, "test_error", FIELD_MAY, route->test_error,
			sizeof(route->test_error), error);
	if (r == 0)
		r = read_common(object, route, error);
	return r ? r : read_of_kind(object, route, error);
}

int route_read(const char *body, struct route *ret, struct field_error *error)
{
	struct route route = {0};
	json_t *object;
	int r = field_parse(body, &object, error);

	if (r)
		return r;
	r = read_all(object, &route, error);
	json_decref(object);
	if (r == 0)
		*ret = route;
	return r;
}

static json_t *common_json(const struct route *route)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:s}", "id",
		route->id, "name", route->name, "tenant", route->tenant, "kind",
		kinds[route->kind], "language", languages[route->language], "state",
		states[route->state], "created_ms", (json_int_t)route->created_ms,
		"changed_ms", (json_int_t)route->changed_ms, "test_ms",
		(json_int_t)route->test_ms, "test_error", route->test_error);
}

static void add_mail(json_t *object, const struct route *route)
{
	json_t *to = json_array();

	for (size_t i = 0; i < route->to_count; i++)
		json_array_append_new(to, json_string(route->to[i]));
	json_object_set_new(object, "server", json_string(route->server));
	json_object_set_new(object, "security", json_string(securities[route->security]));
	json_object_set_new(object, "user", json_string(route->user));
	json_object_set_new(object, "from", json_string(route->from));
	json_object_set_new(object, "to", to);
}

static json_t *open_json(const struct route *route)
{
	json_t *object = common_json(route);

	if (!object)
		return NULL;
	if (route->kind == ROUTE_WEBHOOK)
		json_object_set_new(object, "url", json_string(route->url));
	else if (route->kind == ROUTE_MAIL)
		add_mail(object, route);
	else
		json_object_set_new(object, "target", json_string(route->target));
	return object;
}

int route_write(const struct route *route, char **ret)
{
	json_t *object = open_json(route);

	if (!object)
		return -REASON_NO_MEMORY;
	if (route->kind == ROUTE_WEBHOOK)
		json_object_set_new(object, "secret", json_string(route->secret));
	if (route->kind == ROUTE_MAIL)
		json_object_set_new(object, "password", json_string(route->password));
	int r = field_print(object, ret);
	json_decref(object);
	return r;
}

json_t *route_show(const struct route *route)
{
	json_t *object = open_json(route);

	if (object && route->kind == ROUTE_WEBHOOK)
		json_object_set_new(object, "has_secret", json_boolean(*route->secret));
	if (object && route->kind == ROUTE_MAIL)
		json_object_set_new(object, "has_password",
			json_boolean(*route->password));
	return object;
}
