/* state: what the gateway knows now: documents (licenses, devices, tokens, …), claims of sessions,
 * and leases of presence. An interface; store_open.h makes one of sqlite, redis or memory.
 *
 * Thread: every function may be called from any thread and never blocks; the answer runs once, on
 * the thread of `box` (base/post.h), also after an error. Arguments are copied before return.
 * Owner: an answer's contents live until its callback returns. Errors: -REASON_STORE_UNAVAILABLE
 * when the store cannot be reached, -REASON_NOT_FOUND, -REASON_CONFLICT (version differs or exists),
 * -REASON_DISK_FULL (nothing was changed).
 * The store knows no meaning: rules/ read and write the JSON bodies.
 */
#ifndef STORE_STATE_H
#define STORE_STATE_H

#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "base/post.h"

enum state_kind {
	STATE_TENANT,
	STATE_ACCOUNT,
	STATE_TOKEN,
	STATE_LICENSE,
	STATE_HOST, /* id = license id: the device bound to it, its inventory, when it was seen */
	STATE_DEVICE, /* viewer devices seen per license */
	STATE_GROUP,
	STATE_POLICY,
	STATE_ATTEMPTS, /* failed sign-ins per license, account, address */
	STATE_SESSION,  /* live sessions, for people who look; the claim is what counts */
	STATE_NODE,     /* nodes: address, version, since when, draining, counts */
	STATE_META,     /* cluster name, schema, checkpoints */
	STATE_SIGN_IN,  /* people who are signed in to the administration */
	STATE_KEY,      /* a tenant's data keys, wrapped by the master key */
	STATE_ALERT,    /* rules: what is worth telling somebody */
	STATE_ROUTE,    /* where alerts go: webhook, mail, syslog */
	STATE_ALARM,    /* alerts that have fired */
	STATE_NOTICE,   /* what the operator tells people beforehand */
	STATE_USAGE,    /* bytes and sessions summed up, for charts */
	STATE_DIRECTORY, /* OIDC providers and LDAP servers where people may sign in */
	STATE_STATEMENT, /* the operator's own answers in the check sheet */
	STATE_OUTAGE,    /* what the probes found: faults and planned stops */
	STATE_JOIN, /* one-time tokens of viewers that were sent to another node (rules/join.h) */
	STATE_KINDS
};

#define STATE_ID_MAX 160
#define STATE_TENANT_MAX 40
#define STATE_BODY_MAX (256 * 1024)
/* A sealed body (store/sealed) is longer than what is in it. */
#define STATE_BOX_MAX (STATE_BODY_MAX / 3 * 4 + 512)

struct state_doc {
	enum state_kind kind;
	const char *id;     /* unique within the kind */
	const char *tenant; /* "" for what belongs to no company */
	uint64_t
		version; /* grows by one with every change; 0 in a put: must not exist yet */
	const char *body; /* JSON object */
};

struct state_answer {
	int status; /* 0 or -REASON_* */
	const struct state_doc *docs;
	size_t count;
	/* claims */
	uint64_t fence;
	const char *
		holder; /* who has the claim, or where the presence is: the value that was given */
};

typedef void (*state_done)(void *ctx, const struct state_answer *answer);

struct state;

struct state_vtable {
	void (*get)(struct state *, enum state_kind, const char *id, struct post_box *,
		state_done, void *ctx);
	void (*put)(struct state *, const struct state_doc *, struct post_box *,
		state_done, void *ctx);
	void (*remove)(struct state *, enum state_kind, const char *id, uint64_t version,
		struct post_box *, state_done, void *ctx);
	void (*list)(struct state *, enum state_kind, const char *tenant,
		const char *after, size_t limit, struct post_box *, state_done,
		void *ctx);
	void (*claim)(struct state *, const char *license, const char *session,
		const char *holder, int64_t ttl_ms, struct post_box *, state_done,
		void *ctx);
	void (*renew)(struct state *, const char *license, const char *session,
		int64_t ttl_ms, struct post_box *, state_done, void *ctx);
	void (*release)(struct state *, const char *license, const char *session,
		uint64_t fence, struct post_box *, state_done, void *ctx);
	void (*announce)(struct state *, const char *license, const char *node,
		const char *value, int64_t ttl_ms, struct post_box *, state_done,
		void *ctx);
	void (*stay)(struct state *, const char *license, const char *node,
		const char *value, int64_t ttl_ms, struct post_box *, state_done,
		void *ctx);
	void (*locate)(struct state *, const char *license, struct post_box *, state_done,
		void *ctx);
	void (*withdraw)(struct state *, const char *license, const char *node,
		struct post_box *, state_done, void *ctx);
	void (*raise)(struct state *, uint64_t least, struct post_box *, state_done,
		void *ctx);
};

