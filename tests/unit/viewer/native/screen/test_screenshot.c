#include "unit/viewer/native/desk_rig.h"

#include <dirent.h>
#include <png.h>

#include "base/reason.h"
#include "screen/screenshot.h"

static const uint32_t pixels[6] = {
	0x00ff0000, 0xff00ff00, 0x0000ff, 0x123456, 0, 0xffffff};
static const struct picture picture = {(const uint8_t *)pixels, 3, 2, 12};

static void test_png_has_the_pixels(void **state)
{
	png_image image = {.version = PNG_IMAGE_VERSION};
	uint8_t rgb[18];
	static const uint8_t want[18] = {255, 0, 0, 0, 255, 0, 0, 0, 255, 0x12, 0x34,
		0x56, 0, 0, 0, 255, 255, 255};
	char dir[64], path[96];
	struct stat st;

	(void)state;
	rig_temp(dir, sizeof dir);
	snprintf(path, sizeof path, "%s/a.png", dir);
	for (int i = 0; i < 2; i++) /* also over an old one */
		assert_int_equal(screenshot_write(path, &picture), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_true(png_image_begin_read_from_file(&image, path));
	assert_int_equal(image.width, 3);
	assert_int_equal(image.height, 2);
	image.format = PNG_FORMAT_RGB;
	assert_true(png_image_finish_read(&image, NULL, rgb, 0, NULL));
	assert_memory_equal(rgb, want, sizeof want);
	rig_remove(dir);
}

static void test_failures_leave_nothing(void **state)
{
	const struct picture none = {0};
	char dir[64], path[96];

	(void)state;
	rig_temp(dir, sizeof dir);
	snprintf(path, sizeof path, "%s/a.png", dir);
	assert_int_equal(screenshot_write(path, &none), -REASON_NOT_FOUND);
	assert_int_equal(screenshot_write("/nonexistent/a.png", &picture),
		-REASON_FILE_UNWRITABLE);
	assert_int_equal(mkdir(path, 0700), 0); /* the name is taken by a directory */
	assert_int_equal(screenshot_write(path, &picture), -REASON_FILE_UNWRITABLE);
	assert_int_equal(rmdir(path), 0);
	DIR *entries = opendir(dir);
	assert_non_null(entries);
	for (struct dirent *entry; (entry = readdir(entries));)
		assert_true(entry->d_name[0] == '.');
	closedir(entries);
	rig_remove(dir);
}

/* A disk that has no room: a tmpfs of four pages, where mounting is permitted. */
static void test_full_disk(void **state)
{
	struct picture large = {.width = 512, .height = 512, .stride = 2048};
	char dir[64], path[96];
	uint8_t *noise = malloc(512 * 2048);

	(void)state;
	rig_temp(dir, sizeof dir);
	assert_non_null(noise);
	for (size_t i = 0; i < 512 * 2048; i++)
		noise[i] = (uint8_t)(i * i >> 7 ^ i);
	large.pixels = noise;
	if (RIG_RUN(NULL, "mount", "-t", "tmpfs", "-o", "size=16k", "none", dir)) {
		free(noise);
		rig_remove(dir);
		skip();
	}
	snprintf(path, sizeof path, "%s/a.png", dir);
	int r = screenshot_write(path, &large);
	int gone = access(path, F_OK);
	RIG_RUN(NULL, "umount", dir);
	assert_int_equal(r, -REASON_DISK_FULL);
	assert_int_equal(gone, -1);
	free(noise);
	rig_remove(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_png_has_the_pixels),
		cmocka_unit_test(test_failures_leave_nothing),
		cmocka_unit_test(test_full_disk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
