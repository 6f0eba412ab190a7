#include "rules/holder_totp.h"

#include <string.h>

#include "base/reason.h"
#include "base/secret.h"

static const char *const members[] = {
	"secret", "confirmed_ms", "last_step", "pending", NULL};

static int read_secret(const json_t *object, const char *name,
	uint8_t ret[static TOTP_SECRET], int *ret_there, struct field_error *error)
{
	char text[TOTP_SECRET_TEXT] = "";
	int r = field_text(object, name, FIELD_MAY, text, sizeof(text), error);
	*ret_there = *text != 0;
	if (r == 0 && *text && totp_parse(text, ret))
		r = field_fail(error, "totp", "\"%s\" is no secret", name);
	secret_wipe(text, sizeof(text));
	return r;
}

int holder_totp_read(const json_t *object, struct holder_totp *ret,
	struct field_error *error)
{
	const json_t *member = json_object_get(object, "totp");
	struct holder_totp totp = {0};
	int has_secret = 0;
	if (!member || json_is_null(member)) {
		*ret = totp;
		return 0;
	}
	if (!json_is_object(member))
		return field_fail(error, "totp", "an object is expected");
	int r = field_known(member, members, error);
	if (r == 0)
		r = read_secret(member, "secret", totp.secret, &has_secret, error);
	if (r == 0)
		r = read_secret(member, "pending", totp.pending, &totp.is_pending, error);
	if (r == 0)
		r = field_time(member, "confirmed_ms", &totp.confirmed_ms, error);
	if (r == 0)
		r = field_integer(member, "last_step", FIELD_MAY, 0, INT64_MAX,
			&totp.last_step, error);
	if (r == 0 && has_secret != (totp.confirmed_ms > 0))
		r = field_fail(error, "totp", "a secret and its time belong together");
	if (r == 0)
		*ret = totp;
	secret_wipe(&totp, sizeof(totp));
	return r;
}

static int set_secret(json_t *object, const char *name,
	const uint8_t secret[static TOTP_SECRET])
{
	char text[TOTP_SECRET_TEXT];
	totp_print(secret, text);
	int bad = json_object_set_new(object, name, json_string(text));
	secret_wipe(text, sizeof(text));
	return bad;
}

int holder_totp_write(const struct holder_totp *totp, json_t *object)
{
	if (!totp->confirmed_ms && !totp->is_pending) {
		json_object_del(object, "totp");
		return 0;
	}
	json_t *member = json_object();
	int bad = !member;
	if (!bad && totp->confirmed_ms)
		bad = set_secret(member, "secret", totp->secret) ||
		      json_object_set_new(member, "confirmed_ms",
			      json_integer(totp->confirmed_ms)) ||
		      json_object_set_new(member, "last_step",
			      json_integer(totp->last_step));
	if (!bad && totp->is_pending)
		bad = set_secret(member, "pending", totp->pending);
	if (bad || json_object_set(object, "totp", member))
		bad = 1;
	json_decref(member);
	return bad ? -REASON_NO_MEMORY : 0;
}

int holder_totp_begin(struct holder_totp *totp)
{
	int r = totp_generate(totp->pending);
	if (r == 0)
		totp->is_pending = 1;
	return r;
}

int holder_totp_confirm(struct holder_totp *totp, const char *code, int64_t now_ms)
{
	int64_t step = 0;
	if (!totp->is_pending)
		return -REASON_NOT_FOUND;
	int r = totp_check(totp->pending, code, now_ms, &step);
	if (r)
		return r;
	memcpy(totp->secret, totp->pending, sizeof(totp->secret));
	secret_wipe(totp->pending, sizeof(totp->pending));
	totp->is_pending = 0;
	totp->confirmed_ms = now_ms;
	totp->last_step = step;
	return 0;
}

int holder_totp_check(struct holder_totp *totp, const char *code, int64_t now_ms)
{
	if (!totp->confirmed_ms)
		return -REASON_TOTP_WRONG;
	return totp_check(totp->secret, code, now_ms, &totp->last_step);
}
