#include "rules/qr.h"

#include <errno.h>
#include <qrencode.h>
#include <string.h>

#include "base/reason.h"

/* Version 40, the largest there is. */
#define SIZE_MAX_MODULES 177

static int add_rows(json_t *rows, const QRcode *code)
{
	char row[SIZE_MAX_MODULES + 1];
	for (int y = 0; y < code->width; y++) {
		for (int x = 0; x < code->width; x++)
			row[x] = code->data[y * code->width + x] & 1 ? '1' : '0';
		row[code->width] = 0;
		if (json_array_append_new(rows, json_string(row)))
			return -REASON_NO_MEMORY;
	}
	return 0;
}

int qr_make(const char *text, json_t **ret)
{
	if (!*text)
		return -REASON_BAD_VALUE;
	if (strlen(text) > QR_TEXT_MAX)
		return -REASON_LIMIT;
	QRcode *code = QRcode_encodeString8bit(text, 0, QR_ECLEVEL_M);
	if (!code)
		return errno == ENOMEM ? -REASON_NO_MEMORY : -REASON_LIMIT;
	json_t *rows = json_array();
	int r = rows && code->width <= SIZE_MAX_MODULES ? add_rows(rows, code)
							: -REASON_NO_MEMORY;
	if (r == 0) {
		json_t *object =
			json_pack("{s:i, s:O}", "size", code->width, "rows", rows);
		if (object)
			*ret = object;
		else
			r = -REASON_NO_MEMORY;
	}
	json_decref(rows);
	QRcode_free(code);
	return r;
}
