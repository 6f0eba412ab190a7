#include "http/ws_upgrade.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define GUID "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
#define KEY_CHARS 24 /* base64 of 16 bytes */
#define SHA1_SIZE 20

/* Whether a list like "keep-alive, Upgrade" has this word; case does not matter in these lists, but
 * for subprotocols. */
static int lists(const char *list, const char *word,
	int (*compare)(const char *, const char *, size_t))
{
	size_t len = strlen(word);

	while (list && *list) {
		list += strspn(list, " \t,");
		size_t item = strcspn(list, " \t,");
		if (item == len && !compare(list, word, len))
			return 1;
		list += item;
	}
	return 0;
}

/* Whether the request asks to change the protocol at all. */
static int is_asked(const struct request *request)
{
	return lists(request_header(request, "Connection"), "upgrade", strncasecmp) &&
	       lists(request_header(request, "Upgrade"), "websocket", strncasecmp);
}

static int origin_good(const struct request *request,
	const struct ws_upgrade_rules *rules)
{
	static const char scheme[] = "https://";
	const char *origin = request_header(request, "Origin");
	const char *host = request_header(request, "Host");

	if (!origin)
		return 0;
	if (host && !strncasecmp(origin, scheme, sizeof(scheme) - 1) &&
		!strcasecmp(origin + sizeof(scheme) - 1, host))
		return 1;
	for (size_t i = 0; i < rules->origin_count; i++)
		if (!strcasecmp(origin, rules->origins[i]))
			return 1;
	return 0;
}

static int key_good(const char *key)
{
	static const char base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz0123456789+/";

	return key && strlen(key) == KEY_CHARS && strspn(key, base64) == KEY_CHARS - 2 &&
	       !strcmp(key + KEY_CHARS - 2, "==");
}

static int accept_of(const char *key, char ret[static 32])
{
	char text[KEY_CHARS + sizeof(GUID)];
	unsigned char hash[SHA1_SIZE];
	int len = snprintf(text, sizeof(text), "%s" GUID, key);

	if (EVP_Digest(text, (size_t)len, hash, NULL, EVP_sha1(), NULL) != 1)
		return -1;
	EVP_EncodeBlock((unsigned char *)ret, hash, sizeof(hash));
	return 0;
}

int ws_upgrade_answer(const struct request *request, const struct ws_upgrade_rules *rules,
	char ret[static WS_UPGRADE_ANSWER])
{
	const char *key = request_header(request, "Sec-WebSocket-Key");
	const char *version = request_header(request, "Sec-WebSocket-Version");
	char accept[32];

	if (request->method != REQUEST_GET)
		return 405;
	if (!is_asked(request) || request->minor < 1 || request->body_len ||
		!key_good(key))
		return 400;
	if (!version || strcmp(version, "13") ||
		!lists(request_header(request, "Sec-WebSocket-Protocol"), rules->protocol,
			strncmp))
		return 426;
	if (!origin_good(request, rules))
		return 403;
	if (accept_of(key, accept))
		return 400;
	snprintf(ret, WS_UPGRADE_ANSWER,
		"HTTP/1.1 101 Switching Protocols\r\n"
		"Upgrade: websocket\r\n"
		"Connection: Upgrade\r\n"
		"Sec-WebSocket-Accept: %s\r\n"
		"Sec-WebSocket-Protocol: %.64s\r\n"
		"\r\n",
		accept, rules->protocol);
	return 101;
}
