/* ip_rule: networks as people write them, v4 and v6, and whether an address is in one.
 *
 *   192.0.2.7   192.0.2.0/24   2001:db8::/32        ::ffff:192.0.2.7 is 192.0.2.7
 *
 * Thread: any; pure. Errors: -REASON_BAD_VALUE.
 */
#ifndef RULES_IP_RULE_H
#define RULES_IP_RULE_H

#include <stddef.h>
#include <stdint.h>

#include "base/check.h"

#define IP_RULE_TEXT 64

struct ip_rule {
	uint8_t address[16]; /* v4 as mapped v6 */
	uint8_t bits;        /* of these 128 */
};

/* Bits beyond the prefix must be zero: 192.0.2.1/24 is more likely a mistake than a network. */
MUST_CHECK int ip_rule_parse(const char *text, struct ip_rule *ret);
void ip_rule_print(const struct ip_rule *rule, char ret[static IP_RULE_TEXT]);
/* What is no address matches no rule. */
int ip_rule_match(const struct ip_rule *rules, size_t count, const char *address);
/* What one household or attacker has: the v4 address, or the v6 /64, as text. What is no address is
 * "?", so it is counted together. */
void ip_rule_prefix(const char *address, char ret[static IP_RULE_TEXT]);

#endif
