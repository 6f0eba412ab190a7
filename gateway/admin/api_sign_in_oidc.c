#include "admin/api_sign_in_oidc.h"

#include <stdlib.h>
#include <string.h>

#include "admin/call.h"
#include "admin/directory_account.h"
#include "admin/directory_desk.h"
#include "admin/sign_in_door.h"
#include "base/log.h"
#include "base/reason.h"
#include "base/text.h"
#include "directory/directories.h"
#include "http/cookie.h"

#define VISIT_COOKIE "__Host-engawa-oidc"
#define COOKIE_SIZE (OIDC_VISIT_SIZE + 128)
#define BACK_SIZE 257

/* What one of these requests has in its hands. */
struct way {
	struct call *call;
	struct directories *directories;
	struct directory_desk directory;
	struct sign_in_desk desk;
	char cookie[COOKIE_SIZE], place[128];
};

/* The end of a navigation. */
static void go(struct way *way, const char *place)
{
	struct exchange *exchange = way->call->exchange;

	exchange_header(exchange, "Location", place);
	exchange_whole(exchange, 303, "text/plain; charset=utf-8", "", 0);
}

static void go_back(struct way *way, int reason)
{
	int more = reason == -REASON_TOTP_NEEDED;

	snprintf(way->place, sizeof(way->place), "/#/sign-in?code=%s%s%s",
		reason_symbol(reason), more ? "&directory=" : "",
		more ? way->directory.directory->id : "");
	way->call->exchange->reason = -reason;
	go(way, way->place);
}

/* -REASON_LIMIT cannot be: sizes fit each other. */
static void keep(struct way *way, const char *value, int64_t seconds)
{
	int status = cookie_set(VISIT_COOKIE, value, COOKIE_LAX, seconds, way->cookie,
		sizeof(way->cookie));

	CHECK(status == 0);
	exchange_header(way->call->exchange, "Set-Cookie", way->cookie);
}

/* The directory of the route's {id}, if people can sign in there this way. -REASON_NOT_FOUND. Nothing is
 * answered. */
static int load(struct way *way)
{
	struct directory *directory = way->directory.directory;
	int status = directories_load(way->directories,
		exchange_param(way->call->exchange, "id"), directory);

	if (!status && (directory->kind != DIRECTORY_OIDC ||
			       !directory_serves(directory, directory->tenant,
				       DIRECTORY_ACCOUNTS)))
		status = -REASON_NOT_FOUND;
	return status;
}

static int begin_way(struct way *way, struct exchange *exchange)
{
	struct call *call = call_of(exchange);

	*way = (struct way){.call = call, .directories = call->admin->parts.directories};
	text_clip(call->by.name, sizeof(call->by.name), SIGN_IN_DOOR_STRANGER);
	return directory_desk_blank(call, &way->directory);
}

static void end_way(struct way *way)
{
	sign_in_desk_unload(&way->desk);
	directory_desk_unload(&way->directory);
}

/* Out */

/* The address as the browser knows it; the provider compares it with those that are registered there. */
static int name_back(struct call *call, const char *id, char ret[static BACK_SIZE])
{
	const char *host = request_header(call->exchange->request, "Host");
	size_t len = host ? strlen(host) : 0;

	if (!len || strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				 "0123456789.-:[]") != len)
		return -REASON_BAD_VALUE;
	int need = snprintf(ret, BACK_SIZE, "https://%s/api/v1/sign-in/oidc/%s/return",
		host, id);
	return need < BACK_SIZE ? 0 : -REASON_LIMIT;
}

void api_sign_in_oidc_begin(void *admin UNUSED, struct exchange *exchange)
{
	char back[BACK_SIZE], visit[OIDC_VISIT_SIZE], detail[FETCH_DETAIL], *url = NULL;
	struct way way;

	if (begin_way(&way, exchange))
		return;
	int status = load(&way);
	if (!status)
		status = name_back(way.call, way.directory.directory->id, back);
	if (!status)
		status = directories_begin(way.directories, way.directory.directory, back,
			&url, visit, detail);
	if (status) {
		go_back(&way, status);
	} else {
		keep(&way, visit, OIDC_VISIT_MS / 1000);
		go(&way, url);
	}
	free(url);
	end_way(&way);
}

/* Back */

static int ask_provider(struct way *way, struct oidc_flow_person *ret)
{
	const struct request *request = way->call->exchange->request;
	char cookie[OIDC_VISIT_SIZE], detail[FETCH_DETAIL] = "";
	int has = !cookie_get(request, VISIT_COOKIE, cookie, sizeof(cookie));
	const struct oidc_flow_answer answer = {has ? cookie : NULL,
		request_query(request, "state"), request_query(request, "code"),
		request_query(request, "error"), request_query(request, "iss")};

	return directories_finish(way->directories, way->directory.directory, &answer,
		ret, detail);
}

