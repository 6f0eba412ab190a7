#include "ctl/rest.h"
#include "ctl/rest_path.h"

#include <curl/curl.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/program.h"
#include "base/reason.h"
#include "base/secret.h"
#include "base/text.h"

#define ANSWER_MAX (64 * 1024 * 1024)
#define ERROR_MAX 65536
#define PAGE 500
#define TOKEN_MAX 512
#define ADDRESS_MAX 512

struct rest {
	CURL *curl;
	char *url;    /* without a slash at its end */
	char *bearer; /* the whole header line */
	char *ca;
};

/* What an answer is made of while it comes. */
struct answer {
	struct rest *rest;
	struct buf body;
	FILE *out;      /* a stream, once its status is good */
	int lost;       /* writing failed */
	rest_line take; /* gets the lines of a good answer, or NULL */
	void *take_ctx;
};

static int read_line(const char *file, size_t max, char **ret)
{
	FILE *in = fopen(file, "re");
	char *line = in ? calloc(1, max + 2) : NULL;

	if (!line) {
		int status = program_fail(-REASON_FILE_UNREADABLE, "%s: %s", file,
			strerror(errno));
		if (in)
			fclose(in);
		return status;
	}
	size_t len = fread(line, 1, max + 1, in);
	fclose(in);
	line[strcspn(line, "\r\n")] = '\0';
	if (!len || len > max || !*line || strpbrk(line, " \t")) {
		secret_wipe(line, max + 2);
		free(line);
		return program_fail(-REASON_STATE_DAMAGED, "%s: one line expected", file);
	}
	*ret = line;
	return 0;
}

static int read_token(struct rest *rest, const char *file)
{
	struct stat info;
	char *token;

	if (!stat(file, &info) && S_ISREG(info.st_mode) && (info.st_mode & 077))
		return program_fail(-REASON_FILE_EXPOSED, "chmod 600 %s", file);
	int status = read_line(file, TOKEN_MAX, &token);
	if (status)
		return status;
	if (asprintf(&rest->bearer, "Authorization: Bearer %s", token) < 0) {
		rest->bearer = NULL;
		status = -REASON_NO_MEMORY;
	}
	secret_wipe(token, strlen(token));
	free(token);
	return status;
}

/* A gateway that listens on every address is reached on loopback. */
static int use_address(struct rest *rest, const char *address)
{
	struct text_endpoint endpoint;
	char text[TEXT_HOST_SIZE + 16];

	if (text_endpoint(&endpoint, address, 0))
		return program_fail(-REASON_STATE_DAMAGED,
			"run/admin: HOST:PORT expected");
	if (!strcmp(endpoint.host, "0.0.0.0") || !strcmp(endpoint.host, "::") ||
		!*endpoint.host)
		text_clip(endpoint.host, sizeof(endpoint.host),
			strcmp(endpoint.host, "::") ? "127.0.0.1" : "::1");
	text_endpoint_text(text, sizeof(text), &endpoint);
	if (asprintf(&rest->url, "https://%s", text) < 0) {
		rest->url = NULL;
		return -REASON_NO_MEMORY;
	}
	return 0;
}

static int open_data(struct rest *rest, const struct ctl_options *options)
{
	char file[4096], token[4096];
	struct stat info;
	char *address;

	if (stat(options->data, &info))
		return program_fail(-REASON_FILE_UNREADABLE, "%s: %s", options->data,
			strerror(errno));
	snprintf(file, sizeof(file), "%s/run/admin", options->data);
	if (stat(file, &info) && errno == ENOENT)
		return program_fail(-REASON_GATEWAY_UNREACHABLE,
			"It does not run with this directory; start it: engawa-gateway "
			"run --data %s",
			options->data);
	int status = read_line(file, ADDRESS_MAX, &address);
	if (status)
		return status;
	status = use_address(rest, address);
	free(address);
	snprintf(token, sizeof(token), "%s/admin.token", options->data);
	if (!status)
		status = read_token(rest,
			options->token_file ? options->token_file : token);
	if (!status && asprintf(&rest->ca, "%s/ca.pem", options->data) < 0)
		status = -REASON_NO_MEMORY;
	return status;
}

