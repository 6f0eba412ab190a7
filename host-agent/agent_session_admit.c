/* agent_session_admit: who may come in: pairing codes, devices, the host's own rules, and the person who sits
 * at the office PC. */
#include "agent_session_inside.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/reason.h"
#include "base/secret.h"
#include "base/text.h"
#include "desktop/desktop.h"
#include "e2e/peers.h"
#include "e2e/pin_rules.h"
#include "e2e/ticket_book.h"
#include "pair_guard.h"

/* No answer is no. Well below the time that a viewer waits for a verdict (link/tunnel.h). */
#define CONSENT_MS 30000

/* ---- who it is ----------------------------------------------------------------------------- */

/* Asked before the viewer is proved, so nothing is changed but the count of tries. */
int agent_session_admit_psk(void *ctx, const struct tunnel_peer *peer,
	uint8_t ret_psk[static INNER_KEY])
{
	struct agent_session *session = ctx;
	CHECK_OBJ(session, SESSION_MAGIC);
	int64_t now_ms = clock_wall_ms();
	if (peer->purpose == PROLOGUE_PAIRING) {
		int status = pair_guard_permits(session->house.guard, clock_mono_ms());
		if (status < 0)
			return status;
		return ticket_book_try(session->house.dir, peer->ticket, now_ms, ret_psk);
	}
	int status = peers_reload(session->house.peers);
	if (status < 0)
		return status;
	const struct peers_device *device =
		peers_find(session->house.peers, peer->key, now_ms);
	if (!device)
		return -REASON_DEVICE_UNKNOWN;
	if (device->revoked_ms)
		return -REASON_DEVICE_REVOKED;
	memcpy(ret_psk, device->pair_psk, INNER_KEY);
	return 0;
}

int agent_session_admit_accept(void *ctx, const struct tunnel_peer *peer)
{
	struct agent_session *session = ctx;
	CHECK_OBJ(session, SESSION_MAGIC);
	int64_t now_ms = clock_wall_ms();
	const struct peers_device *device =
		peers_find(session->house.peers, peer->key, now_ms);
	int status = pin_rules_host_accepts_viewer(peer->purpose, peer->psk_kind, device,
		peer->key, now_ms);
	if (status < 0)
		return status;
	session->purpose = peer->purpose;
	session->device_rights = device ? device->rights : INNER_RIGHTS_ALL;
	session->paired_class = device ? device->class : peer->class;
	text_clip(session->paired_device, sizeof(session->paired_device),
		device ? device->name : peer->device);
	text_clip(session->paired_user, sizeof(session->paired_user),
		device ? device->user : peer->user);
	if (peer->purpose == PROLOGUE_PAIRING)
		return ticket_book_use(session->house.dir, peer->ticket, now_ms);
	return 0;
}

void agent_session_admit_guessed(void *ctx, uint32_t ticket)
{
	struct agent_session *session = ctx;
	CHECK_OBJ(session, SESSION_MAGIC);
	if (ticket_book_fail(session->house.dir, ticket, clock_wall_ms()) < 0)
		log_line(LOG_WARN, "a wrong pairing code could not be counted");
	int locks = pair_guard_failed(session->house.guard, clock_mono_ms());
	log_line(LOG_WARN,
		locks ? "pairing is locked: too many wrong codes"
		      : "a wrong pairing code",
		LOG_U("ticket", ticket), LOG_S("address", session->address));
}

/* ---- whether it may ------------------------------------------------------------------------ */

static void turn_away(struct agent_session *session, int reason)
{
	log_line(LOG_INFO, "a viewer was turned away",
		LOG_S("reason", reason_symbol(reason)), LOG_S("viewer", session->viewer),
		LOG_S("address", session->address));
	tunnel_admit(session->tunnel, reason < 0 ? -reason : reason, NULL);
}

/* A device that is paired already takes no further place. */
static int has_place(const struct agent_session *session)
{
	struct veto veto = {0};
	struct permitted own, in_force = session->told;
	size_t paired = 0;
	if (agent_session_veto(session, &veto) < 0)
		return 0;
	permitted_by_veto(&veto, &own);
	veto_done(&veto);
	permitted_narrow(&in_force, &own);
	for (size_t i = 0; i < peers_count(session->house.peers); i++) {
		const struct peers_device *device = peers_at(session->house.peers, i);
		if (!device->revoked_ms &&
			!secret_equal(device->key, session->key, INNER_KEY))
			paired++;
	}
	return !in_force.devices_max || (int64_t)paired < in_force.devices_max;
}

static void admit_pairing(struct agent_session *session, struct tunnel_grant *grant)
{
	int status = peers_reload(session->house.peers);
	if (!status && !has_place(session))
		status = -REASON_DEVICES_FULL;
	if (!status)
		status = secret_random(grant->pair_psk, sizeof(grant->pair_psk));
	if (status < 0)
		turn_away(session, status);
	else
		tunnel_admit(session->tunnel, REASON_NONE, grant);
}

