/* call: one request to the REST API with the one who makes it, and what all handlers do alike: find
 * a document within the caller's reach, record an act, give an order, answer pages.
 *
 * Thread: the office thread that runs the handler; it may block. Errors: functions that return
 * -REASON_* have answered the exchange, so that a handler can just return.
 */
#ifndef ADMIN_CALL_H
#define ADMIN_CALL_H

#include <jansson.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdint.h>

#include "admin/admin.h"
#include "admin/license_index.h"
#include "admin/once.h"
#include "admin/token.h"
#include "base/check.h"
#include "http/body.h"
#include "http/exchange.h"
#include "rules/audit.h"
#include "rules/field.h"
#include "rules/role.h"
#include "store/store_open.h"
#include "store/store_wait.h"

struct reading_log;

struct admin {
	struct admin_parts parts;
	struct once *once;
	struct license_index *licenses;
	struct reading_log *readings;
	sem_t streams;      /* long answers that may still begin */
	sem_t scrypts;      /* password hashes that may still begin: 32 MiB each */
	atomic_int hashing; /* office threads that hash or wait for it, admin/hashing.h */
	struct bus_subscription *news; /* api_events.h */
};

/* A program with its token, or a person who is signed in. */
enum caller_kind { CALLER_NOBODY, CALLER_TOKEN, CALLER_ACCOUNT };

struct caller {
	enum caller_kind kind;
	char id[65];     /* of the token or the sign-in */
	char name[136];  /* as in journal rows: "token:NAME", or the account's */
	char tenant[41]; /* "": all of them */
	enum role role;  /* the one that says most */
	unsigned roles;  /* ROLE_BIT()s */
};

#define CALL_COOKIE 160

struct call {
	struct admin *admin;
	struct exchange *exchange;
	struct caller by;
	char repeat_key[129];     /* repeat.h; "": nothing to keep */
	int64_t step_up_until_ms; /* of a person: 0 when a secret has to be shown again */
	char cookie[CALL_COOKIE]; /* the header that sets it, until the answer */
	int recorded, told;       /* whether call_audit and call_changed were called */
	char recorded_tenant[STATE_TENANT_MAX + 1]; /* of the last record */
};

struct call *call_of(struct exchange *exchange);
/* The store whose rows these are. */
static inline struct store *call_store(const struct call *call)
{
	return call->admin->parts.store;
}

/* Whether he may; the gate has asked for the route's permission already. */
int call_may(const struct call *call, enum role_permission permission);

/* Answers with the reason; 503 and 429 with a time to try again. */
int call_fail(struct call *call, int reason, const char *detail);

/* Answers that the member or parameter `field` is wrong; always -REASON_BAD_VALUE. */
int call_wrong(struct call *call, const char *field, const char *message);
/* Refuses whoever belongs to one company. 0 or -REASON_FORBIDDEN, answered. */
MUST_CHECK int call_operators_only(struct call *call);
/* The same with a time to wait. */
int call_fail_for(struct call *call, int reason, int64_t wait_ms);
/* BAD_VALUE, or `reason`, with the field that is wrong. */
int call_fail_field(struct call *call, int reason, const struct field_error *error);

/* Which tenant's documents to list: NULL is all. From the caller, or for operators ?tenant=. */
const char *call_tenant(const struct call *call);
/* Whether this tenant's documents are the caller's business. */
int call_may_see(const struct call *call, const char *tenant);
/* The company that something new belongs to: what was `given` (NULL: the caller's own) must be one
 * that the caller sees and that exists; "" is the operator's own. */
MUST_CHECK int call_tenant_of_new(struct call *call, const char *given,
	char ret[static STATE_TENANT_MAX + 1]);
/* The company of a route whose ids are unique within one: the caller's own, or for operators
 * ?tenant= ("" without it). Who acts and names another company is answered NOT_FOUND. */
MUST_CHECK int call_tenant_named(struct call *call, const char **ret);
/* The document {name of the param}; of other tenants there is none. */
MUST_CHECK int call_get(struct call *call, enum state_kind kind, const char *id,
	struct store_docs *ret);

/* The row comes before the act: what cannot be recorded is not done. `license` is "" where none is
 * concerned. Takes `fields` (rules/audit.def) over. */
MUST_CHECK int call_audit(struct call *call, enum audit_event event, const char *tenant,
	const char *license, json_t *fields);
/* The same, where the answer is under way already or somebody else gives it. */
MUST_CHECK int call_record(struct call *call, enum audit_event event, const char *tenant,
	const char *license, json_t *fields);
/* An act that was recorded could not be done: says so in the journal too, and answers. */
int call_undone(struct call *call, enum audit_event event, const char *tenant,
	const char *license, int reason);

/* Writes a document whose act was recorded as `event`; version 0: it must not exist yet.
 * -REASON_*: answered, and recorded as undone. */
MUST_CHECK int call_put(struct call *call, enum audit_event event,
	const struct state_doc *doc);
/* Removes one, whatever its version; that it is gone already is no error. */
MUST_CHECK int call_remove(struct call *call, enum audit_event event,
	enum state_kind kind, const char *id, const char *tenant);

/* Publishes an order of relay/orders.h with who gave it. Takes `order` over. */
MUST_CHECK int call_order(struct call *call, json_t *order);

/* Tells live pages and the other nodes' indexes that something is not as it was (topic "news",
 * {"type","id","tenant","act"}; act: "created", "changed", "deleted"). The change itself is done, so
 * that news which get lost are no error. */
void call_changed(struct call *call, const char *type, const char *id, const char *tenant,
	const char *act);

/* Points in time: beside each member NAME_ms a member NAME with RFC 3339 text, null for 0. */
void call_add_times(json_t *object);
/* The document's body as JSON object, {} when it is damaged; never NULL unless memory is out. */
json_t *call_body(const struct state_doc *doc);

#endif
