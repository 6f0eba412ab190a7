/* session: two legs joined. Draws its fence by the claim, is in the journal before anybody is told,
 * lives, and ends exactly once with one reason.
 *
 *   CHECKING ─► CLAIMING ─► RECORDING ─► LIVE ─► CLOSING ─► CLOSED
 *       └──────────┴────────────┴─────────────────►┘
 *   CHECKING   a resumed session that this node does not remember is looked up
 *   CLAIMING   state_claim: ours alone from here on, with a fence
 *   RECORDING  the opening row is on its way to the journal; no row, no session
 *   LIVE       OPEN was sent to both; the pumps run; the claim is renewed
 *   CLOSING    CLOSE was sent; receipts are awaited; the claim is given back at once
 *   CLOSED     the closing row is on its way; offered again until the journal takes it; after a cut
 *              the document stays as "away" for the grace time, so that any node can resume
 *
 * Journal rows (JOURNAL_SESSION): one with "event":"open" when it starts and one with
 * "event":"close" when it has ended; lists of sessions read the closing rows alone, live sessions
 * are the STATE_SESSION documents. A session that is resumed after a cut keeps its id and gets a
 * new fence; every (id, fence) has its own two rows. The closing row has:
 *   id fence license tenant holder event node started ended reason resumed purpose
 *   host host_device host_address host_kind   viewer viewer_device viewer_address viewer_kind
 *   bytes_to_viewer bytes_to_host frames      by? (who ordered the end)
 *   via? (the node that carried the viewer here)   cached? (true: it began while the store was away)
 *   receipts { host {sent received reason signature} viewer {…} agree }
 * A receipt counts, and its numbers are in the row, only when its signature (wire/proof.h) is that of
 * the side's device. An end has one word: after a wrong one it is not heard again (nor is its
 * signature computed again), and the row has receipts.<side> {"refused":"PROOF_WRONG"} instead.
 * Of each (id, fence) there is one closing row, whoever writes it (series_rows.h). A node that others took for lost
 * and that finds theirs writes bandwidth rows for what it carried beyond that, and no other.
 * agree: what each end sent ≥ what was carried ≥ what the other received; "unknown" when a receipt
 * is missing or was refused. host and viewer are the names of the devices, host_device and viewer_device their
 * public keys in base64url.
 * Bandwidth rows (JOURNAL_BANDWIDTH): {"session","fence","hour","bytes_to_viewer","bytes_to_host"},
 * deltas since the last row, one per session and meter_ms and hour at most; their sum is the session's count.
 * The document has the members of the opening row, and:
 *   state ("live", "closing", "away"; "owed": session_document.h)   run (of the node: house.run)
 *   seen   until? (of an away one)   reason?   owed_ms?   closer? closer_ms? (recover.h)
 *   bytes_to_viewer bytes_to_host frames       as carried when it was written
 *   metered_to_viewer metered_to_host          of them in bandwidth rows that the journal has
 *
 * Thread: the worker of the host's desk. Owner: the desk; it frees itself when nothing is awaited.
 */
#ifndef RELAY_SESSION_H
#define RELAY_SESSION_H

#include <stdint.h>

#include "base/list.h"
#include "relay/meter.h"
#include "relay/pump.h"
#include "wire/message.h"
#include "wire/session_id.h"

struct desk;
struct leg;
struct share;

enum session_state {
	SESSION_CHECKING,
	SESSION_CLAIMING,
	SESSION_RECORDING,
	SESSION_LIVE,
	SESSION_CLOSING,
	SESSION_CLOSED,
};

/* What is known of one end, also after its leg is gone. */
struct session_end_info {
	char name[129], device[44], address[64], kind[17];
	char via[65]; /* the node that carries it, or "" */
	uint8_t key[32];
	int has_receipt; /* verified */
	int refused;     /* it sent one that somebody else signed, or nobody */
	struct message_receipt receipt;
};

struct session {
	uint32_t magic;
	uint8_t state;
	uint8_t resumed;
	uint8_t claimed;  /* the claim is ours and has to be given back */
	uint8_t recorded; /* the opening row was offered: a closing row is owed */
	uint8_t written;  /* and the journal has it */
	uint8_t flushing; /* rows are on their way */
	uint8_t closed_elsewhere; /* another node, which took us for lost, wrote the closing row */
	uint8_t documented;    /* people can see it in the state; to be taken out again */
	uint8_t document_busy; /* a write of the document is under way */
	uint8_t document_due;  /* and another one follows it */
	uint8_t document_lost; /* it is a later session's now */
	uint8_t removing;      /* the document is taken out: it is not written again */
	uint8_t from_cache;    /* it began while the store was away (session_away.h) */
	struct desk *desk;
	struct list node;
	uint8_t rereads;
	int asked; /* answers that will come with this session as their ctx */
	uint8_t id[SESSION_ID];
	char id_text[SESSION_ID_TEXT];
	uint64_t fence, document_version;
	uint64_t
		claim_fence; /* of the claim: another one than `fence` when it had to be made anew */
	char license[17], by[129];
	char *tenant, *holder, *policy;
	struct message_connect wish;
	struct leg *host, *viewer;       /* NULL once it has ended or is free again */
	struct leg *seated;              /* the host's leg whose seat this session has */
	struct session_end_info ends[2]; /* by enum hello_side */
	struct pump pumps[2];            /* [side]: takes what that side sends */
	struct share *share;             /* of its company, if that has a cap */
	struct meter meter;
	int reason;                   /* 0: not ending */
	int64_t asked_ms;             /* mono: CONNECT */
	int64_t started_ms, ended_ms; /* wall */
	int64_t state_until_ms;       /* mono: deadline of the present state */
	int64_t ends_at_ms;           /* wall: license or policy; 0: never */
	int ends_at_reason;
	int64_t renew_ms;           /* mono: when the claim is renewed next */
	int64_t flush_ms;           /* mono: when rows are offered next */
	int64_t row_since_ms;       /* wall: what the next row tells began then */
	struct meter_count flushed; /* what the row under way says */
	struct meter_count shown, shown_covered; /* what the document says */
	int64_t shown_ms;                        /* mono: when it was last written */
	int64_t show_ms;                         /* mono: not again before this */
	int64_t stale_ms;      /* mono: then again, also when nothing has changed */
	int64_t away_until_ms; /* wall: may be resumed until then; 0: not away */
};

/* Both legs are at the host's desk; the viewer waits with its wish, the host's seat is free. */
void session_open_start(struct leg *host, struct leg *viewer);
/* Ends it, in whatever state it is. Harmless when it is ending already. `by`: who ordered it, or NULL. */
void session_end(struct session *session, int reason, const char *by);
/* One leg goes, for this reason; the session ends with it. */
void session_lose(struct session *session, struct leg *leg, int reason);
/* The leg's end sent CLOSE for this session. */
void session_closed_by(struct session *session, struct leg *leg, int reason);
/* For a session that has just ended at this desk; unknown or foreign ones are ignored. */
void session_receipt(struct leg *leg, const struct message_receipt *receipt);
void session_room(struct session *session, struct leg *leg);
void session_tick(struct session *session, int64_t now_ms);
/* What the bandwidth rows say that the journal has. */
static inline struct meter_count session_covered(const struct session *session)
{
	struct meter_count covered = session->meter.written;
	if (session->flushing) {
		covered.to_viewer -= session->flushed.to_viewer;
		covered.to_host -= session->flushed.to_host;
	}
	return covered;
}

/* Reasons after which the session may go on on new legs. */
int session_may_resume(int reason);

#endif
