/* vnc_probe PORT SECONDS FILE.ppm [TEXT]: an ordinary program on libvncclient: connects to 127.0.0.1:PORT with
 * that library's own encodings (Tight, ZRLE, CopyRect, …), types TEXT, looks for SECONDS, and writes what it
 * sees. Not ours in any way but that the tests run it.
 */

#include <rfb/rfbclient.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void look(rfbClient *client, double seconds)
{
	for (double end = now() + seconds; now() < end;) {
		int ready = WaitForMessage(client, 100000);
		if (ready < 0 || (ready > 0 && !HandleRFBServerMessage(client))) {
			fprintf(stderr, "the server ended the connection\n");
			exit(1);
		}
	}
}

/* UTF-8 to one code point; the tests send valid text. */
static unsigned next_code(const unsigned char **at)
{
	unsigned code = *(*at)++;
	int more = code >= 0xF0 ? 3 : code >= 0xE0 ? 2 : code >= 0xC0 ? 1 : 0;
	if (more)
		code &= 0x3Fu >> more;
	while (more--)
		code = code << 6 | (*(*at)++ & 0x3F);
	return code;
}

static void type_text(rfbClient *client, const char *text)
{
	const unsigned char *at = (const unsigned char *)text;
	while (*at) {
		unsigned code = next_code(&at);
		uint32_t sym = code < 0x100 ? code : 0x01000000u | code;
		SendKeyEvent(client, sym, TRUE);
		SendKeyEvent(client, sym, FALSE);
	}
}

static int write_picture(const rfbClient *client, const char *path)
{
	FILE *file = fopen(path, "wb");
	if (!file)
		return 1;
	fprintf(file, "P6\n%d %d\n255\n", client->width, client->height);
	for (long i = 0; i < (long)client->width * client->height; i++) {
		const uint8_t *pixel = client->frameBuffer + 4 * i;
		fwrite(pixel, 1, 3, file);
	}
	return fclose(file) != 0;
}

int main(int argc, char **argv)
{
	char *words[] = {argv[0], NULL};
	int count = 1;
	if (argc < 4)
		return 64;
	rfbClient *client = rfbGetClient(8, 3, 4);
	client->serverHost = strdup("127.0.0.1");
	client->serverPort = atoi(argv[1]);
	client->appData.qualityLevel = 9;
	if (!rfbInitClient(client, &count, words))
		return 69;
	look(client, 1);
	if (argc > 4)
		type_text(client, argv[4]);
	look(client, atof(argv[2]));
	int failed = write_picture(client, argv[3]);
	rfbClientCleanup(client);
	return failed;
}
