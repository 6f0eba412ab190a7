#include "alert/mail_text.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/reason.h"

/* 52 characters: with "Subject: =?UTF-8?B?" and "?=" a line stays below 76. */
#define WORD_BYTES 39
#define LINE_BYTES 57 /* RFC 2045: 76 characters a line */

static int put(struct buf *out, const char *text)
{
	return buf_append(out, text, strlen(text));
}

static int put_base64(struct buf *out, const char *bytes, size_t len)
{
	uint8_t text[LINE_BYTES / 3 * 4 + 4];

	CHECK(len <= LINE_BYTES);
	int count = EVP_EncodeBlock(text, (const uint8_t *)bytes, (int)len);
	return buf_append(out, text, (size_t)count);
}

/* RFC 2047 section 5: a character must not be divided between two encoded words. */
static size_t word_len(const char *text)
{
	size_t len = 0;

	while (text[len] && len < WORD_BYTES)
		len++;
	while (len && ((uint8_t)text[len] & 0xc0) == 0x80)
		len--;
	return len;
}

static int put_subject(struct buf *out, const char *subject)
{
	int r = put(out, "Subject:");

	while (r == 0 && *subject) {
		size_t len = word_len(subject);
		r = put(out, " =?UTF-8?B?");
		if (r == 0)
			r = put_base64(out, subject, len);
		if (r == 0)
			r = put(out, subject[len] ? "?=\r\n" : "?=");
		subject += len;
	}
	return r ? r : put(out, "\r\n");
}

/* RFC 5322 section 3.3, in English whatever the locale. */
static int put_date(struct buf *out, int64_t now_ms)
{
	static const char *const days[] = {
		"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
	static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
		"Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	time_t seconds = (time_t)(now_ms / 1000);
	struct tm at;
	char line[80];

	gmtime_r(&seconds, &at);
	snprintf(line, sizeof(line), "Date: %s, %02d %s %04d %02d:%02d:%02d +0000\r\n",
		days[at.tm_wday], at.tm_mday, months[at.tm_mon], at.tm_year + 1900,
		at.tm_hour, at.tm_min, at.tm_sec);
	return put(out, line);
}

static int put_addresses(struct buf *out, const struct mail_text *mail)
{
	int r = put(out, "From: Engawa <");
	if (r == 0)
		r = put(out, mail->from);
	if (r == 0)
		r = put(out, ">\r\nTo:");
	for (size_t i = 0; r == 0 && i < mail->to_count; i++) {
		r = put(out, i ? ",\r\n <" : " <");
		if (r == 0)
			r = put(out, mail->to[i]);
		if (r == 0)
			r = put(out, ">");
	}
	return r ? r : put(out, "\r\n");
}

static int put_id(struct buf *out, const struct mail_text *mail)
{
	int r = put(out, "Message-ID: <");
	if (r == 0)
		r = put(out, mail->id);
	if (r == 0)
		r = put(out, "@");
	if (r == 0)
		r = put(out, strchr(mail->from, '@') + 1);
	return r ? r : put(out, ">\r\n");
}

static int put_body(struct buf *out, const char *body)
{
	size_t left = strlen(body);
	int r = 0;

	while (r == 0 && left) {
		size_t len = left < LINE_BYTES ? left : LINE_BYTES;
		r = put_base64(out, body, len);
		if (r == 0)
			r = put(out, "\r\n");
		body += len;
		left -= len;
	}
	return r;
}

int mail_text_write(const struct mail_text *mail, struct buf *out)
{
	int r = put_addresses(out, mail);
	if (r == 0)
		r = put_subject(out, mail->subject);
	if (r == 0)
		r = put_date(out, mail->now_ms);
	if (r == 0)
		r = put_id(out, mail);
	if (r == 0)
		r = put(out, "Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n"
			     "Content-Type: text/plain; charset=utf-8\r\n"
			     "Content-Transfer-Encoding: base64\r\n\r\n");
	return r ? r : put_body(out, mail->body);
}
