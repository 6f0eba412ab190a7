#include "screen/watermark.h"

#include <fontconfig/fontconfig.h>
#include <ft2build.h>
#include FT_FREETYPE_H
#include <stdlib.h>
#include <string.h>

#include "base/reason.h"
#include "base/text.h"
#include "screen/source.h"

#define FONT_PIXELS 20
#define GAP 56
/* Seen on a photograph and no hindrance to reading: about a tenth of the range. */
#define STRENGTH 26
#define GLYPHS_MAX 200

struct watermark {
	int width, height; /* of the tile that repeats */
	uint8_t *mask;     /* by how much a pixel changes, 0 … STRENGTH */
	uint32_t *out;
	size_t out_size; /* pixels */
};

struct pen {
	FT_Library library;
	FT_Face face;
	FT_Matrix slope;
	struct watermark *mark; /* NULL: only measures */
	FT_Vector at;           /* 26.6 */
	int left, right, top, bottom;
};

static FcPattern *wish_for(const uint32_t *letters, size_t count)
{
	FcCharSet *set = FcCharSetCreate();
	FcPattern *wish = FcPatternCreate();
	for (size_t i = 0; i < count; i++)
		FcCharSetAddChar(set, letters[i]);
	FcPatternAddCharSet(wish, FC_CHARSET, set);
	FcPatternAddString(wish, FC_FAMILY, (const FcChar8 *)"sans-serif");
	FcPatternAddBool(wish, FC_SCALABLE, FcTrue);
	FcConfigSubstitute(NULL, wish, FcMatchPattern);
	FcDefaultSubstitute(wish);
	FcCharSetDestroy(set);
	return wish;
}

/* The font that has most of these letters. */
static int open_font(struct pen *pen, const uint32_t *letters, size_t count)
{
	FcResult result;
	FcChar8 *file = NULL;
	int index = 0;
	FcPattern *wish = wish_for(letters, count);
	FcPattern *font = FcFontMatch(NULL, wish, &result);
	int found = font && FcPatternGetString(font, FC_FILE, 0, &file) == FcResultMatch;
	if (found && FcPatternGetInteger(font, FC_INDEX, 0, &index) != FcResultMatch)
		index = 0;
	found = found &&
		!FT_New_Face(pen->library, (const char *)file, index, &pen->face);
	if (font)
		FcPatternDestroy(font);
	FcPatternDestroy(wish);
	if (!found || FT_Set_Pixel_Sizes(pen->face, 0, FONT_PIXELS))
		return -REASON_MISSING_PROGRAM;
	return 0;
}

/* UTF-8 that has been checked before. */
static size_t letters_of(const char *text, uint32_t ret[static GLYPHS_MAX])
{
	const FcChar8 *at = (const FcChar8 *)text;
	int left = (int)strlen(text);
	size_t count = 0;
	while (left > 0 && count < GLYPHS_MAX) {
		FcChar32 letter;
		int used = FcUtf8ToUcs4(at, &letter, left);
		if (used <= 0)
			break;
		at += used;
		left -= used;
		ret[count++] = letter;
	}
	return count;
}

static void blot(struct watermark *mark, int x, int y, int depth)
{
	x = (x % mark->width + mark->width) % mark->width;
	y = (y % mark->height + mark->height) % mark->height;
	uint8_t *place = &mark->mask[(size_t)y * (size_t)mark->width + (size_t)x];
	int value = depth * STRENGTH / 255;
	if (value > *place)
		*place = (uint8_t)value;
}

static void stretch(struct pen *pen, int x, int y)
{
	pen->left = x < pen->left ? x : pen->left;
	pen->right = x > pen->right ? x : pen->right;
	pen->top = y < pen->top ? y : pen->top;
	pen->bottom = y > pen->bottom ? y : pen->bottom;
}

static void draw_glyph(struct pen *pen)
{
	const FT_GlyphSlot slot = pen->face->glyph;
	const FT_Bitmap *bitmap = &slot->bitmap;
	for (int row = 0; row < (int)bitmap->rows; row++)
		for (int column = 0; column < (int)bitmap->width; column++) {
			int x = slot->bitmap_left + column, y = row - slot->bitmap_top;
			int depth = bitmap->buffer[row * bitmap->pitch + column];
			if (!depth)
				continue;
			if (pen->mark)
				blot(pen->mark, x - pen->left, y - pen->top, depth);
			else
				stretch(pen, x, y);
		}
}

