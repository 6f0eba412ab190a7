/* log: one line per event for operators, as key=value text or as JSON. Not the journal: lines may
 * be lost, events that matter are journal rows.
 *
 *   log_line(LOG_INFO, "session opened", LOG_S("session", id), LOG_U("fence", fence));
 *
 * Thread: any; a line is written with one write(2). Values are escaped (text_escape), at most 256
 * bytes each, so no peer can forge a line. proto/ itself logs nothing above LOG_DEBUG.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdint.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };
enum log_format { LOG_TEXT, LOG_JSON };

struct log_field {
	const char *key;
	const char *text; /* NULL: `number` counts */
	int64_t number;
};

#define LOG_S(key, value) ((struct log_field){(key), (value), 0})
#define LOG_U(key, value) ((struct log_field){(key), 0, (int64_t)(value)})

/* `fd` is borrowed. `program` is borrowed for ever. Default: stderr, text, LOG_INFO. */
void log_open(const char *program, int fd, enum log_format format, enum log_level least);
/* From "text"/"json"; -REASON_USAGE for anything else. */
int log_format_parse(const char *text, enum log_format *ret);

void log_fields(enum log_level level, const char *event, const struct log_field *fields);
#define log_line(level, event, ...)                                                      \
	log_fields((level), (event),                                                     \
		(const struct log_field[]){__VA_ARGS__ __VA_OPT__(, ){0, 0, 0}})

#endif
