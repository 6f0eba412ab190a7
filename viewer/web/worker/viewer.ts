// viewer: the home side of a session: signs in at a gateway, runs the tunnel, comes back by itself when the line or
// the gateway goes, and gives what arrives to a face. The counterpart of viewer/native/viewer*.c, with one thing
// more: who pairs goes on to the desktop on the same leg.
//
// The first attempt must succeed or the reason is told; after that only what cannot get better by waiting ends it.

import type { Bytes } from "../base/bytes";
import { type Reason, ReasonError, reason, reasonFrom, reasonOf } from "../base/reason";
import type { InnerMessage } from "../e2e/inner";
import type { Pair } from "../e2e/primitives";
import type { Purpose } from "../e2e/prologue";
import { PSK_KIND, PURPOSE } from "../e2e/prologue";
import { Backoff } from "../link/backoff";
import { Bridge } from "../link/bridge";
import { ClipLane } from "../link/clip_lane";
import { Tunnel, type TunnelEnd, type TunnelPaired, type TunnelUp } from "../link/tunnel";
import { Uplink, type UplinkDown } from "../link/uplink";
import { acceptHost, type Pin } from "../store/pins";
import type { Message } from "../wire/message";
import { sessionIdText } from "../wire/session_id";

/** After the grace time the session is lost, but the person still wants the desktop. */
const PATIENCE_MS = 10 * 60_000;
const GRACE_MS = 60_000;
const GOODBYE_MS = 3000;
const METER_MS = 1000;
const VIEW_CONTROL_CLIPBOARD = 0x000f;
const FEATURE_CLIPBOARD_LANE = 1;

/** Whether waiting can help. A wrong password, a changed key, an administrator's word cannot be waited out. */
const PASSES = new Set(
	"GATEWAY_UNREACHABLE HOST_OFFLINE STORE_UNAVAILABLE BUSY THROTTLED DRAINING TIMEOUT HOST_BUSY PEER_LOST KEEPALIVE_TIMEOUT SLOW_READER NODE_STOPPED LEG_CLOSED GRACE_OVER TLS_FAILED LICENSE_IN_USE DIRECTORY_UNREACHABLE".split(
		" ",
	),
);

/** The next gateway of the list is tried. */
const UNREACHED = new Set(["GATEWAY_UNREACHABLE", "TIMEOUT", "PEER_LOST", "KEEPALIVE_TIMEOUT"]);

export interface ViewerConfig {
	gateways: string[];
	publicId: string;
	license: string;
	/** The 16 bytes inside the tunnel. */
	licenseHash: Bytes;
	secret: Bytes;
	sign: Pair;
	own: Pair;
	program: string;
	deviceName: string;
	password: string;
	totp: string;
	/** With a ticket it pairs first. */
	ticket: { id: number; psk: Bytes } | null;
	pin: Pin | null;
	psk: Bytes | null;
}

export type Line = "connecting" | "pairing" | "waiting" | "live" | "reconnecting";

export interface Meter {
	/** Milliseconds; 0: not known. */
	rtt: number;
	/** Bytes of the session so far. */
	received: number;
	sent: number;
	resumes: number;
	gateway: string;
}

export interface ViewerEvents {
	line(line: Line, why: Reason | null, retryMs: number): void;
	up(up: TunnelUp, gateway: string): void;
	rights(rights: number): void;
	notice(en: string, ja: string): void;
	/** As WELCOME and NOTICES bring them. */
	news(notices: Record<string, unknown>): void;
	/** A one-time code is asked for: code() or leave() goes on. */
	code(why: Reason): void;
	/** Resolves when the pin is stored; what it returns is the pin from now on. */
	paired(paired: TunnelPaired): Promise<{ pin: Pin; psk: Bytes }>;
	newKey(key: Bytes): void;
	begun(stream: number): void;
	picture(stream: number, view: Bytes): void;
	streamClosed(stream: number): void;
	clip(text: string): void;
	meter(meter: Meter): void;
	/** null: the person left. */
	ended(why: Reason | null, detail: string, retryMs: number): void;
}

interface Told {
	reason: Reason;
	detail: string;
	retryMs: number;
}

