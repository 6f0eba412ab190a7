/* leg: an authenticated conn: one license, one side, one device. Reads frames, answers PING, hands
 * DATA to the pump of its session and CONNECT to the lobby.
 *
 * Thread: the worker of its desk; a viewer's leg may move once per CONNECT to its host's desk.
 * Owner: itself: it frees itself when its conn has ended. Others hold its number (desk_find_leg) or
 * are told: the session by leg->session. Errors: -REASON_NO_MEMORY.
 */
#ifndef RELAY_LEG_H
#define RELAY_LEG_H

#include <stdint.h>

#include "base/check.h"
#include "base/list.h"
#include "net/bucket.h"
#include "wire/hello.h"
#include "wire/keepalive.h"
#include "wire/message.h"

struct admission_verdict;
struct conn;
struct crossing;
struct desk;
struct pump;
struct session;

#define LEG_MAGIC 0x006c6567u
#define LEG_ID 31

/* Of a viewer that was let in while the store is away, until it is looked at again (admission.h). */
struct leg_cached {
	uint8_t host[32], credential[32];
};

struct leg {
	uint32_t magic;
	uint8_t state;   /* enum hello_state */
	uint8_t side;    /* enum hello_side */
	uint8_t counted; /* in the house's numbers and the lobby */
	uint8_t moving;
	uint8_t waiting_for_host; /* in the lobby, until wait_until_ms */
	struct desk *desk;
	struct conn *conn;
	struct list node, roster;
	uint64_t number; /* unique on this node */
	char id[LEG_ID];
	char license[17], kind[17], address[64];
	char *name, *program, *tenant, *holder, *policy; /* never NULL */
	char *via; /* a viewer's: the node that carries it here (landing.h), or NULL */
	uint8_t device[32], app_min, app_max;
	int64_t expires_ms; /* of the license, wall clock; 0: never */
	int64_t since_ms;   /* wall clock */
	int64_t proved_ms;  /* monotonic: when it gave its proof */
	struct keepalive keepalive;
	struct bucket chatter;   /* control frames: each costs more than it carries */
	struct session *session; /* that it is in, or that is being opened for it */
	struct pump *pump;       /* takes its DATA: exactly while HELLO_JOINED */
	int64_t review_ms; /* a viewer's policy is looked at again then; 0: no need (review.h) */
	uint8_t in_review;
	int64_t refresh_ms; /* a viewer in a session is looked at again then, to be known when the store is away */
	struct leg_cached *cached; /* or NULL: the store was asked */
	/* a host's: */
	struct session *seat; /* opening, live, or giving its claim back */
	uint64_t next_viewer; /* number of the leg that takes the seat then, or 0 */
	uint64_t owes; /* fence of the session whose end it has not confirmed yet, or 0 */
	int64_t owes_until_ms;
	uint64_t confirmed;   /* fence of the session whose end it confirmed last, or 0 */
	int64_t announce_ms;  /* when its presence is due again */
	unsigned emptied;     /* store_health_emptied() when it was announced */
	int64_t report_ms;    /* not before then is a report written again */
	char *inventory;      /* to be written, or NULL */
	uint8_t was_replaced; /* by a newer leg, at this node */
	uint8_t announced;    /* the store knows that it is here */
	/* a viewer's: */
	struct crossing *crossing; /* that carries it to another node, or NULL */
	int resume_only; /* 0, or why it may begin no new session (admission.h) */
	struct message_connect *wish; /* while HELLO_WAITING */
	int64_t asked_ms, wait_until_ms;
	char *unreached; /* HOST:PORT that it was sent to in vain, or NULL */
	uint8_t seeking; /* its host is looked for at other nodes; 2: and once more then */
	int hops;
	struct desk *move_to;
};

/* A leg on `conn`, in HELLO_IDLE, not yet seated. */
MUST_CHECK int leg_new(struct desk *desk, struct conn *conn,
	const struct message_hello *hello, enum hello_side side,
	const struct admission_verdict *verdict, struct leg **ret);
/* Takes back a leg_new; the conn is untouched. */
void leg_discard(struct leg *leg);
/* Seats it: from here on it reads. WELCOME has been written. */
void leg_enter(struct leg *leg);
void leg_tick(struct leg *leg, int64_t now_ms);

/* Every change of state comes through here and must be in the table. */
void leg_change(struct leg *leg, enum hello_state state);
/* A viewer's wish is refused: CLOSE, and the leg ends. */
void leg_refuse(struct leg *leg, int reason, int64_t retry_ms, const char *detail);
/* The session it was in is over; it is idle again. */
void leg_leave_session(struct leg *leg);
/* CLOSE for this fence went to a host: what it sends until its RECEIPT belongs to that session still, and
 * nobody else gets it. A viewer needs no such mark, its CONNECT is one. */
void leg_await_receipt(struct leg *leg, uint64_t fence);
/* To the desk of its host; lobby_match goes on there. */
void leg_move(struct leg *leg, struct desk *to);
/* It ends, and has been told why already. */
void leg_part(struct leg *leg, int reason);
/* CLOSE (when it still can be told), and the end. Its session ends with the same reason. */
void leg_end(struct leg *leg, int reason);
/* The same without a word: the conn takes nothing any more. */
void leg_cut(struct leg *leg, int reason);
/* Shapes fit for desk_post. */
void leg_be_replaced(struct leg *leg, int reason);
void leg_try_again(struct leg *leg, int reason);
/* Its host may have come to another node: a viewer that waits looks there, a host makes sure. */
void leg_look_elsewhere(struct leg *leg, int reason);
void leg_make_sure(struct leg *leg, int reason);
/* The host of a viewer that was looked for is here now. */
void leg_come_to_host(struct leg *viewer);

/* "lic_" and nine characters. */
int leg_is_license(const char *text);

/* "who" of a log line: the first eight digits of the device key, never the whole. */
#define LEG_DEVICE 17
void leg_device_text(const struct leg *leg, char ret[static LEG_DEVICE]);

#endif
