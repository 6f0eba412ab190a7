#include "admin/openapi.h"

#include <ctype.h>
#include <string.h>

#include "base/check.h"
#include "base/reason.h"

enum answer {
	ANSWER_LIST,
	ANSWER_OBJECT,
	ANSWER_MADE,
	ANSWER_SECRET,
	ANSWER_ORDERED,
	ANSWER_NOTHING,
	ANSWER_TEXT
};

/* One line of routes.def, in its order: a route, then what it takes. */
struct line {
	enum { LINE_ROUTE, LINE_OPEN, LINE_QUERY, LINE_MEMBER } kind;
	const char *id, *method, *path, *permission, *verb, *help;
	enum answer answer;
	const char *type;
	int needed;
};

enum { MAY, NEED };

static const struct line lines[] = {
#define ROUTE(handler, method, path, permission, answer, verb, summary)                  \
	{LINE_ROUTE, #handler, #method, path, #permission, verb, summary,                \
		ANSWER_##answer, "", 0},
#define OPEN_ROUTE(handler, method, path, summary)                                       \
	{LINE_OPEN, #handler, #method, path, "", "", summary, ANSWER_OBJECT, "", 0},
#define QUERY(name, help)                                                                \
	{LINE_QUERY, #name, "", "", "", "", help, ANSWER_TEXT, "string", 0},
#define MEMBER(name, kind, need, help)                                                   \
	{LINE_MEMBER, #name, "", "", "", "", help, ANSWER_TEXT, #kind, need},
#include "admin/routes.def"
#undef ROUTE
#undef OPEN_ROUTE
#undef QUERY
#undef MEMBER
};

static int is_route(const struct line *line)
{
	return line->kind == LINE_ROUTE || line->kind == LINE_OPEN;
}

static void quoted(const char *text, FILE *out)
{
	fputc('"', out);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			fputc('\\', out);
		fputc(*text, out);
	}
	fputc('"', out);
}

static void write_head(FILE *out)
{
	fputs("# Printed by: engawa-gateway check --openapi. Do not edit; "
	      "gateway/admin/routes.def is the source.\n"
	      "openapi: 3.1.0\n"
	      "info:\n"
	      "  title: Engawa administration\n"
	      "  version: \"1\"\n"
	      "  description: >-\n"
	      "    The REST API of a gateway, on its admin listener (TLS). Console and "
	      "engawactl use nothing else.\n"
	      "    Points in time are RFC 3339 in UTC; beside each stands the same as "
	      "NAME_ms, ms since 1970.\n"
	      "servers:\n"
	      "  - url: https://127.0.0.1:8443\n"
	      "security:\n"
	      "  - token: []\n"
	      "  - cookie: []\n"
	      "paths:\n",
		out);
}

static void write_parameter(const char *name, const char *in, const char *help, FILE *out)
{
	fprintf(out, "        - name: %s\n          in: %s\n          required: %s\n",
		name, in, strcmp(in, "path") ? "false" : "true");
	fputs("          description: ", out);
	quoted(help, out);
	fputs("\n          schema: {type: string}\n", out);
}

static void write_path_parameters(const char *path, FILE *out)
{
	char name[32];

	for (const char *at = strchr(path, '{'); at; at = strchr(at + 1, '{')) {
		snprintf(name, sizeof(name), "%.*s", (int)strcspn(at + 1, "}"), at + 1);
		write_parameter(name, "path",
			strcmp(name, "kind") ? "id"
					     : "logins, sessions, bandwidth or audit",
			out);
	}
}

static size_t count_takes(size_t at, int kind)
{
	size_t count = 0;

	for (at++; at < ARRAY_LEN(lines) && !is_route(&lines[at]); at++)
		count += (int)lines[at].kind == kind;
	return count;
}

static void write_parameters(size_t at, FILE *out)
{
	const struct line *route = &lines[at];

	if (!strchr(route->path, '{') && !count_takes(at, LINE_QUERY) &&
		route->answer != ANSWER_LIST)
		return;
	fputs("      parameters:\n", out);
	write_path_parameters(route->path, out);
	for (at++; at < ARRAY_LEN(lines) && !is_route(&lines[at]); at++)
		if (lines[at].kind == LINE_QUERY)
			write_parameter(lines[at].id, "query", lines[at].help, out);
	if (route->answer == ANSWER_LIST) {
		write_parameter("limit", "query", "rows of a page, 1 to 1000", out);
		write_parameter("after", "query", "cursor: `next` of the page before",
			out);
	}
}

/* A body that is no JSON, and as long as a file. */
static int write_upload(size_t at, FILE *out)
{
	for (; at < ARRAY_LEN(lines) && !is_route(&lines[at]); at++) {
		if (lines[at].kind != LINE_MEMBER || strcmp(lines[at].type, "upload"))
			continue;
		fputs("      requestBody:\n        description: ", out);
		quoted(lines[at].help, out);
		fputs("\n        required: true\n        content:\n"
		      "          text/csv:\n            schema: {type: string}\n",
			out);
		return 1;
	}
	return 0;
}

static void write_body(size_t at, FILE *out)
{
	int needed = 0;
	size_t first = at + 1;

	if (!count_takes(at, LINE_MEMBER))
		return;
	if (write_upload(first, out))
		return;
	fputs("      requestBody:\n        content:\n          application/json:\n"
	      "            schema:\n              type: object\n"
	      "              additionalProperties: false\n              properties:\n",
		out);
	for (at = first; at < ARRAY_LEN(lines) && !is_route(&lines[at]); at++) {
		if (lines[at].kind != LINE_MEMBER)
			continue;
		fprintf(out, "                %s: {type: %s, description: ", lines[at].id,
			lines[at].type);
		quoted(lines[at].help, out);
		fputs("}\n", out);
		needed += lines[at].needed;
	}
	if (!needed)
		return;
	fputs("              required: [", out);
	for (at = first; at < ARRAY_LEN(lines) && !is_route(&lines[at]); at++)
		if (lines[at].needed)
			fprintf(out, "%s%s", lines[at].id, --needed ? ", " : "");
	fputs("]\n", out);
}

static void write_answers(const struct line *route, FILE *out)
{
	static const struct {
		const char *status, *what, *schema;
	} good[] = {
		[ANSWER_LIST] = {"200", "a page of items", "page"},
		[ANSWER_OBJECT] = {"200", "the object", "object"},
		[ANSWER_MADE] = {"201", "what was made", "object"},
		[ANSWER_SECRET] = {"201",
			"the object with its secrets, which are shown only now",
			"object"},
		[ANSWER_ORDERED] = {"202", "the order is on its way to the nodes",
			"object"},
		[ANSWER_NOTHING] = {"204", "done", NULL},
		[ANSWER_TEXT] = {"200", "text", NULL},
	};
	const char *status = good[route->answer].status;

	/* Renewing makes nothing new that has a place of its own. */
	if (route->answer == ANSWER_SECRET && strchr(route->path, '{'))
		status = "200";
	fprintf(out, "      responses:\n        \"%s\":\n          description: %s\n",
		status, good[route->answer].what);
	if (good[route->answer].schema)
		fprintf(out,
			"          content:\n            application/json:\n"
			"              schema: {$ref: \"#/components/schemas/%s\"}\n",
			good[route->answer].schema);
	fputs("        default:\n          $ref: \"#/components/responses/problem\"\n",
		out);
}

/* "ACCOUNT_WRITE | STEP_UP" */
static void write_permission(const char *text, FILE *out)
{
	fprintf(out, "      x-permission: %.*s\n", (int)strcspn(text, " "), text);
	if (strstr(text, "| STEP_UP"))
		fputs("      x-step-up: true\n", out);
	if (strstr(text, "| OWN"))
		fputs("      x-own: true\n", out);
	if (strstr(text, "| SERVICE"))
		fputs("      x-service: true\n", out);
	if (strstr(text, "| QUIET"))
		fputs("      x-quiet: true\n", out);
}

static void write_route(size_t at, FILE *out)
{
	const struct line *route = &lines[at];
	char method[16];

	snprintf(method, sizeof(method), "%s", route->method);
	for (char *c = method; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	fprintf(out, "    %s:\n      operationId: %s\n      summary: ", method,
		route->id);
	quoted(route->help, out);
	fputc('\n', out);
	if (route->kind == LINE_OPEN)
		fputs("      security: []\n", out);
	else
		write_permission(route->permission, out);
	if (*route->verb)
		fprintf(out, "      x-engawactl: %s\n", route->verb);
	write_parameters(at, out);
	write_body(at, out);
	write_answers(route, out);
}

static int is_first_of_path(size_t at)
{
	for (size_t i = 0; i < at; i++)
		if (is_route(&lines[i]) && !strcmp(lines[i].path, lines[at].path))
			return 0;
	return 1;
}

/* All of one path together, wherever they stand in the table: a name that is there twice hides what
 * came first. */
static void write_path(size_t at, FILE *out)
{
	fprintf(out, "  %s:\n", lines[at].path);
	for (size_t i = at; i < ARRAY_LEN(lines); i++)
		if (is_route(&lines[i]) && !strcmp(lines[i].path, lines[at].path))
			write_route(i, out);
}

static void write_components(FILE *out)
{
	fputs("components:\n"
	      "  securitySchemes:\n"
	      "    token: {type: http, scheme: bearer}\n"
	      "    cookie: {type: apiKey, in: cookie, name: __Host-engawa, description: "
	      "\"people; what changes something also needs the header X-Engawa-CSRF\"}\n"
	      "  responses:\n"
	      "    problem:\n"
	      "      description: what went wrong, RFC 9457\n"
	      "      content:\n"
	      "        application/problem+json:\n"
	      "          schema: {$ref: \"#/components/schemas/problem\"}\n"
	      "  schemas:\n"
	      "    object: {type: object}\n"
	      "    page:\n"
	      "      type: object\n"
	      "      properties:\n"
	      "        items: {type: array, items: {type: object}}\n"
	      "        next: {type: [string, \"null\"], description: cursor of the next "
	      "page}\n"
	      "    problem:\n"
	      "      type: object\n"
	      "      properties:\n"
	      "        type: {type: string}\n"
	      "        title: {type: string}\n"
	      "        status: {type: integer}\n"
	      "        detail: {type: string}\n"
	      "        field: {type: string, description: the member that is wrong}\n"
	      "        message: {type: string}\n"
	      "        hint: {type: string}\n"
	      "        field: {type: string, description: the member that is wrong}\n"
	      "        code:\n"
	      "          type: string\n"
	      "          enum:\n",
		out);
	for (size_t i = 0; reason_at(i, NULL); i++)
		fprintf(out, "            - %s\n", reason_at(i, NULL));
}

void openapi_write(FILE *out)
{
	write_head(out);
	for (size_t i = 0; i < ARRAY_LEN(lines); i++)
		if (is_route(&lines[i]) && is_first_of_path(i))
			write_path(i, out);
	write_components(out);
}