export class Viewer {
	private uplink: Uplink | null = null;
	private tunnel: Tunnel | null = null;
	private bridge: Bridge | null = null;
	private clipLane: ClipLane | null = null;
	private purpose: Purpose;
	private pin: Pin | null;
	private psk: Bytes | null;
	private totp: string;
	private gateway = 0;
	private readonly backoff = new Backoff();
	private attempt: ReturnType<typeof setTimeout> | undefined;
	private ticking: ReturnType<typeof setInterval> | undefined;
	private session: Bytes | null = null;
	private fence = 0;
	private rights = 0;
	private wasUp = false;
	private isPaired = false;
	private leaving = false;
	private over = false;
	private waiting = false;
	private lostMs = 0;
	private resumes = 0;
	/** Of lanes of sessions before this one. */
	private before = { received: 0, sent: 0 };
	/** What the node said last, with a detail that a bare reason does not have. */
	private told: Told | null = null;

	constructor(
		private readonly config: ViewerConfig,
		private readonly events: ViewerEvents,
	) {
		this.purpose = config.ticket ? "pairing" : "session";
		this.pin = config.pin;
		this.psk = config.psk;
		this.totp = config.totp;
	}

	run(): void {
		this.events.line(this.purpose === "pairing" ? "pairing" : "connecting", null, 0);
		this.ticking = setInterval(() => this.tick(), METER_MS);
		this.later(0);
	}

	/** The one-time code that was asked for: tried at once. */
	code(totp: string): void {
		this.totp = totp;
		this.events.line(this.wasUp ? "reconnecting" : "connecting", null, 0);
		this.later(0);
	}

	/** The line is there again, or the person does not want to wait. */
	hurry(): void {
		if (this.over || this.attempt === undefined) return;
		this.backoff.reset();
		this.later(0);
	}

	/** The page wants a fresh picture stream; the first one comes unasked. */
	stream(): void {
		this.bridge?.start();
	}

	input(stream: number, view: Bytes): void {
		this.bridge?.input(stream, view);
	}

	drawn(stream: number, length: number): void {
		this.bridge?.consumed(stream, length);
	}

	/** False: without the right, without a session, or too long. */
	clip(text: string): boolean {
		return (this.rights & 0x0004) !== 0 && (this.clipLane?.send(text) ?? false);
	}

	get clipSent(): boolean {
		return this.clipLane?.sent ?? true;
	}

	/** From the question on a session may be there: a leg that is only dropped looks like one that was lost, and the
	 * license stays taken for the grace time. */
	leave(): void {
		if (this.over) return;
		this.leaving = true;
		if (!this.uplink?.asked) return this.finish(null);
		setTimeout(() => this.finish(null), GOODBYE_MS);
		const why = reason("VIEWER_LEFT");
		if (this.tunnel) void this.tunnel.close(why);
		else this.uplink.leave(why);
	}

	// ---- the way to a gateway

	private later(ms: number): void {
		clearTimeout(this.attempt);
		this.attempt = setTimeout(() => {
			this.attempt = undefined;
			this.tryNow();
		}, ms);
	}

	private tryNow(): void {
		if (this.over || this.leaving) return;
		if (!this.uplink) return this.dial();
		// The leg lived on; only the other end was gone.
		if (this.uplink.idle) this.ask(this.uplink);
	}

	private dial(): void {
		const { publicId, license, secret, sign, program, deviceName, password } = this.config;
		const uplink = new Uplink(
			{ url: `wss://${this.address}/v1/leg`, publicId, license, secret, sign, program, name: deviceName, password, totp: this.totp },
			{
				welcome: (message) => this.uplink === uplink && this.welcome(uplink, message),
				open: (message) => this.uplink === uplink && this.open(uplink, message),
				data: (record) => this.uplink === uplink && this.tunnel?.data(record),
				close: (message) => void (this.uplink === uplink && this.closed(message)),
				notice: (message) => this.uplink === uplink && this.notice(message),
				notices: (message) => this.events.news(message.notices as Record<string, unknown>),
				down: (down) => this.uplink === uplink && this.down(down),
			},
		);
		this.uplink = uplink;
	}

	private get address(): string {
		return this.config.gateways[this.gateway % this.config.gateways.length] ?? location.host;
	}

	private welcome(uplink: Uplink, message: Message): void {
		this.backoff.up(Date.now());
		// Used up. The gateway remembers this device for as long as its session may be taken up again.
		this.totp = "";
		this.events.news(message.notices as Record<string, unknown>);
		this.ask(uplink);
	}

	private ask(uplink: Uplink): void {
		try {
			this.tunnel ??= this.begin();
			const message: Message = { purpose: PURPOSE[this.purpose], psk_kind: PSK_KIND[this.purpose] };
			if (this.purpose === "pairing") message.ticket = this.config.ticket?.id ?? 0;
			if (this.session) Object.assign(message, { resume: sessionIdText(this.session), fence: this.fence });
			uplink.connect(message);
		} catch (error) {
			this.finish(reasonFrom(error, "INTERNAL"));
		}
	}