static void write_letters(struct pen *pen, const uint32_t *letters, size_t count)
{
	pen->at = (FT_Vector){0, 0};
	for (size_t i = 0; i < count; i++) {
		FT_Set_Transform(pen->face, &pen->slope, &pen->at);
		if (FT_Load_Char(pen->face, letters[i],
			    FT_LOAD_RENDER | FT_LOAD_NO_HINTING | FT_LOAD_NO_BITMAP))
			continue;
		draw_glyph(pen);
		pen->at.x += pen->face->glyph->advance.x;
		pen->at.y += pen->face->glyph->advance.y;
	}
}

/* Once to see how large it is, once for good. */
static int make_tile(struct pen *pen, struct watermark *mark, const char *text)
{
	uint32_t letters[GLYPHS_MAX];
	size_t count = letters_of(text, letters);
	/* Uphill by about 17 degrees, so that it crosses lines of text and window borders. */
	pen->slope = (FT_Matrix){0xf500, -0x4a00, 0x4a00, 0xf500};
	int r = open_font(pen, letters, count);
	if (r)
		return r;
	write_letters(pen, letters, count);
	if (pen->right < pen->left)
		return -REASON_MISSING_PROGRAM; /* not one of its letters can be drawn */
	mark->width = pen->right - pen->left + GAP;
	mark->height = pen->bottom - pen->top + GAP;
	mark->mask = calloc((size_t)mark->width, (size_t)mark->height);
	if (!mark->mask)
		return -REASON_NO_MEMORY;
	pen->mark = mark;
	write_letters(pen, letters, count);
	return 0;
}

int watermark_new(const char *text, struct watermark **ret)
{
	char clipped[WATERMARK_TEXT_MAX + 1];
	struct watermark *mark = calloc(1, sizeof(*mark));
	struct pen pen = {.left = 1 << 20,
		.right = -(1 << 20),
		.top = 1 << 20,
		.bottom = -(1 << 20)};
	if (!mark)
		return -REASON_NO_MEMORY;
	text_clip(clipped, sizeof(clipped), text);
	int r = FT_Init_FreeType(&pen.library) ? -REASON_NO_MEMORY : 0;
	if (r == 0)
		r = make_tile(&pen, mark, clipped);
	if (pen.face)
		FT_Done_Face(pen.face);
	if (pen.library)
		FT_Done_FreeType(pen.library);
	if (r)
		watermark_free(mark);
	else
		*ret = mark;
	return r;
}

static uint32_t shift(uint32_t pixel, uint32_t by)
{
	uint32_t out = 0;
	for (int at = 0; at < 24; at += 8) {
		uint32_t value = pixel >> at & 0xff;
		out |= (value > 127 ? value - by : value + by) << at;
	}
	return out;
}

static void cover_row(const struct watermark *mark, const struct source_rect *rect, int y,
	const uint32_t *from, uint32_t *to)
{
	const uint8_t *mask =
		mark->mask + (size_t)((rect->y + y) % mark->height) * (size_t)mark->width;
	int at = rect->x % mark->width;
	for (int x = 0; x < rect->w; x++) {
		to[x] = mask[at] ? shift(from[x], mask[at]) : from[x];
		at = at + 1 < mark->width ? at + 1 : 0;
	}
}

const uint32_t *watermark_over(struct watermark *mark, const struct source_rect *rect,
	const uint32_t *pixels, int stride)
{
	size_t need = (size_t)rect->w * (size_t)rect->h;
	if (need > mark->out_size) {
		uint32_t *more = realloc(mark->out, need * sizeof(*more));
		if (!more)
			return NULL;
		mark->out = more;
		mark->out_size = need;
	}
	for (int y = 0; y < rect->h; y++)
		cover_row(mark, rect, y, pixels + (int64_t)y * stride,
			mark->out + (size_t)y * (size_t)rect->w);
	return mark->out;
}

struct watermark *watermark_free(struct watermark *mark)
{
	if (!mark)
		return NULL;
	free(mark->mask);
	free(mark->out);
	free(mark);
	return NULL;
}