static int open_url(struct rest *rest, const struct ctl_options *options)
{
	if (strncmp(options->url, "https://", 8))
		return program_fail(-REASON_USAGE, "--url: https://HOST:PORT expected.");
	if (!options->token_file)
		return program_fail(-REASON_USAGE, "--token-file is missing.");
	rest->url = strdup(options->url);
	if (!rest->url)
		return -REASON_NO_MEMORY;
	size_t len = strlen(rest->url);
	while (len && rest->url[len - 1] == '/')
		rest->url[--len] = '\0';
	if (options->ca && !(rest->ca = strdup(options->ca)))
		return -REASON_NO_MEMORY;
	return read_token(rest, options->token_file);
}

int rest_open(const struct ctl_options *options, struct rest **ret)
{
	struct rest *rest = calloc(1, sizeof(*rest));
	int status;

	if (!rest || !(rest->curl = curl_easy_init())) {
		free(rest);
		return -REASON_NO_MEMORY;
	}
	if (options->data && options->url)
		status = program_fail(-REASON_USAGE, "Either --data or --url.");
	else if (options->data)
		status = open_data(rest, options);
	else if (options->url)
		status = open_url(rest, options);
	else
		status = program_fail(-REASON_USAGE,
			"Which gateway? Give --data DIR, or --url URL --token-file FILE "
			"--ca FILE.");
	if (status)
		rest_close(rest);
	else
		*ret = rest;
	return status;
}

struct rest *rest_close(struct rest *rest)
{
	if (!rest)
		return NULL;
	curl_easy_cleanup(rest->curl);
	if (rest->bearer)
		secret_wipe(rest->bearer, strlen(rest->bearer));
	free(rest->bearer);
	free(rest->url);
	free(rest->ca);
	free(rest);
	return NULL;
}

/* Whoever reads our output has seen enough (| head): end as a program without a handler does;
 * libcurl holds the signal back while it works. */
static void leave_quietly(void)
{
	signal(SIGPIPE, SIG_DFL);
	raise(SIGPIPE);
}

/* Hands over the lines that are whole. */
static size_t receive_lines(struct answer *answer, const char *bytes, size_t len)
{
	if (buf_append(&answer->body, bytes, len))
		return 0;
	for (;;) {
		const char *line = (const char *)buf_head(&answer->body);
		const char *end =
			line ? memchr(line, '\n', buf_len(&answer->body)) : NULL;
		if (!end)
			return len;
		answer->take(answer->take_ctx, line, (size_t)(end - line));
		buf_drain(&answer->body, (size_t)(end - line) + 1);
	}
}

static size_t receive(char *bytes, size_t size, size_t count, void *ctx)
{
	struct answer *answer = ctx;
	size_t len = size * count;
	long status = 0;

	curl_easy_getinfo(answer->rest->curl, CURLINFO_RESPONSE_CODE, &status);
	if (answer->out && status == 200) {
		answer->lost = fwrite(bytes, 1, len, answer->out) != len;
		if (answer->lost && errno == EPIPE)
			leave_quietly();
		return answer->lost ? 0 : len;
	}
	if (answer->take && status == 200)
		return receive_lines(answer, bytes, len);
	return buf_append(&answer->body, bytes, len) ? 0 : len;
}

static int tell_curl(const struct rest *rest, CURLcode code, const struct answer *answer)
{
	static const struct {
		CURLcode code;
		int reason;
	} reasons[] = {{CURLE_PEER_FAILED_VERIFICATION, REASON_TLS_UNTRUSTED},
		{CURLE_SSL_CACERT_BADFILE, REASON_FILE_UNREADABLE},
		{CURLE_OPERATION_TIMEDOUT, REASON_TIMEOUT},
		{CURLE_SSL_CONNECT_ERROR, REASON_TLS_FAILED},
		{CURLE_URL_MALFORMAT, REASON_USAGE},
		{CURLE_PARTIAL_FILE, REASON_PEER_LOST},
		{CURLE_RECV_ERROR, REASON_PEER_LOST},
		{CURLE_GOT_NOTHING, REASON_PEER_LOST}};

	if (answer->lost)
		return program_fail(-REASON_FILE_UNWRITABLE, "(standard output)");
	for (size_t i = 0; i < ARRAY_LEN(reasons); i++)
		if (reasons[i].code == code)
			return program_fail(-reasons[i].reason, "%s: %s", rest->url,
				curl_easy_strerror(code));
	return program_fail(-REASON_GATEWAY_UNREACHABLE, "%s: %s", rest->url,
		curl_easy_strerror(code));
}

