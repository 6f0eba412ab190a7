/* meter_overlay: what the quality meter says: how good the line is and who could be listening.
 *
 * Thread: any; a pure text model, drawn by screen/sdl_window. Owner: values.
 */
#ifndef METER_OVERLAY_H
#define METER_OVERLAY_H

#include <stdint.h>

#include "base/reason.h"

#define METER_NODE_SIZE 64
#define METER_LINES 5
#define METER_LINE_SIZE 160

enum meter_link {
	METER_CONNECTED,
	METER_RECONNECTING,
	METER_CONNECTING,
};

struct meter_model {
	enum meter_link link;
	int64_t rtt_us;                   /* negative: not measured yet */
	uint64_t in_bytes_s, out_bytes_s; /* from and to the host, per second */
	uint32_t updates_s;               /* pictures per second */
	uint32_t drops;             /* how often the link was lost in this session */
	int64_t protected_since_ms; /* clock_wall_ms() of the handshake; 0: not protected */
	char node[METER_NODE_SIZE]; /* as the gateway names itself */
};

/* A quality of its own for the colour of the first line. */
enum meter_quality { METER_GOOD, METER_FAIR, METER_BAD };
enum meter_quality meter_overlay_quality(const struct meter_model *model);

/* Times are shown in the zone of the machine. Control characters of the node's name are escaped.
 * Returns the number of lines. */
int meter_overlay_lines(const struct meter_model *model, enum reason_lang lang,
	char ret[static METER_LINES][METER_LINE_SIZE]);

#endif
