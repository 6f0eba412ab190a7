#include "screen/sdl_text.h"

#include <SDL2/SDL_render.h>
#include <SDL2/SDL_ttf.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/check.h"

/* Where Debian's packages put fonts that have Japanese, then those that have not. */
static const char *const places[] = {
	"/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
	"/usr/share/fonts/truetype/noto/NotoSansCJK-Regular.ttc",
	"/usr/share/fonts/noto-cjk/NotoSansCJK-Regular.ttc",
	"/usr/share/fonts/opentype/ipaexfont-gothic/ipaexg.ttf",
	"/usr/share/fonts/opentype/ipafont-gothic/ipag.ttf",
	"/usr/share/fonts/truetype/fonts-japanese-gothic.ttf",
	"/usr/share/fonts/truetype/takao-gothic/TakaoPGothic.ttf",
	"/usr/share/fonts/truetype/vlgothic/VL-PGothic-Regular.ttf",
	"/usr/share/fonts/truetype/droid/DroidSansFallbackFull.ttf",
	"/usr/share/fonts/truetype/noto/NotoSans-Regular.ttf",
	"/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf",
	"/usr/share/fonts/truetype/liberation/LiberationSans-Regular.ttf",
	"/usr/share/fonts/truetype/freefont/FreeSans.ttf",
};

struct sdl_text {
	TTF_Font *font;
	int size;
};

static TTF_Font *open_font(const char *path)
{
	return path && !access(path, R_OK) ? TTF_OpenFont(path, 16) : NULL;
}

struct sdl_text *sdl_text_new(const char *font)
{
	struct sdl_text *text = calloc(1, sizeof *text);

	if (!text || TTF_Init())
		return text;
	text->size = 16;
	text->font = open_font(font);
	for (size_t i = 0; !text->font && i < ARRAY_LEN(places); i++)
		text->font = open_font(places[i]);
	return text;
}

static TTF_Font *sized(struct sdl_text *text, int size)
{
	if (!text || !text->font)
		return NULL;
	if (size != text->size && !TTF_SetFontSize(text->font, size))
		text->size = size;
	return text->font;
}

int sdl_text_height(struct sdl_text *text, int size)
{
	TTF_Font *font = sized(text, size);

	return font ? TTF_FontHeight(font) : 0;
}

int sdl_text_width(struct sdl_text *text, int size, const char *utf8)
{
	TTF_Font *font = sized(text, size);
	int width = 0;

	if (!font || !*utf8 || TTF_SizeUTF8(font, utf8, &width, NULL))
		return 0;
	return width;
}

void sdl_text_draw(struct sdl_text *text, SDL_Renderer *renderer, int size,
	const char *utf8, int x, int y, uint32_t color)
{
	const SDL_Color c = {(uint8_t)(color >> 16), (uint8_t)(color >> 8),
		(uint8_t)color, (uint8_t)(color >> 24)};
	TTF_Font *font = sized(text, size);
	SDL_Surface *surface =
		font && *utf8 ? TTF_RenderUTF8_Blended(font, utf8, c) : NULL;

	if (!surface)
		return;
	SDL_Texture *texture = SDL_CreateTextureFromSurface(renderer, surface);
	if (texture) {
		const SDL_Rect place = {x, y, surface->w, surface->h};
		SDL_RenderCopy(renderer, texture, NULL, &place);
		SDL_DestroyTexture(texture);
	}
	SDL_FreeSurface(surface);
}

struct sdl_text *sdl_text_free(struct sdl_text *text)
{
	if (!text)
		return NULL;
	if (text->font)
		TTF_CloseFont(text->font);
	if (TTF_WasInit())
		TTF_Quit();
	free(text);
	return NULL;
}