/* The person's account. 1: answered. -REASON_DIRECTORY_REFUSED: there is none, and none is made. */
static int find_account(struct way *way, const struct oidc_flow_person *person)
{
	const struct directory *directory = way->directory.directory;
	struct call *call = way->call;
	struct account_desk *account = &way->desk.account;
	int status = directory_account_find(call, directory, person->name, account);

	if (status == -REASON_NOT_FOUND) {
		status = directory_account_make(call, directory, person, account);
		if (status && status != -REASON_NOT_FOUND)
			return 1;
	}
	if (status == -REASON_NOT_FOUND) {
		log_line(LOG_WARN, "no account for a person of a directory",
			LOG_S("directory", directory->id), LOG_S("user", person->name));
		return -REASON_DIRECTORY_REFUSED;
	}
	if (!status)
		status = account_desk_security(call, account->account.tenant,
			&way->desk.security);
	return status;
}

static void come_in(struct way *way)
{
	const struct account *account = &way->desk.account.account;
	const char *id = way->directory.directory->id;
	char vouched[OIDC_VISIT_SIZE];

	if (account->has_totp && !way->desk.sign_in.second_factor) {
		int status =
			directories_vouch(way->directories, id, account->name, vouched);
		keep(way, status ? "" : vouched, status ? 0 : OIDC_VISIT_MS / 1000);
		go_back(way, status ? status : -REASON_TOTP_NEEDED);
		return;
	}
	if (sign_in_desk_open(way->call, &way->desk, id))
		return;
	keep(way, "", 0);
	go(way, "/");
}

/* Who he is, is known; what else is in the way? */
static void take_person(struct way *way, struct guess *guess,
	const struct oidc_flow_person *person)
{
	const struct account *account = &way->desk.account.account;
	int status = find_account(way, person);

	if (status == 1)
		return;
	way->desk.sign_in.second_factor = person->second_factor;
	if (!status)
		status = sign_in_door_place(way->call, &way->desk);
	if (status && sign_in_door_record(way->call, account, status))
		return;
	/* The provider has looked at his password, and it was right. */
	if (guess_undecided(guess))
		return;
	if (status) {
		keep(way, "", 0);
		go_back(way, status);
	} else {
		come_in(way);
	}
}

/* Forged answers are guesses, counted by address. */
static void finish(struct way *way)
{
	static const struct account nobody;
	struct oidc_flow_person person;
	struct account_security security;
	struct guess guess;

	account_security_default(&security);
	if (guess_begin(&guess, way->call, "", "", &security) || guess_charge(&guess))
		return;
	int status = ask_provider(way, &person);
	if (!status) {
		take_person(way, &guess, &person);
		return;
	}
	if (status != -REASON_DIRECTORY_REFUSED && guess_undecided(&guess))
		return;
	if (sign_in_door_record(way->call, &nobody, status))
		return;
	keep(way, "", 0);
	go_back(way, status);
}

void api_sign_in_oidc_return(void *admin UNUSED, struct exchange *exchange)
{
	struct way way;

	if (begin_way(&way, exchange))
		return;
	int status = load(&way);
	if (status)
		go_back(&way, status);
	else
		finish(&way);
	end_way(&way);
}

/* The code */

/* Whom the provider has vouched for a moment ago. -REASON_*: answered. */
static int load_vouched(struct way *way)
{
	struct call *call = way->call;
	char cookie[OIDC_VISIT_SIZE], name[ACCOUNT_NAME_SIZE];
	int status = load(way);

	if (!status)
		status = cookie_get(call->exchange->request, VISIT_COOKIE, cookie,
			sizeof(cookie));
	if (!status)
		status = directories_vouched(way->directories,
			way->directory.directory->id, cookie, name);
	if (!status)
		status = account_desk_read(call, name, &way->desk.account);
	if (!status && !directory_account_good(way->directory.directory,
			       &way->desk.account.account))
		status = -REASON_NOT_FOUND;
	if (!status)
		status = account_desk_security(call, way->desk.account.account.tenant,
			&way->desk.security);
	if (status == -REASON_NOT_FOUND || status == -REASON_BAD_VALUE)
		status = -REASON_DIRECTORY_REFUSED;
	return status ? call_fail(call, status, NULL) : 0;
}

static void take_code(struct way *way, const char *code)
{
	const struct account *account = &way->desk.account.account;
	struct guess guess;
	int status = sign_in_desk_same_site(way->call, NULL);

	if (status) {
		call_fail(way->call, status, NULL);
		return;
	}
	if (load_vouched(way) || guess_begin(&guess, way->call, account->name,
					 account->tenant, &way->desk.security))
		return;
	if (guess_charge(&guess) ||
		sign_in_door_open(&guess, &way->desk, code, way->directory.directory->id))
		return;
	/* The provider's word was good for one time. */
	keep(way, "", 0);
	sign_in_door_greet(way->call, &way->desk);
}

void api_sign_in_oidc_code(void *admin UNUSED, struct exchange *exchange)
{
	struct way way;
	struct body body;

	if (body_parse(&body, exchange))
		return;
	const char *code = body_text(&body, "code", 64, BODY_NEED);
	if (!body_check(&body, exchange) && !begin_way(&way, exchange)) {
		take_code(&way, code);
		end_way(&way);
	}
	body_done(&body);
}
