#include "directory/fetch.h"

#include <curl/curl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/reason.h"
#include "base/secret.h"
#include "rules/field.h"

struct answer {
	char *bytes;
	size_t len;
	int too_long;
};

void fetch_init(void)
{
	curl_global_init(CURL_GLOBAL_DEFAULT);
}

static size_t take(char *bytes, size_t size, size_t count, void *ctx)
{
	struct answer *answer = ctx;
	size_t len = size * count;
	if (answer->len + len > FETCH_MOST) {
		answer->too_long = 1;
		return 0;
	}
	memcpy(answer->bytes + answer->len, bytes, len);
	answer->len += len;
	return len;
}

static int set_request(CURL *curl, const struct fetch *fetch)
{
	struct curl_blob ca = {
		.data = (void *)fetch->ca, .len = strlen(fetch->ca), .flags = 0};
	int bad = curl_easy_setopt(curl, CURLOPT_URL, fetch->url) ||
		  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https") ||
		  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L) ||
		  curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L) ||
		  curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L) ||
		  curl_easy_setopt(curl, CURLOPT_SSLVERSION,
			  (long)CURL_SSLVERSION_TLSv1_2) ||
		  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	if (!bad && ca.len)
		/* This CA and no other: the system's folder would be trusted too. */
		bad = curl_easy_setopt(curl, CURLOPT_CAINFO_BLOB, &ca) ||
		      curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
	if (!bad && fetch->form)
		bad = curl_easy_setopt(curl, CURLOPT_POSTFIELDS, fetch->form);
	if (!bad && fetch->user)
		bad = curl_easy_setopt(curl, CURLOPT_USERNAME, fetch->user) ||
		      curl_easy_setopt(curl, CURLOPT_PASSWORD, fetch->password);
	if (!bad && fetch->bearer)
		bad = curl_easy_setopt(curl, CURLOPT_HTTPAUTH, CURLAUTH_BEARER) ||
		      curl_easy_setopt(curl, CURLOPT_XOAUTH2_BEARER, fetch->bearer);
	return bad;
}

static int set_bounds(CURL *curl, const struct fetch *fetch, struct answer *answer)
{
	return curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS,
		       (long)fetch->connect_ms) ||
	       curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS,
		       (long)(fetch->connect_ms + fetch->answer_ms)) ||
	       curl_easy_setopt(curl, CURLOPT_MAXFILESIZE, (long)FETCH_MOST) ||
	       curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take) ||
	       curl_easy_setopt(curl, CURLOPT_WRITEDATA, answer);
}

PRINTF_LIKE(2, 3)
static void explain(char detail[static FETCH_DETAIL], const char *format, ...)
{
	char text[FETCH_DETAIL];
	va_list values;
	va_start(values, format);
	vsnprintf(text, sizeof(text), format, values);
	va_end(values);
	field_plain(detail, FETCH_DETAIL, text);
}

/* {"error":"invalid_grant",…}, as OAuth says it. */
static const char *named_error(const json_t *object)
{
	const char *error = json_string_value(json_object_get(object, "error"));
	return error ? error : "no reason given";
}

static int judge(const struct fetch *fetch, CURL *curl, const struct answer *answer,
	json_t **ret, char detail[static FETCH_DETAIL])
{
	long status = 0;
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	json_t *object = json_loadb(answer->bytes, answer->len, 0, NULL);
	int r = -REASON_DIRECTORY_UNREACHABLE;
	if (status >= 400 && status < 500) {
		explain(detail, "%.120s: HTTP %ld: %.60s", fetch->url, status,
			named_error(object));
		r = -REASON_DIRECTORY_REFUSED;
	} else if (status != 200) {
		explain(detail, "%.120s: HTTP %ld", fetch->url, status);
	} else if (!json_is_object(object)) {
		explain(detail, "%.120s: no JSON object", fetch->url);
	} else {
		*ret = json_incref(object);
		r = 0;
	}
	json_decref(object);
	return r;
}

int fetch_json(const struct fetch *fetch, json_t **ret, char detail[static FETCH_DETAIL])
{
	CURL *curl = curl_easy_init();
	struct answer answer = {.bytes = malloc(FETCH_MOST)};
	int r = -REASON_NO_MEMORY;
	detail[0] = 0;
	if (!curl || !answer.bytes || set_request(curl, fetch) ||
		set_bounds(curl, fetch, &answer))
		goto out;
	CURLcode code = curl_easy_perform(curl);
	if (code) {
		explain(detail, "%.120s: %s", fetch->url,
			answer.too_long ? "the answer is too long"
					: curl_easy_strerror(code));
		r = -REASON_DIRECTORY_UNREACHABLE;
	} else {
		r = judge(fetch, curl, &answer, ret, detail);
	}
	/* It may be a token. */
	secret_wipe(answer.bytes, answer.len);
out:
	free(answer.bytes);
	curl_easy_cleanup(curl);
	return r;
}

char *fetch_escape(const char *text)
{
	char *escaped = curl_easy_escape(NULL, text, 0);
	char *copy = escaped ? strdup(escaped) : NULL;
	curl_free(escaped);
	return copy;
}
