#include "directory/ldap_bind.h"

#include <ldap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/reason.h"
#include "directory/cutter.h"
#include "directory/ldap_text.h"
#include "rules/directory_address.h"

#define SYSTEM_CAS "/etc/ssl/certs/ca-certificates.crt"
#define DN_SIZE 1024

struct talk {
	LDAP *ldap;
	const struct directory *directory;
	int64_t end_ms; /* when all answers have to be there */
	int ca_fd;
	struct cutter *cutter;
	struct cutter_line line;
	int watched;
	struct ldap_conncb news; /* of connections, from the library */
	char *detail;
};

void ldap_bind_init(void)
{
	LDAP *unused = NULL;
	/* ldap.conf could switch the certificate check off. */
	setenv("LDAPNOINIT", "1", 1);
	/* The first handle sets the library up, which is not made for two threads at once. */
	if (ldap_initialize(&unused, NULL) == LDAP_SUCCESS)
		ldap_unbind_ext_s(unused, NULL, NULL);
}

/* What the library and the server say, made harmless: both may be shown. */
static int unreachable(struct talk *talk, const char *what, int code)
{
	char text[LDAP_BIND_DETAIL];
	char *more = NULL;
	if (talk->ldap)
		ldap_get_option(talk->ldap, LDAP_OPT_DIAGNOSTIC_MESSAGE, &more);
	snprintf(text, sizeof(text), "%s: %s%s%s", what, ldap_err2string(code),
		more && *more ? ": " : "", more ? more : "");
	field_plain(talk->detail, LDAP_BIND_DETAIL, text);
	ldap_memfree(more);
	return -REASON_DIRECTORY_UNREACHABLE;
}

static struct timeval interval(int64_t ms)
{
	return (struct timeval){
		.tv_sec = ms / 1000, .tv_usec = (suseconds_t)(ms % 1000 * 1000)};
}

/* What is left of the time, for the next answer; never 0, which would be no limit. */
static struct timeval time_left(const struct talk *talk)
{
	int64_t left = talk->end_ms - clock_mono_ms();
	return interval(left > 1 ? left : 1);
}

static int set_times(struct talk *talk, const struct ldap_bind_limits *limits)
{
	struct timeval connect = interval(limits->connect_ms),
		       answer = interval(limits->answer_ms);
	int code = ldap_set_option(talk->ldap, LDAP_OPT_NETWORK_TIMEOUT, &connect);
	return code ? code : ldap_set_option(talk->ldap, LDAP_OPT_TIMEOUT, &answer);
}

static int set_manners(struct talk *talk)
{
	const int version = LDAP_VERSION3, two = 2, never = LDAP_DEREF_NEVER;
	int code = ldap_set_option(talk->ldap, LDAP_OPT_PROTOCOL_VERSION, &version);
	if (!code)
		code = ldap_set_option(talk->ldap, LDAP_OPT_REFERRALS, LDAP_OPT_OFF);
	if (!code)
		code = ldap_set_option(talk->ldap, LDAP_OPT_RESTART, LDAP_OPT_OFF);
	if (!code)
		code = ldap_set_option(talk->ldap, LDAP_OPT_SIZELIMIT, &two);
	if (!code)
		code = ldap_set_option(talk->ldap, LDAP_OPT_DEREF, &never);
	return code;
}

static void stop_watching(struct talk *talk)
{
	if (talk->watched)
		cutter_forget(talk->cutter, &talk->line);
	talk->watched = 0;
}

static int watch(LDAP *ldap UNUSED, Sockbuf *socket, LDAPURLDesc *url UNUSED,
	struct sockaddr *address UNUSED, struct ldap_conncb *news)
{
	struct talk *talk = news->lc_arg;
	ber_socket_t fd;
	stop_watching(talk);
	if (ber_sockbuf_ctrl(socket, LBER_SB_OPT_GET_FD, &fd) != 1 ||
		cutter_watch(talk->cutter, &talk->line, fd, talk->end_ms))
		return -1;
	talk->watched = 1;
	return 0;
}

static void unwatch(LDAP *ldap UNUSED, Sockbuf *socket UNUSED, struct ldap_conncb *news)
{
	stop_watching(news->lc_arg);
}

