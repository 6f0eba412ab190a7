/* links: agent_rfb */
/* A viewer's RFB stream cut into messages: a size once told is not taken back when more bytes come, is
 * bounded, and eight bytes always tell. */
#include <stdlib.h>

#include "rfb/rfb_message.h"

#define LARGEST (8 + RFB_MESSAGE_CUT_TEXT_MAX)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t at = 0;
	while (at < size) {
		size_t left = size - at;
		int64_t told = rfb_message_size(data + at, left);
		for (size_t len = 0; len < left && len < RFB_MESSAGE_HEAD; len++) {
			int64_t early = rfb_message_size(data + at, len);
			if (early != RFB_MESSAGE_TOO_LITTLE && early != told)
				abort();
		}
		if (told < RFB_MESSAGE_ODD || told > LARGEST ||
			(told == RFB_MESSAGE_TOO_LITTLE && left >= RFB_MESSAGE_HEAD))
			abort();
		if (told <= 0 || (uint64_t)told > left)
			break;
		at += (size_t)told;
	}
	return 0;
}
