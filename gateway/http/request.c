#include "http/request.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/reason.h"
#include "base/secret.h"
#include "base/text.h"
#include "http/chunked.h"

static const char *const methods[] = {
	"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"};

enum body_kind { BODY_NONE, BODY_LENGTH, BODY_CHUNKED, BODY_UPLOAD };

struct request_parse {
	char head[REQUEST_HEAD_MAX + 1];
	size_t head_len;
	char decoded[REQUEST_HEAD_MAX + 1]; /* segments and queries, each with its NUL */
	size_t decoded_len;
	enum body_kind kind;
	size_t length; /* BODY_LENGTH: what is declared */
	struct chunked chunked;
	char *body;
	size_t body_cap;
};

const char *request_method_name(enum request_method method)
{
	return methods[method];
}

int request_new(struct request **ret)
{
	struct request *request = calloc(1, sizeof(*request));
	if (!request)
		return -REASON_NO_MEMORY;
	request->parse = calloc(1, sizeof(*request->parse));
	if (!request->parse) {
		free(request);
		return -REASON_NO_MEMORY;
	}
	request->body = "";
	*ret = request;
	return 0;
}

struct request *request_free(struct request *request)
{
	if (!request)
		return NULL;
	if (request->parse->body)
		secret_wipe(request->parse->body, request->parse->body_cap);
	free(request->parse->body);
	secret_wipe(request->parse, sizeof(*request->parse));
	free(request->parse);
	free(request);
	return NULL;
}

static int refuse(struct request *request, int status)
{
	request->status = status;
	return status == 413 || status == 414 || status == 431 ? -REASON_LIMIT
							       : -REASON_BAD_MESSAGE;
}