/* The library takes CA certificates from files only. */
static int name_ca_file(struct talk *talk, char *ret, size_t size)
{
	const char *ca = talk->directory->ca;
	size_t len = strlen(ca);
	if (!len) {
		snprintf(ret, size, "%s", SYSTEM_CAS);
		return 0;
	}
	talk->ca_fd = memfd_create("directory-ca", MFD_CLOEXEC);
	if (talk->ca_fd < 0 || write(talk->ca_fd, ca, len) != (ssize_t)len)
		return -REASON_NO_MEMORY;
	snprintf(ret, size, "/proc/self/fd/%d", talk->ca_fd);
	return 0;
}

static int set_tls(struct talk *talk)
{
	const int demand = LDAP_OPT_X_TLS_DEMAND, client = 0,
		  least = LDAP_OPT_X_TLS_PROTOCOL_TLS1_2;
	char file[64];
	if (name_ca_file(talk, file, sizeof(file)))
		return LDAP_NO_MEMORY;
	int code = ldap_set_option(talk->ldap, LDAP_OPT_X_TLS_CACERTFILE, file);
	if (!code)
		code = ldap_set_option(talk->ldap, LDAP_OPT_X_TLS_REQUIRE_CERT, &demand);
	if (!code)
		code = ldap_set_option(talk->ldap, LDAP_OPT_X_TLS_PROTOCOL_MIN, &least);
	/* Reads all of the above; must be the last. */
	if (!code)
		code = ldap_set_option(talk->ldap, LDAP_OPT_X_TLS_NEWCTX, &client);
	return code;
}

static void hang_up(struct talk *talk)
{
	if (talk->ldap)
		ldap_unbind_ext_s(talk->ldap, NULL, NULL);
	stop_watching(talk);
	if (talk->ca_fd >= 0)
		close(talk->ca_fd);
	talk->ldap = NULL;
	talk->ca_fd = -1;
}

/* A connection that may carry a password. */
static int call_up(struct talk *talk, const struct ldap_bind_limits *limits)
{
	const struct directory_ldap *ldap = &talk->directory->ldap;
	int encrypted = ldap->start_tls || !directory_address_is_local(ldap->url);
	int code = ldap_initialize(&talk->ldap, ldap->url);
	if (!code)
		code = set_times(talk, limits);
	if (!code)
		code = set_manners(talk);
	if (!code)
		code = ldap_set_option(talk->ldap, LDAP_OPT_CONNECT_CB, &talk->news);
	if (!code && encrypted)
		code = set_tls(talk);
	if (code)
		return unreachable(talk, "setting up", code);
	talk->end_ms = clock_mono_ms() + limits->connect_ms + limits->answer_ms;
	code = ldap_connect(talk->ldap);
	if (code)
		return unreachable(talk, "connecting", code);
	if (ldap->start_tls)
		code = ldap_start_tls_s(talk->ldap, NULL, NULL);
	return code ? unreachable(talk, "StartTLS", code) : 0;
}

static void init(struct talk *talk, const struct directory *directory,
	struct cutter *cutter, char *detail)
{
	*talk = (struct talk){.directory = directory,
		.cutter = cutter,
		.ca_fd = -1,
		.detail = detail,
		.news = {.lc_add = watch, .lc_del = unwatch, .lc_arg = talk}};
	detail[0] = 0;
}

static int bind_as(struct talk *talk, const char *dn, const char *password)
{
	struct timeval left = time_left(talk);
	struct berval secret = {.bv_len = strlen(password), .bv_val = (char *)password};
	int code = ldap_set_option(talk->ldap, LDAP_OPT_TIMEOUT, &left);
	return code ? code
		    : ldap_sasl_bind_s(talk->ldap, dn, LDAP_SASL_SIMPLE, &secret, NULL,
			      NULL, NULL);
}

/* Answers that say something of the person; all others say something of the server. */
static int is_refusal(int code)
{
	return code == LDAP_INVALID_CREDENTIALS || code == LDAP_INAPPROPRIATE_AUTH ||
	       code == LDAP_NO_SUCH_OBJECT || code == LDAP_INVALID_DN_SYNTAX ||
	       code == LDAP_CONSTRAINT_VIOLATION || code == LDAP_UNWILLING_TO_PERFORM ||
	       code == LDAP_INSUFFICIENT_ACCESS;
}

