/* document: writes the JSON body of a stored document over the one that was there, so that members
 * which a newer version added stay.
 *
 *	json_t *object;
 *	int r = document_open(before, &object);
 *	if (r == 0)
 *		r = document_set(object, json_pack(…));
 *	return document_close(object, r, ret);
 *
 * Thread: any; no state. Owner: document_close takes the object, whatever happened before.
 */
#ifndef RULES_DOCUMENT_H
#define RULES_DOCUMENT_H

#include <jansson.h>

#include "base/check.h"

/* *ret is NULL after an error: -REASON_STATE_DAMAGED when `before` (NULL: nothing was there) is no
 * JSON object, -REASON_NO_MEMORY. */
MUST_CHECK int document_open(const char *before, json_t **ret);
/* Sets every member of `fields`, which it takes; NULL (there was no memory for them) is an error. */
MUST_CHECK int document_set(json_t *object, json_t *fields);
/* The text in *ret, for the caller to free, if `status` is 0; else `status`. */
MUST_CHECK int document_close(json_t *object, int status, char **ret);

#endif
