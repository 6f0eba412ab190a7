/* links: viewer_rfb */
/* What a taken-over decoder child may say to the viewer, and what the viewer says to the child: the
 * first byte chooses a size of the picture and the direction. Damage must end inside the picture.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "rfb/decoder_ipc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void event(uint8_t type, struct cursor body, struct picture *now)
{
	struct decoder_event got;

	if (decoder_ipc_event(type, body, now, &got))
		return;
	if (got.type == DECODER_EVENT_SIZE) {
		now->width = got.width;
		now->height = got.height;
		if (!picture_fits(now->width, now->height))
			abort();
	}
	for (size_t i = 0; i < got.rect_count; i++)
		if (!got.rects[i].w || !got.rects[i].h ||
			got.rects[i].x + got.rects[i].w > (int)now->width ||
			got.rects[i].y + got.rects[i].h > (int)now->height)
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct picture now = {.width = 640, .height = 480};
	struct buf in;
	size_t len = 1;

	if (size < 1)
		return 0;
	buf_init(&in, DECODER_IPC_MAX);
	if (!buf_append(&in, data + 1, size - 1)) {
		while (len) {
			struct decoder_command command;
			struct cursor body = cursor_of("", 0);
			uint8_t type = 0;
			if (decoder_ipc_next(&in, &type, &body, &len) || !len)
				break;
			if (data[0] & 1)
				event(type, body, &now);
			else if (decoder_ipc_command(type, body, &command) == 0 &&
				 (command.quality < -1 || command.quality > 9))
				abort();
			buf_drain(&in, len);
		}
	}
	buf_done(&in);
	return 0;
}
