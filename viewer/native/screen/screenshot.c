#include "screen/screenshot.h"

#include <errno.h>
#include <fcntl.h>
#include <png.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/reason.h"

/* libpng's default prints and longjmps; the jump is all that is wanted. */
__attribute__((noreturn)) static void fail(png_structp png, png_const_charp message)
{
	(void)message;
	png_longjmp(png, 1);
}

static void ignore(png_structp png, png_const_charp message)
{
	(void)png, (void)message;
}

static void rows(png_structp png, const struct picture *picture, uint8_t *row)
{
	for (uint32_t y = 0; y < picture->height; y++) {
		const uint8_t *at = picture->pixels + (size_t)y * picture->stride;
		for (uint32_t x = 0; x < picture->width; x++) {
			uint32_t pixel;
			memcpy(&pixel, at + 4 * (size_t)x, sizeof pixel);
			row[3 * (size_t)x] = (uint8_t)(pixel >> 16);
			row[3 * (size_t)x + 1] = (uint8_t)(pixel >> 8);
			row[3 * (size_t)x + 2] = (uint8_t)pixel;
		}
		png_write_row(png, row);
	}
}

static int encode(FILE *file, const struct picture *picture, uint8_t *row)
{
	png_structp png =
		png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, fail, ignore);
	png_infop info = png ? png_create_info_struct(png) : NULL;

	if (!info) {
		png_destroy_write_struct(&png, NULL);
		return -REASON_NO_MEMORY;
	}
	if (setjmp(png_jmpbuf(png))) {
		int r = errno == ENOSPC || errno == EDQUOT ? -REASON_DISK_FULL
							   : -REASON_FILE_UNWRITABLE;
		png_destroy_write_struct(&png, &info);
		return r;
	}
	errno = 0;
	png_init_io(png, file);
	png_set_IHDR(png, info, picture->width, picture->height, 8, PNG_COLOR_TYPE_RGB,
		PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
		PNG_FILTER_TYPE_DEFAULT);
	png_write_info(png, info);
	rows(png, picture, row);
	png_write_end(png, info);
	png_destroy_write_struct(&png, &info);
	return 0;
}

static int file_error(void)
{
	return errno == ENOSPC || errno == EDQUOT ? -REASON_DISK_FULL
						  : -REASON_FILE_UNWRITABLE;
}

static int write_file(const char *path, const struct picture *picture, uint8_t *row)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "wb");
	int r;

	if (!file) {
		r = file_error();
		if (fd >= 0)
			close(fd);
		return r;
	}
	r = encode(file, picture, row);
	if (!r && (fflush(file) || fsync(fd)))
		r = file_error();
	if (fclose(file) && !r)
		r = file_error();
	return r;
}

int screenshot_write(const char *path, const struct picture *picture)
{
	/* Width and height may change while this runs; one copy decides. */
	const struct picture copy = *picture;
	char *part = NULL;
	uint8_t *row;
	int r;

	if (!copy.width || !copy.height)
		return -REASON_NOT_FOUND;
	row = malloc(3 * (size_t)copy.width);
	if (!row || asprintf(&part, "%s.%d.part", path, (int)getpid()) < 0) {
		free(row);
		return -REASON_NO_MEMORY;
	}
	r = write_file(part, &copy, row);
	if (!r && rename(part, path))
		r = file_error();
	if (r)
		unlink(part);
	free(part);
	free(row);
	return r;
}