static int bind_service(struct talk *talk)
{
	const struct directory_ldap *ldap = &talk->directory->ldap;
	int code = *ldap->bind_dn ? bind_as(talk, ldap->bind_dn, ldap->bind_password) : 0;
	return code ? unreachable(talk, "binding as bind_dn", code) : 0;
}

/* The one entry's DN, or "" when there is none or more than one. */
static int take_dn(struct talk *talk, LDAPMessage *found, char ret[static DN_SIZE])
{
	LDAPMessage *entry = ldap_first_entry(talk->ldap, found);
	char *dn = NULL;
	ret[0] = 0;
	if (ldap_count_entries(talk->ldap, found) == 1)
		dn = ldap_get_dn(talk->ldap, entry);
	if (dn && strlen(dn) < DN_SIZE)
		memcpy(ret, dn, strlen(dn) + 1);
	ldap_memfree(dn);
	return 0;
}

static int search(struct talk *talk, const char *user, char ret[static DN_SIZE])
{
	static char none[] = LDAP_NO_ATTRS;
	char *attributes[] = {none, NULL}, filter[LDAP_TEXT_SIZE];
	const struct directory_ldap *ldap = &talk->directory->ldap;
	struct timeval left = time_left(talk);
	LDAPMessage *found = NULL;
	int r = ldap_text_fill(filter, ldap->filter, user);
	if (r)
		return r;
	int code = ldap_search_ext_s(talk->ldap, ldap->base, LDAP_SCOPE_SUBTREE, filter,
		attributes, 1, NULL, NULL, &left, 2, &found);
	/* More than one are too many to tell whose password it is. */
	if (code == LDAP_SUCCESS || code == LDAP_SIZELIMIT_EXCEEDED ||
		code == LDAP_NO_SUCH_OBJECT)
		r = found ? take_dn(talk, found, ret) : 0;
	else
		r = unreachable(talk, "searching", code);
	ldap_msgfree(found);
	return r;
}

/* A DN that nobody has, so that unknown names take as long as known ones. */
static void name_nobody(const struct talk *talk, char ret[static DN_SIZE])
{
	const char *base = talk->directory->ldap.base;
	snprintf(ret, DN_SIZE, "cn=engawa-nobody%s%s", *base ? "," : "", base);
}

static int find(struct talk *talk, const char *user, char ret[static DN_SIZE],
	int *ret_known)
{
	const char *template = talk->directory->ldap.bind_dn_template;
	_Static_assert(DN_SIZE >= LDAP_TEXT_SIZE, "a filled template fits");
	*ret_known = 1;
	if (*template)
		return ldap_text_fill(ret, template, user);
	int r = bind_service(talk);
	if (r == 0)
		r = search(talk, user, ret);
	if (r == 0 && !*ret) {
		*ret_known = 0;
		name_nobody(talk, ret);
	}
	return r;
}

static int check(struct talk *talk, const char *user, const char *password)
{
	char dn[DN_SIZE] = "";
	int known, r = find(talk, user, dn, &known);
	if (r)
		return r;
	int code = bind_as(talk, dn, password);
	if (code && !is_refusal(code))
		return unreachable(talk, "binding", code);
	return code || !known ? -REASON_PASSWORD_WRONG : 0;
}

int ldap_bind_check(const struct directory *directory, struct cutter *cutter,
	const struct ldap_bind_limits *limits, const char *user, const char *password,
	char detail[static LDAP_BIND_DETAIL])
{
	struct talk talk;
	init(&talk, directory, cutter, detail);
	if (!directory_user_good(user) || !*password)
		return -REASON_PASSWORD_WRONG;
	int r = call_up(&talk, limits);
	if (r == 0)
		r = check(&talk, user, password);
	hang_up(&talk);
	return r;
}

int ldap_bind_reach(const struct directory *directory, struct cutter *cutter,
	const struct ldap_bind_limits *limits, char detail[static LDAP_BIND_DETAIL])
{
	struct talk talk;
	init(&talk, directory, cutter, detail);
	char dn[DN_SIZE];
	int r = call_up(&talk, limits);
	if (r == 0)
		r = bind_service(&talk);
	/* The base has to be there, whoever is asked for. */
	if (r == 0 && *directory->ldap.filter)
		r = search(&talk, "engawa-nobody", dn);
	hang_up(&talk);
	return r;
}
