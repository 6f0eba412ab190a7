// tunnel: the end-to-end session of a viewer: handshake, lanes, resume. Lives as long as the session, over one
// leg after the other; proto/link/tunnel.h says what both ends promise each other.
//
//   open ─► accept ─► up ─► bytes, message … ─► ended, once, whatever the way
//     ▲                │
//     └── next OPEN ◄── cut
//
// Every OPEN runs a fresh Noise XXpsk3; nothing of the crypto is ever resumed. VIEWER_HELLO goes right behind
// message 3, and nothing more before HELLO_OK. A record that does not open, a handshake that fails, a message
// that may not be sent: keys are forgotten, one CLOSE E2E_FAILED goes to the node, `ended` tells the true reason
// to this end only.
//
// All of it runs in one thread (a Worker); a leg that is over is recognised by `this.leg` being another one, since
// WebCrypto's answers come later.

import { type Bytes, equal } from "../base/bytes";
import { type Reason, ReasonError, reason, reasonFrom, reasonOf } from "../base/reason";
import { type InnerMessage, type InnerValue, packInner, packViewerPayload, parseHostPayload, parseInner } from "../e2e/inner";
import { Noise, NOISE_ENGAWA } from "../e2e/noise";
import { ed25519Sign, type Pair } from "../e2e/primitives";
import { PSK_KIND, PURPOSE, type Prologue, type Purpose, prologue, version } from "../e2e/prologue";
import { type Lane, type Opened, Seal } from "../e2e/seal";
import { type Receipt, receiptBytes } from "../wire/proof";
import type { Message } from "../wire/message";
import { Lanes } from "./lanes";

const HANDSHAKE_MS = 10_000;
const VERDICT_MS = 90_000; // a person at the office may be asked
const ACK_BULK_MS = 2; // the host measures the line by it
const ACK_OTHER_MS = 50;
const PROBE_BUSY_MS = 1000;
const PROBE_IDLE_MS = 5000;
const CHUNK = 8192;
const QUEUE_FULL = 64 * 1024;
const FULL_POLL_MS = 10;

/** Something that takes whole sealed records: an uplink. */
export interface Carrier {
	send(record: Bytes): void;
	/** Bytes that were given to it and are not on the line yet. */
	queued(): number;
	/** The session is over on this leg: CLOSE to the node. */
	close(reason: Reason): void;
}

export interface TunnelConfig {
	purpose: Purpose;
	license: Bytes;
	/** Device's tunnel key, and the one that signs receipts. */
	own: Pair;
	sign: Pair;
	psk: Bytes;
	/** 0 outside pairing. */
	ticket: number;
	user: string;
	device: string;
	wanted: number;
	features: number;
	/** The last one seen for this license, 0: none. */
	fence: number;
	graceMs: number;
}

export interface TunnelUp {
	resumed: boolean;
	fence: number;
	rights: number;
	features: number;
	width: number;
	height: number;
	hostName: string;
}

export interface TunnelPaired {
	peer: Bytes;
	pairPsk: Bytes;
	hostName: string;
}

export type TunnelEnd = "ours" | "theirs" | "interrupted";

export interface TunnelEvents {
	/** Throws ReasonError to refuse the host whose key this is. */
	accept(peer: Bytes): void;
	up(up: TunnelUp): void;
	/** Resolves when the pin is stored. */
	paired(paired: TunnelPaired): Promise<void>;
	/** In order, each byte exactly once; report it with consumed() when it is really gone. */
	bytes(lane: Lane, view: Bytes): void;
	message(message: InnerMessage): void;
	/** A lane that had refused bytes takes some again. */
	room(lane: Lane): void;
	ended(reason: Reason, how: TunnelEnd): void;
}

const CONTROL_FIRST: readonly Lane[] = ["control"];
const ORDER: readonly Lane[] = ["input", "clipboard", "file"];

type State = "waiting" | "shaking" | "admitting" | "up" | "over";

interface Leg {
	carrier: Carrier;
	prologue: Prologue;
	noise: Noise | null;
	seal: Seal | null;
	/** Message 2 is being looked at: nothing else may come. */
	busy: boolean;
	sealing: number;
}

