/* curl_out: libcurl set up for sending a letter: only to permitted addresses, certificates checked, no
 * proxy, no redirect, with an end.
 *
 * Thread: that of the letter. Owner: the caller frees by curl_out_free(). The URL must name a host that
 * the route's own checks have let through.
 */
#ifndef ALERT_CURL_OUT_H
#define ALERT_CURL_OUT_H

#include <curl/curl.h>

#include "alert/letter.h"

struct curl_out {
	CURL *curl;
	const struct letter *letter;
	int refused; /* an address was not permitted */
	char said[CURL_ERROR_SIZE];
};

/* `protocols`: what the URL may be, as libcurl says it ("https"). */
MUST_CHECK int curl_out_open(struct curl_out *out, const struct letter *letter,
	const char *url, const char *protocols);
/* A result of libcurl as -REASON_*, with words. */
int curl_out_reason(const struct curl_out *out, CURLcode code,
	char error[static LETTER_ERROR]);
void curl_out_close(struct curl_out *out);

#endif