	private open(uplink: Uplink, message: Message): void {
		try {
			if (!this.tunnel) throw new ReasonError("PROTOCOL");
			this.tunnel.open(uplink, message);
		} catch (error) {
			const why = reasonFrom(error, "PROTOCOL");
			uplink.close(why);
			this.finish(why);
		}
	}

	/** The node parted us. The leg stays, so asking again is one message. */
	private async closed(message: Message): Promise<void> {
		const why = reasonOf(message.reason as number);
		const tunnel = this.tunnel;
		this.told = { reason: why, detail: message.detail as string, retryMs: message.retry_ms as number };
		if (this.isPaired && this.purpose === "session" && !tunnel) return this.later(0);
		if (!tunnel) return this.again(why);
		const receipt = tunnel.receipt(why);
		if (why.symbol === "GRACE_OVER" && this.wasUp) {
			// The host has given this session up (it was restarted): a fresh one, unasked.
			this.drop();
			return this.again(why);
		}
		await tunnel.closed(why.number);
		if (this.tunnel !== tunnel) return;
		await this.deliver(receipt);
		if (!tunnel.cutOff && tunnel === this.tunnel) this.drop();
		this.again(why);
	}

	private notice(message: Message): void {
		if (message.kind === "drain") this.gateway++;
		else this.events.notice(message.en as string, message.ja as string);
	}

	private down(down: UplinkDown): void {
		this.uplink = null;
		this.backoff.down(Date.now());
		if (this.over) return;
		if (this.leaving) return this.finish(null);
		if (this.session) this.tunnel?.cut(down.reason);
		else this.drop();
		if (UNREACHED.has(down.reason.symbol)) this.gateway++;
		if (down.detail || down.retryMs || !this.told || this.told.reason !== down.reason) this.told = down;
		this.again(down.reason);
	}

	/** One more attempt, or the end. */
	private again(why: Reason): void {
		if (this.over || this.leaving) return;
		if (why.symbol === "TOTP_NEEDED" || why.symbol === "TOTP_WRONG") {
			// Whoever looks for his phone is not the line's fault.
			this.totp = "";
			this.lostMs = 0;
			return this.events.code(why);
		}
		this.lostMs ||= Date.now();
		if (!this.hopes(why)) return this.finish(why);
		const wait = this.backoff.nextMs(this.session ? "session" : "idle", this.told?.retryMs ?? 0);
		this.events.line("reconnecting", why, wait);
		this.later(wait);
	}

	private hopes(why: Reason): boolean {
		const late = this.lostMs > 0 && Date.now() - this.lostMs > PATIENCE_MS;
		return (this.wasUp || this.isPaired) && PASSES.has(why.symbol) && !late;
	}

	// ---- the session behind it

	private begin(): Tunnel {
		const { config } = this;
		const pairing = this.purpose === "pairing";
		const psk = pairing ? config.ticket?.psk : this.psk;
		if (!psk) throw new ReasonError("NOT_PAIRED");
		const tunnel: Tunnel = new Tunnel(
			{
				purpose: this.purpose,
				license: config.licenseHash,
				own: config.own,
				sign: config.sign,
				psk: psk.slice(),
				ticket: pairing ? (config.ticket?.id ?? 0) : 0,
				user: "",
				device: config.deviceName,
				wanted: VIEW_CONTROL_CLIPBOARD,
				features: FEATURE_CLIPBOARD_LANE,
				fence: this.fence,
				graceMs: GRACE_MS,
			},
			{
				accept: (peer) => pairing || acceptHost(this.pin, peer, Date.now()),
				up: (up) => this.tunnel === tunnel && this.up(up),
				paired: (paired) => this.paired(paired),
				bytes: (lane, view) => this.tunnel === tunnel && this.bytes(lane, view),
				message: (message) => this.tunnel === tunnel && this.message(message),
				room: (lane) => (lane === "input" ? this.bridge?.room() : this.clipLane?.room()),
				ended: (why, how) => void this.ended(tunnel, why, how),
			},
		);
		this.bridge = new Bridge(tunnel, {
			begun: (stream) => this.events.begun(stream),
			bytes: (stream, view) => this.events.picture(stream, view),
			closed: (stream) => this.events.streamClosed(stream),
		});
		this.clipLane = new ClipLane(tunnel, (text) => {
			if (this.rights & 0x0008) this.events.clip(text);
		});
		return tunnel;
	}

