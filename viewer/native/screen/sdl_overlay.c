#include "screen/sdl_overlay.h"

#include <SDL2/SDL_render.h>

#include "screen/sdl_text.h"

#define WHITE 0xFFFFFFFFu
#define GREY 0xFFC8CCD0u
#define MARGIN 12

static void box(SDL_Renderer *renderer, const SDL_Rect *rect, uint8_t alpha)
{
	SDL_SetRenderDrawBlendMode(renderer, SDL_BLENDMODE_BLEND);
	SDL_SetRenderDrawColor(renderer, 12, 16, 20, alpha);
	SDL_RenderFillRect(renderer, rect);
}

void sdl_overlay_meter(SDL_Renderer *renderer, struct sdl_text *text, int window_w,
	const struct meter_model *meter, enum reason_lang lang, int points)
{
	static const uint32_t colors[] = {[METER_GOOD] = 0xFF7EE08Au,
		[METER_FAIR] = 0xFFFFD166u,
		[METER_BAD] = 0xFFFF7B72u};
	char lines[METER_LINES][METER_LINE_SIZE];
	int count = meter_overlay_lines(meter, lang, lines), width = 0;
	int height = sdl_text_height(text, points);

	for (int i = 0; i < count; i++) {
		int w = sdl_text_width(text, points, lines[i]);
		width = w > width ? w : width;
	}
	if (!height)
		return;
	/* At the right, where desktops keep nothing that one clicks at a line's start. */
	const SDL_Rect rect = {window_w - width - 3 * MARGIN, MARGIN, width + 2 * MARGIN,
		count * height + MARGIN};
	box(renderer, &rect, 208);
	for (int i = 0; i < count; i++)
		sdl_text_draw(text, renderer, points, lines[i], rect.x + MARGIN,
			rect.y + MARGIN / 2 + i * height,
			i ? WHITE : colors[meter_overlay_quality(meter)]);
}

/* As much smaller as a long line needs to stay inside. */
static int points_for(struct sdl_text *text, const char *line, int points, int room)
{
	int width = sdl_text_width(text, points, line);

	if (width <= room || room <= 0)
		return points;
	return points * room / width > 8 ? points * room / width : 8;
}

void sdl_overlay_notice(SDL_Renderer *renderer, struct sdl_text *text, int window_w,
	int window_h, const char *title, const char *detail, int points)
{
	const SDL_Rect all = {0, 0, window_w, window_h};
	int room = window_w - 4 * MARGIN;
	int big = points_for(text, title, points * 3 / 2, room);
	int small = points_for(text, detail, points, room);
	int title_w = sdl_text_width(text, big, title),
	    title_h = sdl_text_height(text, big);
	int detail_w = sdl_text_width(text, small, detail);
	int detail_h = *detail ? sdl_text_height(text, small) : 0;
	int width = title_w > detail_w ? title_w : detail_w, height = title_h + detail_h;

	box(renderer, &all, 150);
	if (!title_h)
		return;
	const SDL_Rect rect = {(window_w - width) / 2 - 2 * MARGIN,
		(window_h - height) / 2 - MARGIN, width + 4 * MARGIN,
		height + 2 * MARGIN};
	box(renderer, &rect, 224);
	sdl_text_draw(text, renderer, big, title, (window_w - title_w) / 2,
		rect.y + MARGIN, WHITE);
	sdl_text_draw(text, renderer, small, detail, (window_w - detail_w) / 2,
		rect.y + MARGIN + title_h, GREY);
}

void sdl_overlay_line(SDL_Renderer *renderer, struct sdl_text *text, int window_w,
	int window_h, const char *line, int points)
{
	int size = points_for(text, line, points, window_w - 2 * MARGIN);
	int width = sdl_text_width(text, size, line);
	int height = sdl_text_height(text, size) + MARGIN / 2;

	if (!width)
		return;
	const SDL_Rect rect = {(window_w - width) / 2 - MARGIN, window_h - height,
		width + 2 * MARGIN, height};
	box(renderer, &rect, 208);
	sdl_text_draw(text, renderer, size, line, rect.x + MARGIN, rect.y + MARGIN / 4,
		WHITE);
}
