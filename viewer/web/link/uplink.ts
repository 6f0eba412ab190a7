// uplink: one attempt to get one authenticated leg at a gateway, and that leg as long as it lives, over a
// WebSocket.
//
// Path 06/10: out over TLS, in over TLS.
//
//   new ─┬─► welcome ─► (open ─► data … ─► close)… ─► down
//        └──────────────────────────────────────────► down, once
//
// `down` tells why and when to try again; after it the uplink is spent. Secrets are forgotten as soon as the leg is
// welcome or down.

import { type Bytes, integer } from "../base/bytes";
import { type Reason, ReasonError, reason, reasonFrom, reasonOf } from "../base/reason";
import { ed25519Sign, type Pair } from "../e2e/primitives";
import { VERSION_MAX, VERSION_MIN } from "../e2e/prologue";
import { FRAME_DATA, FRAME_PING, FRAME_PONG, parseFrame, writeFrame } from "../wire/frame";
import { frameName, GENERATION, type HelloState, nodeMay } from "../wire/hello";
import { type Message, parseMessage, writeMessage } from "../wire/message";
import { proofBytes } from "../wire/proof";
import { sessionIdText } from "../wire/session_id";
import type { Carrier } from "./tunnel";

export const SUBPROTOCOL = "engawa.1";
const CONNECT_MS = 10_000;
const CHALLENGE_MS = 10_000;
const VERDICT_MS = 40_000; // the node's own deadline comes first and has a reason
const DAY_MS = 86_400_000;
const CLOCK_USELESS_MS = 7 * DAY_MS;
/** A host may move while its viewer is on the way to it. */
const REDIRECTS = 3;
/** Refusals that say something about a node at this moment, not about us. */
const OF_THE_NODE = new Set(
	"BUSY DRAINING NODE_STOPPED STORE_UNAVAILABLE THROTTLED TIMEOUT VERSION PROTOCOL BAD_MESSAGE INTERNAL RECORDING_FAILED NO_MEMORY LIMIT DIRECTORY_UNREACHABLE".split(
		" ",
	),
);
const ENDPOINT = /^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+):[0-9]{1,5}$/;

export interface UplinkConfig {
	/** wss://HOST:PORT/v1/leg */
	url: string;
	publicId: string;
	license: string;
	secret: Bytes;
	sign: Pair;
	program: string;
	name: string;
	password: string;
	totp: string;
}

export interface UplinkDown {
	reason: Reason;
	retryMs: number;
	detail: string;
	/** A gateway said so; else it was found out here. */
	told: boolean;
}

export interface UplinkEvents {
	welcome(message: Message): void;
	open(message: Message): void;
	data(record: Bytes): void;
	/** The session ended; the leg stays and may be used again. */
	close(message: Message): void;
	notice(message: Message): void;
	/** The operator's notices as they are now. */
	notices(message: Message): void;
	down(down: UplinkDown): void;
}

export class Uplink implements Carrier {
	private socket: WebSocket | null = null;
	private join = "";
	private redirects = 0;
	private redirected = "";
	/** A redirect that could not be followed: said once to the node that sent us. */
	private unreached = "";
	private state: HelloState = "asked";
	private config: UplinkConfig | null;
	private session = "";
	private deadline: ReturnType<typeof setTimeout> | undefined;
	private heartbeat: ReturnType<typeof setTimeout> | undefined;
	private keepaliveMs = 15_000;
	private heardAt = Date.now();
	/** Round trip of the last PING, ms; to the gateway, not to the other end. */
	rtt = 0;

	constructor(
		config: UplinkConfig,
		private readonly events: UplinkEvents,
	) {
		this.config = config;
		this.dial(config.url);
	}

	private dial(url: string): void {
		const config = this.config;
		const socket = new WebSocket(url, [SUBPROTOCOL]);
		this.drop();
		this.socket = socket;
		this.state = "asked";
		this.heardAt = Date.now();
		socket.binaryType = "arraybuffer";
		socket.onopen = () => config && this.hello(config);
		socket.onmessage = (event) => this.heard(event.data);
		socket.onclose = () => this.down(reason(this.state === "asked" ? "GATEWAY_UNREACHABLE" : "PEER_LOST"));
		this.wait(CONNECT_MS, "GATEWAY_UNREACHABLE");
	}

	/** Nothing that is still on its way from the old socket is heard. */
	private drop(): void {
		const socket = this.socket;
		if (!socket) return;
		socket.onopen = socket.onmessage = socket.onclose = null;
		socket.close();
		this.socket = null;
	}

	/** A viewer asks for its host. */
	connect(message: Message): void {
		if (this.state !== "idle") throw new ReasonError("PROTOCOL");
		this.state = "waiting";
		this.put(writeMessage("connect", message));
	}

	receipt(message: Message): void {
		if (this.state !== "ended") this.put(writeMessage("receipt", message));
	}

	send(record: Bytes): void {
		if (this.state === "joined") this.put(writeFrame(FRAME_DATA, record));
	}

	/** A session may be asked for. */
	get idle(): boolean {
		return this.state === "idle";
	}

	/** From the question on a session may be there. */
	get asked(): boolean {
		return this.state === "waiting" || this.state === "joined";
	}

	queued(): number {
		return this.socket?.bufferedAmount ?? 0;
	}

	/** Ends the session, not the leg. */
	close(why: Reason): void {
		if (this.state !== "joined" && this.state !== "waiting") return;
		const message: Message = { reason: why.number, symbol: why.symbol };
		if (this.state === "joined") message.session = this.session;
		this.put(writeMessage("close", message));
		this.state = "idle";
	}