/** They belong to one leg: not counted in the lane's sequence, never sent again. */
const UNCOUNTED = new Set("viewer_hello hello_ok deny close paired paired_ok ack probe probe_reply stats".split(" "));

/** Reasons after which both ends may meet again in the same session. */
const COMES_BACK = new Set(
	"PEER_LOST KEEPALIVE_TIMEOUT SLOW_READER NODE_STOPPED DRAINING LEG_CLOSED HOST_REPLACED HOST_OFFLINE HOST_ELSEWHERE JOIN_SPENT HOST_BUSY STORE_UNAVAILABLE BUSY THROTTLED TIMEOUT".split(
		" ",
	),
);

export class Tunnel {
	private state: State = "waiting";
	private leg: Leg | null = null;
	private readonly lanes = new Lanes();
	private readonly refused = new Set<Lane>();
	private session: Bytes | null = null;
	private peer: Bytes | null = null;
	private wasUp = false;
	private fence: number;
	private deadline: ReturnType<typeof setTimeout> | undefined;
	private tick: ReturnType<typeof setTimeout> | undefined;
	private poll: ReturnType<typeof setTimeout> | undefined;
	/** Ends when the last record that came has been looked at. */
	private looked: Promise<void> = Promise.resolve();
	/** DATA payload of the present or last leg. */
	private count = { sent: 0, received: 0 };
	private ackedAt = 0;
	private probedAt = 0;
	private busyAt = 0;
	/** Round trip end to end, ms; 0: not known. */
	rtt = 0;

	constructor(
		private readonly config: TunnelConfig,
		private readonly events: TunnelEvents,
	) {
		this.fence = config.fence;
	}

	/** For each OPEN of this session. Throws ReasonError when it is not what CONNECT asked for: nothing has ended. */
	open(carrier: Carrier, open: Message): void {
		const prologueOf = this.checked(open);
		this.dropLeg();
		this.session = prologueOf.session;
		this.fence = open.fence as number;
		this.state = "shaking";
		this.leg = { carrier, prologue: prologueOf, noise: null, seal: null, busy: true, sealing: 0 };
		this.count = { sent: 0, received: 0 };
		this.wait(HANDSHAKE_MS);
		this.guard(this.leg, this.first(this.leg));
	}

	/** One record of the leg. */
	data(record: Bytes): void {
		const leg = this.leg;
		if (!leg) return;
		this.count.received += record.length;
		if (this.state === "shaking") {
			if (leg.busy) return this.fail(reason("PROTOCOL"));
			leg.busy = true;
			this.guard(leg, this.second(leg, record));
		} else if (leg.seal) {
			// Opened side by side, looked at one after the other: noise_cipher keeps the order.
			this.looked = leg.seal.open(record).then((opened) => {
				if (this.leg === leg) this.take(opened);
			});
			this.guard(leg, this.looked);
		}
	}

	/** The leg is lost, or the node parted us for a while: waits for the next OPEN. */
	cut(why: Reason): void {
		if (this.state === "over" || this.state === "waiting") return;
		if (!this.wasUp) return this.end(why, "interrupted");
		this.dropLeg();
		this.state = "waiting";
		this.wait(this.config.graceMs);
	}

	/** The node ended the session, for good or for a while. What the host said before is looked at first. */
	closed(number: number): Promise<void> {
		const now = () => this.closedNow(number);
		return this.looked.then(now, now);
	}

	private closedNow(number: number): void {
		let why = reasonOf(number);
		// Who guessed a code is not told so by the host: who else would know?
		if (why.symbol === "E2E_FAILED" && this.state === "admitting" && this.config.purpose === "pairing")
			why = reason("TICKET_WRONG");
		if (this.wasUp && COMES_BACK.has(why.symbol)) this.cut(why);
		else this.end(why, "interrupted");
	}

