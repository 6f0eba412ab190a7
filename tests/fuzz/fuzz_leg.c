/* links: fakes_relay */
/* A relay and the ends of two licenses, some of which say anything at any time: before and after login, in
 * and out of sessions. Each step is a byte for what, a byte for whom, and what it needs. The rig checks at the
 * end that nobody is left behind, the other ends that the relay itself said only what is right. */
#include <stdlib.h>
#include <string.h>

#include "base/reason.h"
#include "fakes/relay_rig.h"
#include "relay/guard.h"
#include "wire/frame.h"

#define STEPS_MAX 48

enum step {
	DIAL,
	HELLO,
	PROVE,
	CONNECT,
	RESUME,
	DATA,
	FRAME,
	RAW,
	CLOSE,
	LEAVE,
	VANISH,
	TIME,
	LOGIN,
	STEPS
};

struct script {
	const uint8_t *at;
	size_t left;
};

static uint8_t next(struct script *script)
{
	if (!script->left)
		return 0;
	script->left--;
	return *script->at++;
}

static void dial(struct relay_rig *rig, uint8_t how, int login)
{
	if (rig->count == RIG_ENDS)
		return;
	enum hello_side side = how & 1 ? HELLO_HOST : HELLO_VIEWER;
	const char *license = how & 2 ? RIG_OTHER : RIG_LICENSE;
	struct fake_end *end =
		relay_rig_dial(rig, how >> 2 & 1, side, license, how >> 3 & 3);
	end->no_receipts = how >> 5 & 1;
	if (!login)
		return;
	fake_end_hello(end);
	relay_rig_settle(rig);
	if (end->challenged)
		fake_end_prove(end, "password");
	relay_rig_settle(rig);
}

static void any_frame(struct fake_end *end, struct script *script)
{
	uint8_t frame[FRAME_HEADER + 255];
	uint8_t type = next(script);
	size_t len = next(script);
	len = len < script->left ? len : script->left;
	frame_header(frame, type, (uint32_t)len);
	memcpy(frame + FRAME_HEADER, script->at, len);
	script->at += len;
	script->left -= len;
	fake_end_raw(end, frame, FRAME_HEADER + len);
}

static void any_bytes(struct fake_end *end, struct script *script)
{
	size_t len = next(script);
	len = len < script->left ? len : script->left;
	fake_end_raw(end, script->at, len);
	script->at += len;
	script->left -= len;
}

static void say(struct relay_rig *rig, struct fake_end *end, enum step step,
	struct script *script)
{
	switch (step) {
	case HELLO:
		fake_end_hello(end);
		break;
	case PROVE:
		fake_end_prove(end, "password");
		break;
	case CONNECT:
		fake_end_connect(end, NULL);
		break;
	case RESUME:
		fake_end_connect(end, fake_end_session(end));
		break;
	case DATA:
		fake_end_data(end, 16 + next(script) * 250u);
		break;
	case FRAME:
		any_frame(end, script);
		break;
	case RAW:
		any_bytes(end, script);
		break;
	case CLOSE:
		fake_end_close(end, FAKE_CLOSE_SESSION, next(script));
		break;
	case LEAVE:
		fake_end_close(end, FAKE_CLOSE_LEG, next(script));
		break;
	default:
		fake_end_vanish(end);
		break;
	}
	(void)rig;
}

static void take_step(struct relay_rig *rig, struct script *script)
{
	enum step step = (enum step)(next(script) % STEPS);
	uint8_t whom = next(script);
	if (step == DIAL || step == LOGIN) {
		dial(rig, whom, step == LOGIN);
		return;
	}
	if (step == TIME) {
		relay_rig_pass(rig, (int64_t)whom * 400);
		return;
	}
	if (!rig->count)
		return;
	struct fake_end *end = &rig->ends[whom % rig->count];
	if (end->conn)
		say(rig, end, step, script);
	/* Not always: several words may arrive in one turn. */
	if (whom & 0x80)
		relay_rig_settle(rig);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct script script = {data, size};
	struct relay_rig *rig = relay_rig_new();
	rig->settings.penalty_least_ms = 3600000;
	rig->settings.accepts_per_address = 1000;
	guard_set(rig->house.guard, &rig->settings);
	for (int i = 0; i < STEPS_MAX && script.left; i++)
		take_step(rig, &script);
	relay_rig_settle(rig);
	relay_rig_free(rig);
	return 0;
}