/* What was asked for: "licenses/lic_x" of "/api/v1/licenses/lic_x?…". */
static void thing_of(const char *path, char ret[static 160])
{
	static const char top[] = "/api/v1/";
	char plain[160];

	if (!strncmp(path, top, strlen(top)))
		path += strlen(top);
	snprintf(plain, sizeof(plain), "%.*s", (int)strcspn(path, "?"), path);
	char *text = curl_easy_unescape(NULL, plain, 0, NULL);
	text_escape(ret, 160, text ? text : plain);
	curl_free(text);
}

/* How long the gateway asks to wait (RFC 9110 10.2.3), where it does. */
static void wait_of(const struct answer *answer, char ret[static 48])
{
	curl_off_t seconds = 0;

	ret[0] = '\0';
	curl_easy_getinfo(answer->rest->curl, CURLINFO_RETRY_AFTER, &seconds);
	if (seconds > 0)
		snprintf(ret, 48,
			reason_lang_env() == REASON_JA ? "%lld秒お待ちください"
						       : "wait %lld s",
			(long long)seconds);
}

/* A problem of the gateway in our own words, where we know the reason; its detail always. */
static int tell_problem(const struct answer *answer, const char *path, long status)
{
	json_t *problem = json_loadb((const char *)buf_head(&answer->body),
		buf_len(&answer->body), 0, NULL);
	const char *code = json_string_value(json_object_get(problem, "code"));
	const char *detail = json_string_value(json_object_get(problem, "detail"));
	const char *message = json_string_value(json_object_get(problem, "message"));
	int reason = code ? (int)reason_parse(code) : REASON_NONE;
	char wait[48];

	wait_of(answer, wait);
	if (reason == REASON_NONE)
		reason = program_fail(-REASON_PROTOCOL, "HTTP %ld %s", status,
			message ? message : "");
	else if (detail)
		program_fail(-reason, "%s%s%s", detail, *wait ? "; " : "", wait);
	else if (reason == REASON_NOT_FOUND) {
		char thing[160];
		thing_of(path, thing);
		program_fail(-reason, "%s", thing);
	} else
		program_fail(-reason, *wait ? "%s" : NULL, wait);
	json_decref(problem);
	return reason < 0 ? reason : -reason;
}

/* `type`: of the body, NULL without one. */
static struct curl_slist *headers_of(const struct rest *rest, const char *method,
	const char *type, int upload)
{
	uint8_t random[16];
	char key[TEXT_HEX_SIZE(16)], line[80];
	struct curl_slist *headers = curl_slist_append(NULL, rest->bearer);

	/* What is long is only sent when the gateway wants it. */
	headers = curl_slist_append(headers, upload ? "Expect: 100-continue" : "Expect:");
	if (type) {
		snprintf(line, sizeof(line), "Content-Type: %s", type);
		headers = curl_slist_append(headers, line);
	}
	if (reason_lang_env() == REASON_JA)
		headers = curl_slist_append(headers, "Accept-Language: ja");
	/* Should the answer get lost, a repetition by hand is still told apart from this one. */
	if (!strcmp(method, "POST") && !secret_random(random, sizeof(random))) {
		text_hex(key, random, sizeof(random));
		snprintf(line, sizeof(line), "Idempotency-Key: %s", key);
		headers = curl_slist_append(headers, line);
	}
	return headers;
}

static void set_options(struct rest *rest, struct answer *answer, const char *url)
{
	CURL *curl = rest->curl;

	curl_easy_reset(curl);
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https");
	curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_3);
	curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, 10L);
	curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
	curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, 120L);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, receive);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, answer);
	if (rest->ca) {
		/* This CA and no other: a public one must not stand in for the cluster's. */
		curl_easy_setopt(curl, CURLOPT_CAINFO, rest->ca);
		curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
	}
	if (strstr(url, "https://127.") == url || strstr(url, "https://[::1]") == url)
		curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
}

struct sending {
	const char *type, *text; /* NULL: no body */
	size_t len;
	int upload;
};