	/** Ends the session by our will. Harmless when it is over. */
	async close(why: Reason): Promise<void> {
		const leg = this.leg;
		if (this.state === "over") return;
		if (this.state === "up" && leg) await this.say("close", { reason: why.number }).catch(() => undefined);
		if (leg && this.leg === leg) leg.carrier.close(why);
		this.end(why, "ours");
	}

	/** False when the lane is full: nothing was taken, `room` will come. Works while cut, so nothing typed is lost. */
	write(lane: Lane, view: Uint8Array): boolean {
		if (this.state === "over") return true;
		if (!this.lanes.write(lane, view)) {
			this.refused.add(lane);
			return false;
		}
		this.push();
		return true;
	}

	consumed(lane: Lane, length: number): void {
		if (this.state === "over" || !length) return;
		this.lanes.consumed(lane, length);
		this.schedule();
	}

	/** A counted control message. */
	message(name: string, fields: Record<string, InnerValue>): void {
		if (this.state === "over") return;
		if (!this.lanes.write("control", packInner(name, fields))) throw new ReasonError("LIMIT");
		this.push();
	}

	written(lane: Lane): number {
		return this.lanes.written(lane);
	}

	/** Bytes that the host has not told to have consumed. */
	unacknowledged(lane: Lane): number {
		return this.lanes.unacknowledged(lane);
	}

	/** The host knows who we are and has not let us in: it may be asking somebody. */
	get admitting(): boolean {
		return this.state === "admitting";
	}

	/** The next OPEN may go on with this session. */
	get cutOff(): boolean {
		return this.state === "waiting" && this.wasUp;
	}

	received(lane: Lane): number {
		return this.lanes.received(lane);
	}

	get lastFence(): number {
		return this.fence;
	}

	get sessionId(): Bytes | null {
		return this.session;
	}

	/** What this end counted on its present or last leg, signed: ask before the next open(). */
	async receipt(why: Reason): Promise<Message | null> {
		if (!this.session) return null;
		const receipt: Receipt = { session: this.session, fence: this.fence, ...this.count, reason: why.number };
		return { ...receipt, signature: await ed25519Sign(this.config.sign.secret, receiptBytes(receipt)) };
	}

	// ---- from OPEN to up

	private checked(open: Message): Prologue {
		const session = open.session as Bytes;
		const { purpose, ticket } = this.config;
		if (this.state === "over") throw new ReasonError("CONFLICT");
		if ((open.fence as number) <= this.fence) throw new ReasonError("FENCE_STALE");
		const ours = !this.session || equal(session, this.session);
		if (!ours || open.purpose !== PURPOSE[purpose] || open.psk_kind !== PSK_KIND[purpose] || open.ticket !== ticket)
			throw new ReasonError("E2E_FAILED", "not what was asked for");
		const found: Prologue = {
			purpose,
			hostMin: open.host_min as number,
			hostMax: open.host_max as number,
			license: this.config.license,
			session,
			ticket,
		};
		version(found);
		return found;
	}

	private async first(leg: Leg): Promise<void> {
		leg.noise = await Noise.start({
			protocol: NOISE_ENGAWA,
			role: "initiator",
			prologue: prologue(leg.prologue),
			own: this.config.own,
			psks: [this.config.psk],
		});
		const message = await leg.noise.write(new Uint8Array());
		if (this.leg !== leg) return;
		leg.busy = false;
		this.raw(leg, message);
	}

	private async second(leg: Leg, message: Bytes): Promise<void> {
		const noise = leg.noise as Noise;
		const host = parseHostPayload(await noise.read(message));
		if (this.leg !== leg) return;
		if (host.version !== version(leg.prologue)) throw new ReasonError("VERSION");
		this.decide(noise);
		const { user, device, wanted } = this.config;
		const third = await noise.write(packViewerPayload({ user, device, wanted }));
		const { send, receive } = await noise.finish();
		if (this.leg !== leg || !send || !receive) return;
		leg.noise = null;
		leg.seal = new Seal(send, receive);
		this.state = "admitting";
		this.raw(leg, third);
		this.wait(VERDICT_MS);
		await this.say("viewer_hello", {
			fence: this.fence,
			wanted,
			features: this.config.features,
			sequence: this.lanes.sequence(),
		});
	}