	private drop(): void {
		const tunnel = this.tunnel;
		if (tunnel) {
			this.before.received += tunnel.received("picture") + tunnel.received("clipboard");
			this.before.sent += tunnel.written("input") + tunnel.written("clipboard");
		}
		this.tunnel = null;
		this.bridge = null;
		this.clipLane = null;
		this.session = null;
		// Its keys and what it still had to say are forgotten; the leg is not its any more.
		void tunnel?.close(reason("LEG_CLOSED"));
	}

	private up(up: TunnelUp): void {
		if (up.resumed) this.resumes++;
		this.fence = up.fence;
		this.rights = up.rights;
		this.session = this.tunnel?.sessionId?.slice() ?? null;
		this.wasUp = true;
		this.lostMs = 0;
		this.told = null;
		this.waiting = false;
		this.events.up(up, this.address);
		this.events.line("live", null, 0);
		if (!up.resumed) this.stream();
	}

	private async paired(paired: TunnelPaired): Promise<void> {
		const stored = await this.events.paired(paired);
		this.pin = stored.pin;
		this.psk = stored.psk;
		this.isPaired = true;
	}

	private bytes(lane: string, view: Bytes): void {
		if (lane === "picture") this.bridge?.bytes(view);
		else this.clipLane?.bytes(view);
	}

	private message(message: InnerMessage): void {
		if (this.bridge?.message(message)) return;
		const { name, fields } = message;
		if (name === "rights") {
			this.rights = fields.rights as number;
			this.events.rights(this.rights);
		} else if (name === "notice") {
			this.events.notice(fields.en as string, fields.ja as string);
		} else if (name === "new_key") {
			this.events.newKey((fields.key as Bytes).slice());
		}
	}

	private async deliver(receipt: Promise<Message | null>): Promise<void> {
		const message = await receipt.catch(() => null);
		if (message) this.uplink?.receipt(message);
	}

	private async ended(tunnel: Tunnel, why: Reason, how: TunnelEnd): Promise<void> {
		if (this.tunnel !== tunnel) return;
		const receipt = tunnel.receipt(why);
		const uplink = this.uplink;
		const paired = this.purpose === "pairing" && this.isPaired;
		// A wrong code and a disturbed handshake look alike; when pairing the code is the likely one.
		const found = this.purpose === "pairing" && why.symbol === "E2E_FAILED" ? reason("TICKET_WRONG") : why;
		if (this.fence < tunnel.lastFence) this.fence = tunnel.lastFence;
		this.drop();
		if (paired) this.purpose = "session";
		await this.deliver(receipt);
		if (this.over) return;
		if (paired && !this.leaving) return this.goOn(uplink);
		if (this.told?.reason !== found) this.told = { reason: found, detail: "", retryMs: this.told?.retryMs ?? 0 };
		if (how === "ours" && this.leaving) uplink?.leave(reason("VIEWER_LEFT"));
		else if (uplink?.idle && uplink === this.uplink && this.hopes(found)) this.again(found);
		else if (uplink && uplink === this.uplink) uplink.leave(found);
		else this.again(found);
	}

	/** Paired: the desktop is next. The node parts us from the pairing first; CONNECT before that would be lost. */
	private goOn(uplink: Uplink | null): void {
		this.events.line("connecting", null, 0);
		if (!uplink || uplink.idle) return this.later(0);
		setTimeout(() => {
			if (this.uplink === uplink && uplink.asked && !this.tunnel) uplink.leave(reason("VIEWER_LEFT"));
		}, GOODBYE_MS);
	}

	// ---- time and the end

	private tick(): void {
		const tunnel = this.tunnel;
		const waits = this.purpose === "session" && tunnel?.admitting === true;
		if (waits && !this.waiting) this.events.line("waiting", null, 0);
		this.waiting = waits;
		this.events.meter({
			rtt: tunnel?.rtt ?? 0,
			received: this.before.received + (tunnel ? tunnel.received("picture") + tunnel.received("clipboard") : 0),
			sent: this.before.sent + (tunnel ? tunnel.written("input") + tunnel.written("clipboard") : 0),
			resumes: this.resumes,
			gateway: this.address,
		});
	}

	private finish(why: Reason | null): void {
		if (this.over) return;
		this.over = true;
		clearTimeout(this.attempt);
		clearInterval(this.ticking);
		const told = why && this.told?.reason === why ? this.told : null;
		const uplink = this.uplink;
		this.drop();
		this.uplink = null;
		uplink?.leave(why ?? reason("VIEWER_LEFT"));
		this.psk?.fill(0);
		this.config.secret.fill(0);
		this.config.password = "";
		this.events.ended(why, told?.detail ?? "", told?.retryMs ?? 0);
	}
}
