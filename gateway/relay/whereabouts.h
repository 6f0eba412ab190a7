/* whereabouts: where a host is, as its node announces it (store/state.h, state_announce) and the other nodes
 * read it: {"node":"n1","address":"a.example.com:443","peer":"10.0.0.1:7443"}.
 *
 * A node of the former generation announces its bare name: nobody can be sent or carried there.
 * Thread: any; pure. Errors: -REASON_BAD_MESSAGE, -REASON_LIMIT; the result is untouched then.
 */
#ifndef RELAY_WHEREABOUTS_H
#define RELAY_WHEREABOUTS_H

#include <stddef.h>

#include "base/check.h"
#include "base/text.h"

#define WHEREABOUTS_ADDRESS (TEXT_HOST_SIZE + 16)
#define WHEREABOUTS_TEXT 1024

struct whereabouts {
	char node[65];
	char address
		[WHEREABOUTS_ADDRESS]; /* HOST:PORT for ends; "": they cannot go there */
	char peer
		[WHEREABOUTS_ADDRESS]; /* HOST:PORT for other nodes; "": they cannot either */
};

/* -REASON_BAD_VALUE: neither "" nor HOST:PORT. */
MUST_CHECK int whereabouts_address(const char *text,
	char ret[static WHEREABOUTS_ADDRESS]);
MUST_CHECK int whereabouts_print(const struct whereabouts *whereabouts,
	char ret[static WHEREABOUTS_TEXT]);
MUST_CHECK int whereabouts_parse(const char *text, struct whereabouts *ret);

#endif