	/** The pin decision: without it noise gives no keys. */
	private decide(noise: Noise): void {
		const peer = noise.peer as Bytes;
		if (this.wasUp && this.peer && !equal(peer, this.peer)) throw new ReasonError("HOST_KEY_CHANGED");
		this.peer = peer.slice();
		this.events.accept(this.peer);
		noise.decide("allow");
	}

	private admitted(message: InnerMessage): void {
		const { fields } = message;
		if (message.name === "deny" && fields.reason) return this.end(reasonOf(fields.reason as number), "theirs");
		if (message.name !== "hello_ok") throw new ReasonError("PROTOCOL", message.name);
		if (fields.fence !== this.fence) throw new ReasonError("FENCE_STALE");
		const sequence = fields.sequence as number[];
		// An end that began anew has no session to go on with.
		if (!this.lanes.rewind(sequence)) throw new ReasonError(sequence.every((count) => count === 0) ? "GRACE_OVER" : "E2E_FAILED");
		this.state = "up";
		if (this.config.purpose === "pairing") return this.wait(HANDSHAKE_MS);
		const resumed = this.wasUp;
		this.wasUp = true;
		this.wait(0);
		this.lanes.tellAgain();
		this.ackedAt = this.probedAt = 0;
		this.busyAt = Date.now();
		this.events.up({
			resumed,
			fence: this.fence,
			rights: (fields.granted as number) & this.config.wanted,
			features: (fields.features as number) & this.config.features,
			width: fields.width as number,
			height: fields.height as number,
			hostName: fields.host_name as string,
		});
		this.push();
		this.schedule();
	}

	private async pair(leg: Leg, fields: InnerMessage["fields"]): Promise<void> {
		const pairPsk = fields.pair_psk as Bytes;
		await this.events.paired({ peer: this.peer as Bytes, pairPsk, hostName: fields.host_name as string });
		pairPsk.fill(0);
		if (this.leg === leg) await this.say("paired_ok", {});
	}

	// ---- records

	private take(opened: Opened): void {
		if (opened.lane === "control") return this.control(opened.payload);
		if (!this.inSession || (opened.lane !== "picture" && opened.lane !== "clipboard"))
			throw new ReasonError("PROTOCOL", opened.lane);
		this.lanes.arrived(opened.lane, opened.payload.length);
		this.busyAt = Date.now();
		if (opened.payload.length) this.events.bytes(opened.lane, opened.payload);
	}

	private control(payload: Bytes): void {
		const message = parseInner(payload);
		if (this.state === "admitting") return this.admitted(message);
		if (!UNCOUNTED.has(message.name)) {
			this.lanes.arrived("control", payload.length);
			this.consumed("control", payload.length);
		}
		this.dispatch(message);
	}

	private dispatch({ name, fields }: InnerMessage): void {
		if (name === "") return;
		if (name === "close" && fields.reason) return this.end(reasonOf(fields.reason as number), "theirs");
		if (name === "paired" && this.config.purpose === "pairing" && this.leg)
			return this.guard(this.leg, this.pair(this.leg, fields));
		if (!this.inSession || ["hello_ok", "deny", "close", "paired"].includes(name)) throw new ReasonError("PROTOCOL", name);
		if (name === "ack") return this.acked(fields.lanes as Map<number, number>);
		if (name === "probe") return this.later(this.say("probe_reply", { time_us: fields.time_us as number }));
		if (name === "probe_reply") this.rtt = Math.max(0, Date.now() - (fields.time_us as number) / 1000);
		else this.events.message({ name, fields });
	}

	private acked(acks: Map<number, number>): void {
		this.lanes.acked(acks);
		this.push();
		for (const lane of [...this.refused]) {
			if (this.lanes.room(lane) < CHUNK) continue;
			this.refused.delete(lane);
			this.events.room(lane);
		}
	}

	private get inSession(): boolean {
		return this.state === "up" && this.config.purpose === "session";
	}

