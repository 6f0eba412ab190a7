#include "alert/webhook.h"

#include <inttypes.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alert/curl_out.h"
#include "base/clock.h"
#include "base/reason.h"
#include "base/text.h"

int webhook_sign(const char *secret, int64_t now_ms, const char *body,
	char ret[static WEBHOOK_SIGNATURE])
{
	uint8_t mac[EVP_MAX_MD_SIZE];
	char hex[TEXT_HEX_SIZE(32)];
	unsigned len = 0;
	size_t size = strlen(body) + 32;
	char *signed_text = malloc(size);

	if (!signed_text)
		return -REASON_NO_MEMORY;
	int count = snprintf(signed_text, size, "%" PRId64 ".%s", now_ms / 1000, body);
	const uint8_t *made = HMAC(EVP_sha256(), secret, (int)strlen(secret),
		(const uint8_t *)signed_text, (size_t)count, mac, &len);
	free(signed_text);
	if (!made || len != 32)
		return -REASON_NO_MEMORY;
	text_hex(hex, mac, len);
	snprintf(ret, WEBHOOK_SIGNATURE, "t=%" PRId64 ",v1=%s", now_ms / 1000, hex);
	return 0;
}

static struct curl_slist *headers(const struct letter *letter, const char *signature)
{
	char line[WEBHOOK_SIGNATURE + 64];
	struct curl_slist *list = NULL;
	const char agent[] = "User-Agent: engawa/" ENGAWA_VERSION;
	const char *const fixed[] = {"Content-Type: application/json", agent, "Expect:"};

	for (size_t i = 0; i < ARRAY_LEN(fixed); i++)
		list = curl_slist_append(list, fixed[i]);
	snprintf(line, sizeof(line), "Engawa-Signature: %s", signature);
	list = curl_slist_append(list, line);
	snprintf(line, sizeof(line), "Idempotency-Key: %.80s", letter->id);
	return curl_slist_append(list, line);
}

static int post(struct curl_out *out, const char *body, struct curl_slist *list,
	char error[static LETTER_ERROR])
{
	long status = 0;

	curl_easy_setopt(out->curl, CURLOPT_HTTPHEADER, list);
	curl_easy_setopt(out->curl, CURLOPT_POSTFIELDS, body);
	curl_easy_setopt(out->curl, CURLOPT_POSTFIELDSIZE, (long)strlen(body));
	int reason = curl_out_reason(out, curl_easy_perform(out->curl), error);
	if (reason)
		return reason;
	curl_easy_getinfo(out->curl, CURLINFO_RESPONSE_CODE, &status);
	if (status / 100 == 2)
		return 0;
	snprintf(error, LETTER_ERROR, "the receiver answered %ld", status);
	return -REASON_RECEIVER_FAILED;
}

int webhook_send(const struct letter *letter, char error[static LETTER_ERROR])
{
	json_t *object = alarm_show(letter->alarm);
	char *body = object ? json_dumps(object, JSON_COMPACT) : NULL;
	char signature[WEBHOOK_SIGNATURE];
	struct curl_out out;
	int status = -REASON_NO_MEMORY;

	json_decref(object);
	if (body)
		status = webhook_sign(letter->route->secret, clock_wall_ms(), body,
			signature);
	if (!status)
		status = curl_out_open(&out, letter, letter->route->url, "https");
	if (!status) {
		struct curl_slist *list = headers(letter, signature);
		status = list ? post(&out, body, list, error) : -REASON_NO_MEMORY;
		curl_out_close(&out);
		curl_slist_free_all(list);
	}
	free(body);
	return status;
}