	/** Says CLOSE to the node; `down` follows. */
	leave(why: Reason): void {
		if (this.state === "idle" || this.state === "waiting" || this.state === "joined")
			this.put(writeMessage("close", { reason: why.number, symbol: why.symbol }));
		this.down(why);
	}

	private put(frame: Bytes): void {
		if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(frame);
	}

	private hello(config: UplinkConfig): void {
		this.wait(CHALLENGE_MS, "TIMEOUT");
		this.put(
			writeMessage("hello", {
				gen_min: GENERATION,
				gen_max: GENERATION,
				side: "viewer",
				license: config.license,
				device: config.sign.key,
				kind: "web",
				program: config.program,
				name: config.name,
				app_min: VERSION_MIN,
				app_max: VERSION_MAX,
				unreached: this.unreached,
			}),
		);
	}

	private heard(data: unknown): void {
		if (this.state === "ended") return;
		this.heardAt = Date.now();
		try {
			if (!(data instanceof ArrayBuffer)) throw new ReasonError("PROTOCOL", "text");
			const frame = parseFrame(new Uint8Array(data));
			const name = frameName(frame.type);
			if (!nodeMay(this.state, name)) throw new ReasonError("PROTOCOL", name ?? String(frame.type));
			this.take(name as string, frame.payload);
		} catch (error) {
			this.down(reasonFrom(error, "INTERNAL"), { detail: error instanceof ReasonError ? error.detail : "" });
		}
	}

	private take(name: string, payload: Bytes): void {
		if (name === "") return;
		if (name === "data") return this.events.data(payload.slice());
		if (name === "ping") return this.put(writeFrame(FRAME_PONG, payload));
		if (name === "pong") return this.pong(payload);
		const message = parseMessage(name, payload);
		if ((name === "refused" || name === "close") && !message.reason) throw new ReasonError("BAD_MESSAGE", name);
		const acts: Record<string, () => void> = {
			challenge: () => this.challenge(message),
			welcome: () => this.welcome(message),
			refused: () => this.refused(message),
			open: () => this.opened(message),
			close: () => this.closed(message),
			notice: () => this.events.notice(message),
			notices: () => this.events.notices(message),
		};
		acts[name]?.();
	}

	private challenge(message: Message): void {
		const config = this.config;
		const skew = (message.time_ms as number) - Date.now();
		if (!config || message.gen !== GENERATION) throw new ReasonError("VERSION");
		if (Math.abs(skew) > CLOCK_USELESS_MS) throw new ReasonError("CLOCK_OFF", `${Math.round(skew / DAY_MS)} d`);
		this.state = "proving";
		this.wait(VERDICT_MS, "TIMEOUT");
		const { publicId, secret, password, totp } = config;
		const proof = proofBytes({ nonce: message.nonce as Bytes, publicId, node: message.node as string });
		ed25519Sign(config.sign.secret, proof).then(
			(signature) => {
				if (this.state === "proving") this.put(writeMessage("prove", { signature, secret, password, totp, join: this.join }));
			},
			() => this.down(reason("INTERNAL")),
		);
	}

	private welcome(message: Message): void {
		this.state = "idle";
		this.config = null;
		this.wait(0);
		this.keepaliveMs = Math.max(50, message.keepalive_ms as number);
		this.beat();
		this.events.welcome(message);
	}

	/** The office PC is at another node: what was proved here need not be proved again there. */
	private refused(message: Message): void {
		const to = message.redirect as string;
		if (!to || !ENDPOINT.test(to) || this.redirects >= REDIRECTS) return this.told(message);
		this.redirects++;
		this.redirected = to;
		this.join = message.join as string;
		this.dial(`wss://${to}/v1/leg`);
	}

	private opened(message: Message): void {
		this.state = "joined";
		this.session = sessionIdText(message.session as Bytes);
		this.events.open(message);
	}

	private closed(message: Message): void {
		if (!message.session) return this.told(message);
		this.state = "idle";
		this.events.close(message);
	}

	private told(message: Message): void {
		const why = reasonOf(message.reason as number);
		this.down(why, { retryMs: message.retry_ms as number, detail: message.detail as string, told: true });
	}

	private beat(): void {
		clearTimeout(this.heartbeat);
		if (this.state === "ended") return;
		const silence = Date.now() - this.heardAt;
		if (silence >= 3 * this.keepaliveMs) return this.down(reason("KEEPALIVE_TIMEOUT"));
		if (silence >= this.keepaliveMs) this.put(writeFrame(FRAME_PING, integer(Date.now(), 8)));
		this.heartbeat = setTimeout(() => this.beat(), this.keepaliveMs);
	}

	private pong(payload: Bytes): void {
		if (payload.length === 8) this.rtt = Math.max(0, Date.now() - payload.reduce((sum, byte) => sum * 256 + byte, 0));
	}

	private wait(ms: number, symbol = "TIMEOUT"): void {
		clearTimeout(this.deadline);
		if (ms) this.deadline = setTimeout(() => this.down(reason(symbol)), ms);
	}

	/** The node we were sent to does not serve us: back, once, to the one that sent us. */
	private comesBack(why: Reason, told: boolean): boolean {
		const config = this.config;
		if (!config || !this.redirected || this.unreached || (told && !OF_THE_NODE.has(why.symbol))) return false;
		this.unreached = this.redirected;
		this.redirected = "";
		this.dial(config.url);
		return true;
	}

	private down(why: Reason, more: Partial<UplinkDown> = {}): void {
		if (this.state === "ended") return;
		if (this.comesBack(why, more.told ?? false)) return;
		this.state = "ended";
		this.config = null;
		this.wait(0);
		clearTimeout(this.heartbeat);
		this.drop();
		this.events.down({ reason: why, retryMs: 0, detail: "", told: false, ...more });
	}
}