/* Every implementation's struct begins with this. */
struct state {
	const struct state_vtable *vtable;
};

static inline void state_get(struct state *state, enum state_kind kind, const char *id,
	struct post_box *box, state_done done, void *ctx)
{
	state->vtable->get(state, kind, id, box, done, ctx);
}

/* Creates (version 0) or changes (the version that was read). The answer's doc carries the new
 * version. The change is durable before the answer. */
static inline void state_put(struct state *state, const struct state_doc *doc,
	struct post_box *box, state_done done, void *ctx)
{
	state->vtable->put(state, doc, box, done, ctx);
}

/* version 0: whatever version there is. */
static inline void state_remove(struct state *state, enum state_kind kind, const char *id,
	uint64_t version, struct post_box *box, state_done done, void *ctx)
{
	state->vtable->remove(state, kind, id, version, box, done, ctx);
}

/* In order of id, those after `after` (NULL: from the start), of one tenant (NULL: of all). Fewer
 * than `limit` (at most 1000): there are no more. */
static inline void state_list(struct state *state, enum state_kind kind,
	const char *tenant, const char *after, size_t limit, struct post_box *box,
	state_done done, void *ctx)
{
	state->vtable->list(state, kind, tenant, after, limit, box, done, ctx);
}

/* The one way to a session. Free, run out, or held by the same session: it is ours for ttl_ms and
 * `fence` is a number greater than every one drawn before for this license (fences outlive claims
 * and restarts). Held by another session: -REASON_LICENSE_IN_USE and its holder. */
static inline void state_claim(struct state *state, const char *license,
	const char *session, const char *holder, int64_t ttl_ms, struct post_box *box,
	state_done done, void *ctx)
{
	state->vtable->claim(state, license, session, holder, ttl_ms, box, done, ctx);
}

/* -REASON_NOT_FOUND when the claim is gone or another's: the session must end. The answer has the fence of the
 * claim: a greater one than the asker's was drawn by another node, which carries the session now. */
static inline void state_renew(struct state *state, const char *license,
	const char *session, int64_t ttl_ms, struct post_box *box, state_done done,
	void *ctx)
{
	state->vtable->renew(state, license, session, ttl_ms, box, done, ctx);
}

/* Only by its owner: who drew this fence (0: whatever fence). Releasing what is not ours is no error and changes nothing, also when
 * the same session was claimed anew meanwhile, by a node that it went on with. */
static inline void state_release(struct state *state, const char *license,
	const char *session, uint64_t fence, struct post_box *box, state_done done,
	void *ctx)
{
	state->vtable->release(state, license, session, fence, box, done, ctx);
}

/* Presence of a host: the newest announcement wins, whatever node it comes from. */
static inline void state_announce(struct state *state, const char *license,
	const char *node, const char *value, int64_t ttl_ms, struct post_box *box,
	state_done done, void *ctx)
{
	state->vtable->announce(state, license, node, value, ttl_ms, box, done, ctx);
}

/* The same for a host that is still here: another node's announcement is not taken away from it, but
 * answered by -REASON_CONFLICT, and `holder` is its value. */
static inline void state_stay(struct state *state, const char *license, const char *node,
	const char *value, int64_t ttl_ms, struct post_box *box, state_done done,
	void *ctx)
{
	state->vtable->stay(state, license, node, value, ttl_ms, box, done, ctx);
}

/* `holder` is the value announced, or -REASON_NOT_FOUND. */
static inline void state_locate(struct state *state, const char *license,
	struct post_box *box, state_done done, void *ctx)
{
	state->vtable->locate(state, license, box, done, ctx);
}

/* Only if this node's announcement is the one that stands. */
static inline void state_withdraw(struct state *state, const char *license,
	const char *node, struct post_box *box, state_done done, void *ctx)
{
	state->vtable->withdraw(state, license, node, box, done, ctx);
}

/* For backups: fences drawn from now on are above `least`, which may have been drawn elsewhere, and
 * above every one drawn here; the answer's fence is one of those. Durable before the answer. */
static inline void state_raise(struct state *state, uint64_t least, struct post_box *box,
	state_done done, void *ctx)
{
	state->vtable->raise(state, least, box, done, ctx);
}

/* For the implementations: -REASON_LIMIT when the id is empty or a part is too long. */
MUST_CHECK int state_doc_check(const struct state_doc *doc);

/* Whether a body has the beginning of a sealed one. */
int state_is_boxed(const char *body);

/* "license", for logs, keys and tables. */
const char *state_kind_name(enum state_kind kind);

#endif
