#include "alert/mail.h"

#include <stdio.h>
#include <string.h>

#include "alert/curl_out.h"
#include "alert/mail_text.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/reason.h"
#include "base/text.h"

#define MAIL_MOST (64 * 1024)
#define BODY_SIZE 4096

static void write_body(const struct letter *letter, char *ret, size_t size)
{
	static const char *const words[2][6] = {
		{"What to do", "When", "Company", "License", "Alert", "Node"},
		{"対応", "発生", "会社", "ライセンス", "通知", "ノード"}};
	const struct alarm *alarm = letter->alarm;
	int language = letter->route->language;
	char text[ALERT_TEXT_SIZE], at[CLOCK_TEXT];

	alarm_text(alarm, (enum reason_lang)language, text);
	clock_text(alarm->at_ms, at);
	snprintf(ret, size,
		"%s\n\n%s: %s\n\n%s: %s\n%s: %s\n%s: %s\n%s: %s (%s)\n%s: %s\n", text,
		words[language][0], alarm_hint(alarm, (enum reason_lang)language),
		words[language][1], at, words[language][2],
		*alarm->tenant ? alarm->tenant : "-", words[language][3],
		*alarm->license ? alarm->license : "-", words[language][4], alarm->name,
		alarm->id, words[language][5], *alarm->node ? alarm->node : letter->node);
}

static int write_message(const struct letter *letter, struct buf *out)
{
	const struct route *route = letter->route;
	const char *to[ROUTE_ADDRESSES];
	char text[ALERT_TEXT_SIZE], subject[ALERT_TEXT_SIZE + 16], body[BODY_SIZE];

	for (size_t i = 0; i < route->to_count; i++)
		to[i] = route->to[i];
	alarm_text(letter->alarm, (enum reason_lang)route->language, text);
	snprintf(subject, sizeof(subject), "[Engawa] %s", text);
	write_body(letter, body, sizeof(body));
	return mail_text_write(&(struct mail_text){.from = route->from,
				       .to = to,
				       .to_count = route->to_count,
				       .subject = subject,
				       .body = body,
				       .id = letter->id,
				       .now_ms = clock_wall_ms()},
		out);
}

static size_t give(char *to, size_t size, size_t count, void *arg)
{
	struct buf *message = arg;
	size_t len = size * count;

	if (len > buf_len(message))
		len = buf_len(message);
	if (len)
		memcpy(to, buf_head(message), len);
	buf_drain(message, len);
	return len;
}

static int deliver(struct curl_out *out, struct buf *message,
	char error[static LETTER_ERROR])
{
	const struct route *route = out->letter->route;
	struct curl_slist *to = NULL;

	for (size_t i = 0; i < route->to_count; i++)
		to = curl_slist_append(to, route->to[i]);
	curl_easy_setopt(out->curl, CURLOPT_MAIL_FROM, route->from);
	curl_easy_setopt(out->curl, CURLOPT_MAIL_RCPT, to);
	curl_easy_setopt(out->curl, CURLOPT_UPLOAD, 1L);
	curl_easy_setopt(out->curl, CURLOPT_READFUNCTION, give);
	curl_easy_setopt(out->curl, CURLOPT_READDATA, message);
	if (route->security == ROUTE_STARTTLS)
		curl_easy_setopt(out->curl, CURLOPT_USE_SSL, (long)CURLUSESSL_ALL);
	if (*route->user) {
		curl_easy_setopt(out->curl, CURLOPT_USERNAME, route->user);
		curl_easy_setopt(out->curl, CURLOPT_PASSWORD, route->password);
	}
	int reason = curl_out_reason(out, curl_easy_perform(out->curl), error);
	curl_slist_free_all(to);
	return reason;
}

int mail_send(const struct letter *letter, char error[static LETTER_ERROR])
{
	const struct route *route = letter->route;
	int is_tls = route->security == ROUTE_TLS;
	struct text_endpoint at;
	char url[TEXT_HOST_SIZE + 32], endpoint[TEXT_HOST_SIZE + 16];
	struct curl_out out;
	struct buf message;

	if (text_endpoint(&at, route->server, is_tls ? 465 : 587))
		return -REASON_BAD_VALUE;
	text_endpoint_text(endpoint, sizeof(endpoint), &at);
	snprintf(url, sizeof(url), "%s://%s", is_tls ? "smtps" : "smtp", endpoint);
	buf_init(&message, MAIL_MOST);
	int status = write_message(letter, &message);
	if (!status)
		status = curl_out_open(&out, letter, url, is_tls ? "smtps" : "smtp");
	if (!status) {
		status = deliver(&out, &message, error);
		curl_out_close(&out);
	}
	buf_done(&message);
	return status;
}
