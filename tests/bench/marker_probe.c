/* marker_probe PORT SECONDS MODE LOG: an ordinary libvncclient viewer of 127.0.0.1:PORT that notes when each
 * marker of marker_app is in its framebuffer: "number microseconds". MODE "watch" only looks; MODE "keys"
 * presses a key about four times a second and notes "key microseconds-until-the-marker-changed".
 * The last line is "bytes N": what arrived over the socket.
 */

#include <linux/tcp.h>
#include <netinet/in.h>
#include <rfb/rfbclient.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define SQUARE 16
#define BITS 16

static FILE *notes;
static unsigned last = UINT32_MAX;
static int64_t key_us;
static int keys;

static int64_t now_us(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return (int64_t)time.tv_sec * 1000000 + time.tv_nsec / 1000;
}

static unsigned read_marker(const rfbClient *client)
{
	unsigned number = 0;
	for (int bit = 0; bit < BITS; bit++) {
		int x = bit * SQUARE + SQUARE / 2;
		const uint8_t *pixel = client->frameBuffer + 4 * (SQUARE / 2 * client->width + x);
		number |= (unsigned)(pixel[1] > 127) << bit;
	}
	return number;
}

static void finished(rfbClient *client)
{
	unsigned number = read_marker(client);
	if (number == last)
		return;
	last = number;
	if (!keys)
		fprintf(notes, "%u %lld\n", number, (long long)now_us());
	else if (key_us) {
		fprintf(notes, "key %lld\n", (long long)(now_us() - key_us));
		key_us = 0;
	}
}

static void press(rfbClient *client, int64_t *next_us)
{
	int64_t now = now_us();
	if (now < *next_us || (key_us && now - key_us < 2000000))
		return;
	/* A key that never came back is told as the two seconds that were waited. */
	if (key_us)
		fprintf(notes, "key 2000000\n");
	key_us = now;
	/* Uneven, so that it does not beat with the frames. */
	*next_us = now + 230000 + rand() % 60000;
	SendKeyEvent(client, 'a', TRUE);
	SendKeyEvent(client, 'a', FALSE);
}

int main(int argc, char **argv)
{
	char *words[] = {argv[0], NULL};
	int count = 1;
	if (argc != 5 || !(notes = fopen(argv[4], "w")))
		return 64;
	rfbClient *client = rfbGetClient(8, 3, 4);
	client->serverHost = strdup("127.0.0.1");
	client->serverPort = atoi(argv[1]);
	client->appData.encodingsString = "tight copyrect hextile";
	client->appData.qualityLevel = 8;
	client->appData.compressLevel = 2;
	client->FinishedFrameBufferUpdate = finished;
	if (!rfbInitClient(client, &count, words))
		return 69;
	keys = !strcmp(argv[3], "keys");
	int64_t end_us = now_us() + (int64_t)(atof(argv[2]) * 1e6), next_us = now_us() + 1000000;
	while (now_us() < end_us) {
		if (keys)
			press(client, &next_us);
		int ready = WaitForMessage(client, 20000);
		if (ready < 0 || (ready > 0 && !HandleRFBServerMessage(client)))
			break;
	}
	struct tcp_info info;
	socklen_t len = sizeof(info);
	memset(&info, 0, sizeof(info));
	getsockopt(client->sock, IPPROTO_TCP, TCP_INFO, &info, &len);
	fprintf(notes, "bytes %llu\n", (unsigned long long)info.tcpi_bytes_received);
	fclose(notes);
	return 0;
}
