/* host_inventory: what a host says of its machine, made harmless: it is shown in the console, so every
 * string of it is an attacker's until it has been here.
 *
 * Thread: any; pure.
 */
#ifndef RULES_HOST_INVENTORY_H
#define RULES_HOST_INVENTORY_H

#include "base/check.h"

#define HOST_INVENTORY_MEMBERS 64
#define HOST_INVENTORY_TEXT 256
#define HOST_INVENTORY_DEPTH 3

/* Keeps members with names of a-z 0-9 _ (at most 32), numbers, flags, and texts without control and
 * direction characters, cut to HOST_INVENTORY_TEXT bytes; lists and objects to a depth of
 * HOST_INVENTORY_DEPTH, HOST_INVENTORY_MEMBERS members in all; the rest is dropped. "" or what is
 * no JSON object becomes "{}". The caller frees *ret. -REASON_NO_MEMORY. */
MUST_CHECK int host_inventory_clean(const char *text, char **ret);

#endif
