#include "rfb/rfb_message.h"

/* Numbers and sizes of RFC 6143 section 7.5; 251 is SetDesktopSize of the community's wiki. */
enum kind {
	SET_PIXEL_FORMAT = 0,
	SET_ENCODINGS = 2,
	UPDATE_REQUEST = 3,
	KEY = 4,
	POINTER = 5,
	CUT_TEXT = 6,
	SET_DESKTOP_SIZE = 251,
};

static uint32_t be32(const uint8_t *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 |
	       at[3];
}

/* A negative length marks the extended clipboard. */
static int64_t cut_text_size(uint32_t length)
{
	int64_t len = (int32_t)length;
	len = len < 0 ? -len : len;
	return len > RFB_MESSAGE_CUT_TEXT_MAX ? RFB_MESSAGE_ODD : 8 + len;
}

int64_t rfb_message_size(const uint8_t *head, size_t len)
{
	if (len == 0)
		return RFB_MESSAGE_TOO_LITTLE;
	switch (head[0]) {
	case SET_PIXEL_FORMAT:
		return 20;
	case SET_ENCODINGS:
		return len < 4 ? RFB_MESSAGE_TOO_LITTLE
			       : 4 + 4 * (head[2] << 8 | head[3]);
	case UPDATE_REQUEST:
		return 10;
	case KEY:
		return 8;
	case POINTER:
		return 6;
	case CUT_TEXT:
		return len < 8 ? RFB_MESSAGE_TOO_LITTLE : cut_text_size(be32(head + 4));
	case SET_DESKTOP_SIZE:
		return len < 7 ? RFB_MESSAGE_TOO_LITTLE : 8 + 16 * head[6];
	default:
		return RFB_MESSAGE_ODD;
	}
}
