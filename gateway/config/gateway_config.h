/* gateway_config: what an operator can configure, as a struct made from gateway_config.def.
 *
 * Thread: main fills it; a filled struct is handed down as const. Owner: whoever filled it, until
 * gateway_config_done(). Errors: -REASON_CONFIG with file, line and column in the conf_error.
 */
#ifndef CONFIG_GATEWAY_CONFIG_H
#define CONFIG_GATEWAY_CONFIG_H

#include <stdint.h>

#include "base/conf.h"
#include "base/log.h"

struct gateway_config {
#define GATEWAY_CONFIG_BOOL(field) int field;
#define GATEWAY_CONFIG_INT(field) int64_t field;
#define GATEWAY_CONFIG_SIZE(field) int64_t field;
#define GATEWAY_CONFIG_MS(field) int64_t field;
#define GATEWAY_CONFIG_STRING(field) char *field;
#define C(section, name, type, field, fallback, min, max, when, help)                    \
	GATEWAY_CONFIG_##type(field)
#include "config/gateway_config.def"
#undef C
};

const struct conf_table *gateway_config_table(void);

/* Fallbacks, then the file if `path` is not NULL; what several entries must agree on is checked. */
MUST_CHECK int gateway_config_load(struct gateway_config *ret, const char *path,
	struct conf_error *error);
/* What is said here must also hold after flags have changed entries. */
MUST_CHECK int gateway_config_check(const struct gateway_config *config,
	struct conf_error *error);
/* Takes over from `fresh` what may change while the gateway runs. Returns how many START entries
 * differ, which is what an operator has to be told: they wait for a restart. */
int gateway_config_adopt(struct gateway_config *config,
	const struct gateway_config *fresh);
/* An entry's present value as it would stand in the file ("15s", "64K", "yes"). */
#define GATEWAY_CONFIG_TEXT 256
void gateway_config_text(const struct gateway_config *config,
	const struct conf_entry *entry, char ret[static GATEWAY_CONFIG_TEXT]);
enum log_level gateway_config_log_level(const struct gateway_config *config);
void gateway_config_done(struct gateway_config *config);

#endif