static int perform(struct rest *rest, const char *method, const char *path,
	const struct sending *sending, struct answer *answer)
{
	struct curl_slist *headers =
		headers_of(rest, method, sending->type, sending->upload);
	char *url = NULL;
	int status = -REASON_NO_MEMORY;
	long code = 0;

	if (asprintf(&url, "%s%s", rest->url, path) < 0)
		goto out;
	set_options(rest, answer, url);
	curl_easy_setopt(rest->curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(rest->curl, CURLOPT_CUSTOMREQUEST, method);
	if (sending->text) {
		curl_easy_setopt(rest->curl, CURLOPT_POSTFIELDS, sending->text);
		curl_easy_setopt(rest->curl, CURLOPT_POSTFIELDSIZE_LARGE,
			(curl_off_t)sending->len);
	} else if (!strcmp(method, "POST")) {
		curl_easy_setopt(rest->curl, CURLOPT_POSTFIELDS, "");
	}
	CURLcode result = curl_easy_perform(rest->curl);
	curl_easy_getinfo(rest->curl, CURLINFO_RESPONSE_CODE, &code);
	if (result != CURLE_OK)
		status = tell_curl(rest, result, answer);
	else
		status = code >= 200 && code < 300 ? 0 : tell_problem(answer, path, code);
out:
	free(url);
	curl_slist_free_all(headers);
	return status;
}

static int read_answer(const struct answer *answer, json_t **ret)
{
	json_error_t error;
	json_t *json;

	if (!buf_len(&answer->body)) {
		*ret = json_object();
		return *ret ? 0 : -REASON_NO_MEMORY;
	}
	json = json_loadb((const char *)buf_head(&answer->body), buf_len(&answer->body),
		0, &error);
	if (!json)
		return program_fail(-REASON_PROTOCOL, "the answer is not JSON: %s",
			error.text);
	*ret = json;
	return 0;
}

static int call(struct rest *rest, const char *method, const char *path,
	const json_t *body, json_t **ret)
{
	struct answer answer = {.rest = rest};
	char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
	const struct sending sending = {.type = body ? "application/json" : NULL,
		.text = text,
		.len = text ? strlen(text) : 0};

	buf_init(&answer.body, ANSWER_MAX);
	int status = body && !text ? program_fail(-REASON_NO_MEMORY, NULL)
				   : perform(rest, method, path, &sending, &answer);
	if (text)
		secret_wipe(text, strlen(text));
	free(text);
	if (!status && ret)
		status = read_answer(&answer, ret);
	buf_done(&answer.body);
	return status;
}

int rest_pages(struct rest *rest, const char *path, size_t limit, rest_page take,
	void *ctx)
{
	char *next = NULL;
	size_t taken = 0;
	int status;

	do {
		struct rest_path full;
		json_t *page = NULL;
		size_t left = limit ? limit - taken : PAGE;
		char count[24];
		snprintf(count, sizeof(count), "%zu", left < PAGE ? left : PAGE);
		rest_path(&full, path);
		full.queries = strchr(path, '?') != NULL;
		rest_path_query(&full, "limit", count);
		rest_path_query(&full, "after", next);
		free(next);
		next = NULL;
		status = call(rest, "GET", full.text, NULL, &page);
		if (status)
			break;
		const json_t *rows = json_object_get(page, "items");
		take(ctx, rows);
		taken += json_array_size(rows);
		const char *cursor = json_string_value(json_object_get(page, "next"));
		next = cursor ? strdup(cursor) : NULL;
		json_decref(page);
	} while (next && (!limit || taken < limit));
	free(next);
	return status;
}

int rest_ask(const struct ctl_options *options, const char *method, const char *path,
	const json_t *body, json_t **ret)
{
	struct rest *rest;
	int status = rest_open(options, &rest);

	if (status)
		return status;
	status = call(rest, method, path, body, ret);
	rest_close(rest);
	return status;
}

int rest_ask_stream(const struct ctl_options *options, const char *method,
	const char *path, FILE *out)
{
	struct rest *rest;
	int status = rest_open(options, &rest);

	if (status)
		return status;
	struct answer answer = {.rest = rest, .out = out};
	const struct sending nothing = {0};
	buf_init(&answer.body, ERROR_MAX);
	status = perform(rest, method, path, &nothing, &answer);
	buf_done(&answer.body);
	rest_close(rest);
	return status;
}

int rest_upload(struct rest *rest, const char *path, const struct rest_file *file,
	rest_line take, void *ctx)
{
	struct answer answer = {.rest = rest, .take = take, .take_ctx = ctx};
	const struct sending sending = {
		.type = file->type, .text = file->bytes, .len = file->len, .upload = 1};

	buf_init(&answer.body, ANSWER_MAX);
	int status = perform(rest, "POST", path, &sending, &answer);
	buf_done(&answer.body);
	return status;
}