static void let_in(struct agent_session *session)
{
	struct tunnel_grant given = {.rights = session->rights};
	int width, height;
	desktop_size(session->desktop, &width, &height);
	given.width = (uint16_t)width;
	given.height = (uint16_t)height;
	text_clip(given.host_name, sizeof(given.host_name), session->house.host_name);
	tunnel_admit(session->tunnel, REASON_NONE, &given);
}

/* "label value", with nothing in it that could turn the text of the question around. */
static void put_line(char *ret, size_t size, const char *label, const char *value)
{
	char plain[INNER_NAME_SIZE];
	text_escape(plain, sizeof(plain), value);
	snprintf(ret, size, "%s%.120s", label, plain);
}

/* The names are those of the pairing: somebody at this desk gave out the code then. */
static int ask_person(struct agent_session *session)
{
	int ja = reason_lang_env() == REASON_JA;
	char user[200], device[200], address[200];
	put_line(user, sizeof(user), ja ? "利用者: " : "User: ", session->paired_user);
	put_line(device, sizeof(device),
		ja ? "端末: " : "Device: ", session->paired_device);
	put_line(address, sizeof(address),
		ja ? "接続元: " : "Address: ", session->address);
	const char *const lines[DESKTOP_ASK_LINES] = {
		ja ? "このPCへのリモート接続を許可しますか？"
		   : "Allow this person to use this PC remotely?",
		user, device, address};
	return desktop_ask(session->desktop, lines, CONSENT_MS, &session->question);
}

static void ask_or_let_in(struct agent_session *session)
{
	if (!session->in_force.consent || session->consented) {
		let_in(session);
		return;
	}
	int status = ask_person(session);
	if (!status) {
		log_line(LOG_INFO, "the person at this PC is asked",
			LOG_S("viewer", session->viewer),
			LOG_S("address", session->address));
		return;
	}
	/* Consent that nobody can give is not given. */
	session->question = 0;
	log_line(LOG_WARN, "nobody at this PC can be asked",
		LOG_S("reason", reason_symbol(status)));
	turn_away(session, -REASON_CONSENT_REFUSED);
}

static void decide(struct agent_session *session)
{
	uint16_t rights = 0;
	int status = session->desktop ? 0 : session->desktop_reason;
	if (!status)
		status = agent_session_watch_force(session, clock_wall_ms(), &rights);
	if (!status)
		status = agent_session_watch_apply(session);
	if (status < 0) {
		turn_away(session, status);
		return;
	}
	session->rights = rights;
	ask_or_let_in(session);
}

void agent_session_admit_ask(void *ctx, const struct tunnel_peer *peer)
{
	struct agent_session *session = ctx;
	CHECK_OBJ(session, SESSION_MAGIC);
	struct tunnel_grant given = {0};
	memcpy(session->key, peer->key, INNER_KEY);
	text_clip(session->viewer, sizeof(session->viewer), peer->device);
	text_clip(session->user, sizeof(session->user), peer->user);
	session->class = peer->class;
	session->wanted = peer->wanted;
	if (peer->purpose != PROLOGUE_PAIRING) {
		decide(session);
		return;
	}
	text_clip(given.host_name, sizeof(given.host_name), session->house.host_name);
	admit_pairing(session, &given);
	secret_wipe(&given, sizeof(given));
}

/* ---- the person at the office --------------------------------------------------------------- */

void agent_session_admit_answer(struct agent_session *session, unsigned question, int yes)
{
	/* An answer to somebody else's question opens nothing. */
	if (!session->question || question != session->question)
		return;
	agent_session_admit_forget(session);
	agent_session_note(session, yes ? "consented" : "consent refused", 0);
	if (!yes) {
		turn_away(session, -REASON_CONSENT_REFUSED);
		return;
	}
	/* The rules may have become stricter while somebody thought. */
	session->consented = 1;
	decide(session);
}

void agent_session_admit_forget(struct agent_session *session)
{
	if (session->question && session->desktop)
		desktop_ask_no_more(session->desktop);
	session->question = 0;
}

/* ---- pairing ------------------------------------------------------------------------------- */

int agent_session_admit_paired(void *ctx, const struct tunnel_paired *paired)
{
	struct agent_session *session = ctx;
	CHECK_OBJ(session, SESSION_MAGIC);
	struct peers_device device = {.class = paired->class, .rights = INNER_RIGHTS_ALL};
	device.added_ms = device.seen_ms = clock_wall_ms();
	memcpy(device.key, paired->peer_key, sizeof(device.key));
	memcpy(device.pair_psk, paired->pair_psk, sizeof(device.pair_psk));
	text_clip(device.name, sizeof(device.name), paired->device);
	text_clip(device.user, sizeof(device.user), paired->user);
	int status = peers_reload(session->house.peers);
	if (!status)
		status = peers_authorise(session->house.peers, &device);
	secret_wipe(&device, sizeof(device));
	if (status < 0) {
		log_line(LOG_ERROR, "pairing failed at the last step",
			LOG_S("reason", reason_symbol(status)));
		return status;
	}
	pair_guard_succeeded(session->house.guard);
	agent_session_note(session, "paired", 0);
	log_line(LOG_INFO, "paired", LOG_S("viewer", session->viewer),
		LOG_S("address", session->address));
	return 0;
}