/* RFC 9110 section 5.6.2 */
static bool is_token(const char *text, size_t len)
{
	if (!len)
		return false;
	for (size_t i = 0; i < len; i++) {
		char c = text[i];
		bool alnum = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
			     (c >= 'a' && c <= 'z');
		if (!alnum && (!c || !strchr("!#$%&'*+-.^_`|~", c)))
			return false;
	}
	return true;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

enum plus { PLUS_IS_PLUS, PLUS_IS_BLANK };

/* %XX is decoded once; what comes out must be UTF-8 without control characters, so that no later
 * reader can be split by it. The room suffices: decoding never makes text longer, and each piece
 * has a separator before it whose place its NUL takes. */
static const char *decode(struct request *request, const char *text, size_t len,
	enum plus plus)
{
	struct request_parse *parse = request->parse;
	char *start = parse->decoded + parse->decoded_len, *at = start;

	if (parse->decoded_len + len + 1 > sizeof(parse->decoded))
		return NULL;
	for (size_t i = 0; i < len; i++) {
		int c = (unsigned char)text[i];
		if (c == '+' && plus == PLUS_IS_BLANK) {
			c = ' ';
		} else if (c == '%') {
			if (i + 2 >= len)
				return NULL;
			int a = hex_digit(text[i + 1]), b = hex_digit(text[i + 2]);
			if (a < 0 || b < 0)
				return NULL;
			c = a * 16 + b;
			i += 2;
		}
		if (c < 0x20 || c == 0x7f)
			return NULL;
		*at++ = (char)c;
	}
	*at = '\0';
	if (!text_utf8_valid(start, (size_t)(at - start)))
		return NULL;
	parse->decoded_len += (size_t)(at - start) + 1;
	return start;
}

static int parse_path(struct request *request, char *path)
{
	for (char *at = path; *at;) {
		char *start = at + 1, *end = start + strcspn(start, "/");
		if (request->segment_count == REQUEST_SEGMENTS)
			return refuse(request, 414);
		const char *segment =
			decode(request, start, (size_t)(end - start), PLUS_IS_PLUS);
		if (!segment || !strcmp(segment, ".") || !strcmp(segment, ".."))
			return refuse(request, 400);
		request->segments[request->segment_count++] = segment;
		at = end;
	}
	request->path = path;
	return 0;
}

static int parse_query(struct request *request, const char *query)
{
	while (*query) {
		size_t len = strcspn(query, "&"), name = strcspn(query, "=&");
		if (request->query_count == REQUEST_QUERIES)
			return refuse(request, 414);
		struct request_pair *pair = &request->queries[request->query_count];
		size_t skip = name < len ? name + 1 : len;
		pair->name = decode(request, query, name, PLUS_IS_BLANK);
		pair->value = decode(request, query + skip, len - skip, PLUS_IS_BLANK);
		if (!pair->name || !pair->value)
			return refuse(request, 400);
		if (request_query(request, pair->name))
			return refuse(request, 400); /* which of the two would count? */
		request->query_count++;
		query += len + (query[len] == '&');
	}
	return 0;
}

static int parse_target(struct request *request, char *target)
{
	for (const char *at = target; *at; at++)
		if (*at <= 0x20 || *at >= 0x7f || strchr("#\\\"<>", *at))
			return refuse(request, 400);
	if (target[0] != '/')
		return refuse(request, 400);
	char *query = strchr(target, '?');
	if (query)
		*query = '\0';
	int status = parse_path(request, target);
	if (!status && query)
		status = parse_query(request, query + 1);
	return status;
}

static int parse_version(struct request *request, const char *version)
{
	if (!strcmp(version, "HTTP/1.1"))
		request->minor = 1;
	else if (!strcmp(version, "HTTP/1.0"))
		request->minor = 0;
	else
		return refuse(request,
			strncmp(version, "HTTP/", 5) || strchr(version, ' ') ? 400 : 505);
	return 0;
}

static int parse_start(struct request *request, char *line)
{
	char *target = strchr(line, ' ');
	char *version = target ? strchr(target + 1, ' ') : NULL;
	size_t method = 0;

	if (!version || !is_token(line, (size_t)(target - line)))
		return refuse(request, 400);
	*target++ = '\0';
	*version++ = '\0';
	int status = parse_version(request, version);
	if (status)
		return status;
	while (method < ARRAY_LEN(methods) && strcmp(methods[method], line))
		method++;
	if (method == ARRAY_LEN(methods))
		return refuse(request, 501);
	request->method = (enum request_method)method;
	return parse_target(request, target);
}

static int parse_header(struct request *request, char *line)
{
	char *colon = strchr(line, ':');

	/* A line that begins with a blank would continue the one before (obs-fold): a blank is no
	 * token character, so it falls here too. */
	if (!colon || !is_token(line, (size_t)(colon - line)))
		return refuse(request, 400);
	if (request->header_count == REQUEST_HEADERS)
		return refuse(request, 431);
	*colon = '\0';
	char *value = colon + 1 + strspn(colon + 1, " \t");
	size_t len = strlen(value);
	while (len && (value[len - 1] == ' ' || value[len - 1] == '\t'))
		value[--len] = '\0';
	for (const char *at = value; *at; at++)
		if (((unsigned char)*at < 0x20 && *at != '\t') || *at == 0x7f)
			return refuse(request, 400);
	request->headers[request->header_count++] = (struct request_pair){line, value};
	return 0;
}

static size_t count_header(const struct request *request, const char *name)
{
	size_t count = 0;
	for (size_t i = 0; i < request->header_count; i++)
		count += !strcasecmp(request->headers[i].name, name);
	return count;
}

static int parse_length(struct request *request, const char *value)
{
	size_t length = 0;

	if (!*value)
		return refuse(request, 400);
	for (const char *at = value; *at; at++) {
		if (*at < '0' || *at > '9')
			return refuse(request, 400);
		if (length <= REQUEST_UPLOAD_MAX)
			length = length * 10 + (size_t)(*at - '0');
	}
	if (length > REQUEST_UPLOAD_MAX)
		return refuse(request, 413);
	if (length > REQUEST_BODY_MAX) {
		request->upload = length;
		request->parse->kind = BODY_UPLOAD;
		return 0;
	}
	request->parse->length = length;
	request->parse->kind = length ? BODY_LENGTH : BODY_NONE;
	return 0;
}

/* RFC 9112 section 6.3, without its tolerance: one of the two, once, and in its plain form. */
static int parse_framing(struct request *request)
{
	const char *length = request_header(request, "Content-Length");
	const char *coding = request_header(request, "Transfer-Encoding");

	if (count_header(request, "Content-Length") > 1 || (length && coding) ||
		count_header(request, "Transfer-Encoding") > 1)
		return refuse(request, 400);
	if (length)
		return parse_length(request, length);
	if (!coding)
		return 0;
	if (request->minor == 0)
		return refuse(request, 400);
	if (strcasecmp(coding, "chunked"))
		return refuse(request, 501);
	request->parse->kind = BODY_CHUNKED;
	chunked_init(&request->parse->chunked);
	return 0;
}

static int parse_rest(struct request *request)
{
	const char *connection = request_header(request, "Connection");
	const char *expect = request_header(request, "Expect");
	size_t hosts = count_header(request, "Host");

	if (hosts > 1 || (hosts == 0 && request->minor == 1) ||
		count_header(request, "Authorization") > 1)
		return refuse(request, 400);
	request->keep = request->minor == 1;
	if (connection && strcasestr(connection, "close"))
		request->keep = false;
	int status = parse_framing(request);
	if (status)
		return status;
	if (expect && strcasecmp(expect, "100-continue"))
		return refuse(request, 417);
	request->expects =
		expect && request->minor == 1 && request->parse->kind != BODY_NONE;
	return 0;
}

/* `head` ends with CR LF CR LF. Every line ends with CR LF, and neither stands anywhere else. */
static int parse_head(struct request *request)
{
	struct request_parse *parse = request->parse;
	char *line = parse->head;
	int status = 0;

	if (memchr(parse->head, '\0', parse->head_len))
		return refuse(request, 400);
	for (size_t n = 0; !status; n++) {
		char *end = strpbrk(line, "\r\n");
		if (!end || end[0] != '\r' || end[1] != '\n')
			return refuse(request, 400);
		if (end == line)
			break;
		*end = '\0';
		status = n ? parse_header(request, line) : parse_start(request, line);
		line = end + 2;
	}
	if (!status && !request->path)
		return refuse(request, 400);
	if (!status)
		status = parse_rest(request);
	if (!status)
		request->head_done = true;
	return status;
}

/* A bare LF would let the end of the head be seen where another reader sees none: it is refused
 * as soon as it comes, not when the head is complete. */
static int feed_head(struct request *request, const uint8_t *bytes, size_t len,
	size_t *used)
{
	struct request_parse *parse = request->parse;

	for (*used = 0; *used < len;) {
		char c = (char)bytes[(*used)++];
		if (parse->head_len == REQUEST_HEAD_MAX)
			return refuse(request, 431);
		if (c == '\n' &&
			(!parse->head_len || parse->head[parse->head_len - 1] != '\r'))
			return refuse(request, 400);
		parse->head[parse->head_len++] = c;
		if (c == '\n' && parse->head_len >= 4 &&
			!memcmp(parse->head + parse->head_len - 4, "\r\n\r\n", 4))
			return parse_head(request);
		if (parse->head_len == 2 && c == '\n')
			return refuse(request, 400); /* an empty first line */
	}
	return REQUEST_MORE;
}

static int add_body(struct request *request, const uint8_t *bytes, size_t len)
{
	struct request_parse *parse = request->parse;

	if (request->body_len + len > REQUEST_BODY_MAX)
		return refuse(request, 413);
	if (request->body_len + len + 1 > parse->body_cap) {
		size_t cap = parse->kind == BODY_LENGTH ? parse->length + 1
							: REQUEST_BODY_MAX + 1;
		char *body = malloc(cap);
		if (!body)
			return -REASON_NO_MEMORY;
		parse->body = body; /* grows once: from nothing to all it may need */
		parse->body_cap = cap;
		request->body = body;
	}
	memcpy(parse->body + request->body_len, bytes, len);
	request->body_len += len;
	parse->body[request->body_len] = '\0';
	return 0;
}

static int feed_length(struct request *request, const uint8_t *bytes, size_t len,
	size_t *used)
{
	size_t missing = request->parse->length - request->body_len;
	size_t take = len < missing ? len : missing;
	int status = take ? add_body(request, bytes, take) : 0;

	*used = take;
	if (status)
		return status;
	return request->body_len == request->parse->length ? REQUEST_DONE : REQUEST_MORE;
}

static int feed_chunked(struct request *request, const uint8_t *bytes, size_t len,
	size_t *used)
{
	struct chunked *chunked = &request->parse->chunked;

	for (*used = 0; *used < len;) {
		size_t taken, data;
		int status =
			chunked_feed(chunked, bytes + *used, len - *used, &taken, &data);
		if (status < 0)
			return refuse(request, status == -REASON_LIMIT ? 413 : 400);
		if (data) {
			int failed = add_body(request, bytes + *used, data);
			if (failed)
				return failed;
		}
		*used += taken;
		if (status == CHUNKED_DONE)
			return REQUEST_DONE;
	}
	return REQUEST_MORE;
}

static int feed_body(struct request *request, const uint8_t *bytes, size_t len,
	size_t *used)
{
	*used = 0;
	if (request->parse->kind == BODY_NONE)
		return REQUEST_DONE;
	if (request->parse->kind == BODY_UPLOAD)
		return REQUEST_UPLOAD;
	if (len)
		request->expects = false;
	if (request->parse->kind == BODY_LENGTH)
		return feed_length(request, bytes, len, used);
	return feed_chunked(request, bytes, len, used);
}

int request_feed(struct request *request, const uint8_t *bytes, size_t len,
	size_t *ret_used)
{
	size_t head = 0, body = 0;
	int status = 0;

	if (request->status)
		return refuse(request, request->status);
	if (!request->head_done)
		status = feed_head(request, bytes, len, &head);
	if (!status)
		status = feed_body(request, bytes + head, len - head, &body);
	*ret_used = head + body;
	return status;
}

const char *request_header(const struct request *request, const char *name)
{
	for (size_t i = 0; i < request->header_count; i++)
		if (!strcasecmp(request->headers[i].name, name))
			return request->headers[i].value;
	return NULL;
}

const char *request_query(const struct request *request, const char *name)
{
	for (size_t i = 0; i < request->query_count; i++)
		if (!strcmp(request->queries[i].name, name))
			return request->queries[i].value;
	return NULL;
}