	/** Seals what may be sealed now: control, input, clipboard; nothing else while a control message waits. */
	private push(): void {
		const leg = this.leg;
		if (!this.inSession || !leg) return;
		while (leg.sealing + leg.carrier.queued() < QUEUE_FULL) {
			const next = this.next();
			if (!next) return;
			this.busyAt = Date.now();
			this.later(this.record(leg, next.lane, next.lane === "control", next.view));
		}
		// A WebSocket does not tell when it has room.
		clearTimeout(this.poll);
		this.poll = setTimeout(() => this.push(), FULL_POLL_MS);
	}

	private next(): { lane: Lane; view: Bytes } | null {
		for (const lane of this.lanes.unsent("control") ? CONTROL_FIRST : ORDER) {
			const view = this.lanes.take(lane, CHUNK);
			if (view) return { lane, view };
		}
		return null;
	}

	private async record(leg: Leg, lane: Lane, end: boolean, payload: Uint8Array): Promise<void> {
		if (!leg.seal) return;
		const size = leg.seal.size(lane, payload.length);
		leg.sealing += size;
		const record = await leg.seal.record(lane, end, payload);
		leg.sealing -= size;
		if (this.leg === leg) this.raw(leg, record);
	}

	private raw(leg: Leg, record: Bytes): void {
		this.count.sent += record.length;
		leg.carrier.send(record);
	}

	/** A control message that belongs to this leg, at once. */
	private async say(name: string, fields: Record<string, InnerValue>): Promise<void> {
		if (this.leg) await this.record(this.leg, "control", true, packInner(name, fields));
	}

	// ---- time

	private schedule(): void {
		if (!this.inSession) return;
		clearTimeout(this.tick);
		const now = Date.now();
		const every = now - this.busyAt < 2 * PROBE_BUSY_MS ? PROBE_BUSY_MS : PROBE_IDLE_MS;
		let wait = this.probedAt + every - now;
		if (wait <= 0) {
			this.probedAt = now;
			wait = every;
			this.later(this.say("probe", { time_us: now * 1000 }));
		}
		const pending = this.lanes.pending();
		const ackIn = this.ackedAt + (pending === "bulk" ? ACK_BULK_MS : ACK_OTHER_MS) - now;
		if (pending && ackIn <= 0) {
			this.ackedAt = now;
			this.later(this.say("ack", { lanes: this.lanes.acks() }));
		} else if (pending) {
			wait = Math.min(wait, ackIn);
		}
		this.tick = setTimeout(() => this.schedule(), wait);
	}

	private wait(ms: number): void {
		clearTimeout(this.deadline);
		if (!ms) return;
		this.deadline = setTimeout(() => {
			if (this.state === "waiting") this.end(reason("GRACE_OVER"), "interrupted");
			else this.fail(reason("TIMEOUT"));
		}, ms);
	}

	// ---- the end

	/** Whatever goes wrong on this leg, now or later, ends the tunnel, if the leg is still the present one. */
	private guard(leg: Leg, work: Promise<unknown>): void {
		work.catch((error: unknown) => {
			if (this.leg === leg) this.fail(reasonFrom(error, "E2E_FAILED"));
		});
	}

	private later(work: Promise<unknown>): void {
		if (this.leg) this.guard(this.leg, work);
	}

	private fail(why: Reason): void {
		if (this.state === "over") return;
		const leg = this.leg;
		// Keys first: nothing that follows may seal another word with them.
		leg?.seal?.kill();
		leg?.carrier.close(reason("E2E_FAILED"));
		this.end(why, "interrupted");
	}

	private dropLeg(): void {
		clearTimeout(this.tick);
		clearTimeout(this.poll);
		this.leg?.seal?.kill();
		this.leg = null;
	}

	private end(why: Reason, how: TunnelEnd): void {
		if (this.state === "over") return;
		this.state = "over";
		clearTimeout(this.deadline);
		this.dropLeg();
		this.config.psk.fill(0);
		this.lanes.forget();
		queueMicrotask(() => this.events.ended(why, how));
	}
}
