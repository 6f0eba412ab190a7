/* links: gateway_http */
/* Requests as they come from a network: in pieces, several in a row. What was accepted must keep
 * what its fields promise. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/text.h"
#include "http/request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct request *request)
{
	CHECK(request->head_done && request->path && request->path[0] == '/');
	CHECK(strlen(request->body) <= request->body_len);
	CHECK(request->body_len <= REQUEST_BODY_MAX &&
		request->body[request->body_len] == '\0');
	for (size_t i = 0; i < request->segment_count; i++)
		CHECK(text_utf8_valid(request->segments[i],
			      strlen(request->segments[i])) &&
			strcmp(request->segments[i], ".."));
	for (size_t i = 0; i < request->header_count; i++)
		CHECK(!strpbrk(request->headers[i].value, "\r\n"));
	CHECK(!request_header(request, "Content-Length") ||
		!request_header(request, "Transfer-Encoding"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct request *request = NULL;
	size_t step = size ? data[0] % 64 + 1 : 1;
	int status = REQUEST_MORE;

	for (size_t at = size ? 1 : 0; at < size && status >= 0;) {
		size_t used = 0, left = size - at;
		if (!request)
			CHECK(!request_new(&request));
		status = request_feed(request, data + at, left < step ? left : step,
			&used);
		CHECK(status < 0 || used > 0 || status == REQUEST_DONE);
		at += status < 0 ? 0 : used;
		if (status == REQUEST_UPLOAD) {
			CHECK(request->upload > REQUEST_BODY_MAX &&
				request->upload <= REQUEST_UPLOAD_MAX &&
				!request->body_len);
			at += request->upload;
		}
		if (status == REQUEST_DONE || status == REQUEST_UPLOAD) {
			check(request);
			request = request_free(request);
		}
	}
	request_free(request);
	return 0;
}
