/* marker_probe PORT SECONDS MODE LOG: an ordinary libvncclient viewer of 127.0.0.1:PORT that notes when each
 * marker of marker_app is in its framebuffer: "number microseconds bytes", the last being what had arrived over
 * the socket. MODE "watch" only looks; "keys" presses a key about four times a second and notes "key
 * microseconds-until-the-marker-changed". With "+cu" behind the mode it also speaks Fence and
 * ContinuousUpdates, as TigerVNC's own viewer does and libvncclient does not. Writes "ready" to standard
 * output when it has the first picture.
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
#define KEY_LOST_US 2000000

/* Of the RFB community's list: messages and encodings of TigerVNC. */
enum { CONTINUOUS_UPDATES = 150, FENCE = 248 };
static int rapid_encodings[] = {-313, -312, 0};

static FILE *notes;
static unsigned last = UINT32_MAX;
static int64_t key_us;
static int keys, pictures;

static int64_t now_us(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return (int64_t)time.tv_sec * 1000000 + time.tv_nsec / 1000;
}

static uint64_t bytes_so_far(const rfbClient *client)
{
	struct tcp_info info;
	socklen_t len = sizeof(info);
	memset(&info, 0, sizeof(info));
	getsockopt(client->sock, IPPROTO_TCP, TCP_INFO, &info, &len);
	return info.tcpi_bytes_received;
}

static unsigned read_marker(const rfbClient *client)
{
	unsigned number = 0;
	for (int bit = 0; bit < BITS; bit++) {
		int x = bit * SQUARE + SQUARE / 2;
		const uint8_t *pixel = client->frameBuffer +
				       (ptrdiff_t)4 * (SQUARE / 2 * client->width + x);
		number |= (unsigned)(pixel[1] > 127) << bit;
	}
	return number;
}

static void finished(rfbClient *client)
{
	unsigned number = read_marker(client);
	int64_t now = now_us();
	if (!pictures++) {
		puts("ready");
		fflush(stdout);
	}
	if (number == last)
		return;
	last = number;
	if (!keys || key_us)
		fprintf(notes, "%u %lld %llu\n", number, (long long)now,
			(unsigned long long)bytes_so_far(client));
	if (keys && key_us)
		fprintf(notes, "key %lld\n", (long long)(now - key_us));
	key_us = 0;
}

static void press(rfbClient *client, int64_t *next_us)
{
	int64_t now = now_us();
	if (now < *next_us || (key_us && now - key_us < KEY_LOST_US))
		return;
	/* A key that never came back is told as the two seconds that were waited. */
	if (key_us)
		fprintf(notes, "key %d\n", KEY_LOST_US);
	key_us = now;
	/* Uneven, so that it does not beat with the frames. */
	*next_us = now + 230000 + rand() % 60000;
	SendKeyEvent(client, 'a', TRUE);
	SendKeyEvent(client, 'a', FALSE);
}

static rfbBool answer_fence(rfbClient *client)
{
	char head[8], payload[64];
	if (!ReadFromRFBServer(client, head, sizeof(head)) || head[7] < 0 ||
		head[7] > 64 || !ReadFromRFBServer(client, payload, (unsigned)head[7]))
		return FALSE;
	char answer[9] = {(char)FENCE, 0, 0, 0, 0, 0, 0, head[6] & 7, head[7]};
	return WriteToRFBServer(client, answer, sizeof(answer)) &&
	       WriteToRFBServer(client, payload, (unsigned)head[7]);
}

static rfbBool rapid_message(rfbClient *client, rfbServerToClientMsg *message)
{
	static int begun;
	char enable[10] = {(char)CONTINUOUS_UPDATES, 1, 0, 0, 0, 0,
		(char)(client->width >> 8), (char)client->width,
		(char)(client->height >> 8), (char)client->height};
	if (message->type == FENCE)
		return answer_fence(client);
	if (message->type != CONTINUOUS_UPDATES)
		return FALSE;
	return begun++ || WriteToRFBServer(client, enable, sizeof(enable));
}

static void speak_rapidly(void)
{
	static rfbClientProtocolExtension rapid = {
		.encodings = rapid_encodings, .handleMessage = rapid_message};
	rfbClientRegisterExtension(&rapid);
}

static void watch(rfbClient *client, double seconds)
{
	int64_t end_us = now_us() + (int64_t)(seconds * 1e6),
		next_us = now_us() + 1000000;
	while (now_us() < end_us) {
		if (keys)
			press(client, &next_us);
		/* What the library has already read does not wake up its WaitForMessage. */
		int ready = client->buffered ? 1 : WaitForMessage(client, 20000);
		if (ready < 0 || (ready > 0 && !HandleRFBServerMessage(client)))
			break;
	}
}

int main(int argc, char **argv)
{
	char *words[] = {argv[0], NULL};
	int count = 1;
	if (argc != 5 || !(notes = fopen(argv[4], "w")))
		return 64;
	if (strstr(argv[3], "+cu"))
		speak_rapidly();
	keys = !strncmp(argv[3], "keys", 4);
	rfbClient *client = rfbGetClient(8, 3, 4);
	client->serverHost = strdup("127.0.0.1");
	client->serverPort = atoi(argv[1]);
	client->appData.encodingsString = "tight copyrect hextile";
	client->appData.qualityLevel = 8;
	client->appData.compressLevel = 2;
	client->appData.useRemoteCursor = TRUE; /* as every viewer of today */
	client->FinishedFrameBufferUpdate = finished;
	if (!rfbInitClient(client, &count, words))
		return 69;
	watch(client, atof(argv[2]));
	fclose(notes);
	return 0;
}
