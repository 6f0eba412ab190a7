#include "relay/whereabouts.h"

#include <stdlib.h>
#include <string.h>

#include "base/reason.h"
#include "rules/field.h"

int whereabouts_address(const char *text, char ret[static WHEREABOUTS_ADDRESS])
{
	struct text_endpoint endpoint;
	if (!*text) {
		*ret = 0;
		return 0;
	}
	if (!field_is_plain(text) || text_endpoint(&endpoint, text, 0) ||
		!*endpoint.host || !endpoint.port)
		return -REASON_BAD_VALUE;
	text_endpoint_text(ret, WHEREABOUTS_ADDRESS, &endpoint);
	return 0;
}

int whereabouts_print(const struct whereabouts *whereabouts,
	char ret[static WHEREABOUTS_TEXT])
{
	json_t *object = json_pack("{s:s, s:s, s:s}", "node", whereabouts->node,
		"address", whereabouts->address, "peer", whereabouts->peer);
	char *text = NULL;
	int r = object ? field_print(object, &text) : -REASON_NO_MEMORY;
	json_decref(object);
	if (r == 0 && text_copy(ret, WHEREABOUTS_TEXT, text))
		r = -REASON_LIMIT;
	free(text);
	return r;
}

static int read_address(const json_t *object, const char *name,
	char ret[static WHEREABOUTS_ADDRESS])
{
	struct field_error error;
	char text[WHEREABOUTS_ADDRESS] = "";
	int r = field_text(object, name, FIELD_MAY, text, sizeof(text), &error);
	return r ? r : whereabouts_address(text, ret);
}

static int read_object(const char *text, struct whereabouts *ret)
{
	struct field_error error;
	json_t *object;
	if (field_parse(text, &object, &error))
		return -REASON_BAD_MESSAGE;
	int r = field_text(object, "node", FIELD_NEED, ret->node, sizeof(ret->node),
		&error);
	if (r == 0)
		r = read_address(object, "address", ret->address);
	if (r == 0)
		r = read_address(object, "peer", ret->peer);
	json_decref(object);
	return r ? -REASON_BAD_MESSAGE : 0;
}

int whereabouts_parse(const char *text, struct whereabouts *ret)
{
	struct whereabouts one = {0};
	int r = 0;
	if (strnlen(text, WHEREABOUTS_TEXT) == WHEREABOUTS_TEXT)
		r = -REASON_LIMIT;
	else if (*text == '{')
		r = read_object(text, &one);
	else if (!field_is_plain(text) || text_copy(one.node, sizeof(one.node), text))
		r = -REASON_BAD_MESSAGE;
	if (r == 0 && !*one.node)
		r = -REASON_BAD_MESSAGE;
	if (r == 0)
		*ret = one;
	return r;
}
