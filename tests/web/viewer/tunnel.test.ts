// S2: the browser's half of the tunnel against the C code of the office PC (tunnel_host): what is sent comes back
// byte for byte, over cut legs too, and what must not pass does not.

import { type Bytes, bytes, concat, equal, hex, integer } from "../../../viewer/web/base/bytes";
import { Cursor } from "../../../viewer/web/base/cursor";
import { type Reason, ReasonError, reason, reasonOf } from "../../../viewer/web/base/reason";
import type { InnerMessage } from "../../../viewer/web/e2e/inner";
import { ed25519Generate, random, x25519Generate } from "../../../viewer/web/e2e/primitives";
import type { Purpose } from "../../../viewer/web/e2e/prologue";
import type { Lane } from "../../../viewer/web/e2e/seal";
import { licenseId } from "../../../viewer/web/e2e/ticket";
import { Tunnel, type TunnelPaired, type TunnelUp } from "../../../viewer/web/link/tunnel";
import { assert, equals, rejects, test } from "./harness";
import { type HostProcess, startHost } from "./host_process";

const own = await x25519Generate();
const sign = await ed25519Generate();
const license = await licenseId("7K3QX09FA");

interface Told {
	reason: Reason;
	how: string;
}

/** A viewer's tunnel and the office PC's, joined by hand. */
class Pair {
	readonly got: Record<string, Bytes[]> = { picture: [], clipboard: [] };
	readonly messages: InnerMessage[] = [];
	readonly closed: number[] = [];
	ups: TunnelUp[] = [];
	pairing: TunnelPaired | null = null;
	told: Told | null = null;
	hostTold: number | null = null;
	hostPsk: Bytes | null = null;
	hostKey: Bytes = bytes(0);
	pin: Bytes | null = null;
	readonly session = random(16);
	fence = 0;
	tamper: (record: Bytes) => Bytes = (record) => record;
	readonly tunnel: Tunnel;
	private leg = 0;
	private parted = false;

	constructor(
		readonly host: HostProcess,
		readonly purpose: Purpose,
		psk: Bytes,
	) {
		this.tunnel = new Tunnel(
			{
				purpose,
				license,
				own,
				sign,
				psk,
				ticket: purpose === "pairing" ? 77 : 0,
				user: "",
				device: "ブラウザ",
				wanted: 15,
				features: 1,
				fence: 0,
				graceMs: 60_000,
			},
			{
				accept: (peer) => {
					if (this.pin && !equal(peer, this.pin)) throw new ReasonError("HOST_KEY_CHANGED");
				},
				up: (up) => void this.ups.push(up),
				paired: async (paired) => {
					this.pairing = { ...paired, pairPsk: paired.pairPsk.slice() };
				},
				bytes: (lane: Lane, view) => {
					this.got[lane]?.push(view.slice());
					this.tunnel.consumed(lane, view.length);
				},
				message: (message) => void this.messages.push(message),
				room: () => undefined,
				ended: (why, how) => {
					this.told = { reason: why, how };
				},
			},
		);
		host.heard = (kind, payload) => this.heard(kind, payload);
	}

	open(session = this.session): void {
		this.fence++;
		const leg = ++this.leg;
		const purpose = this.purpose === "pairing" ? 1 : 0;
		const ticket = purpose ? 77 : 0;
		this.host.say("O", concat(session, integer(this.fence, 8), integer(1 + purpose, 1), integer(ticket, 4)));
		const message = { session, fence: this.fence, purpose: 1 + purpose, psk_kind: 2 - purpose, ticket, host_min: 1, host_max: 1 };
		this.tunnel.open(
			{
				send: (record) => {
					if (leg === this.leg) this.host.say("D", record);
				},
				queued: () => 0,
				close: (why) => void this.closed.push(why.number),
			},
			message,
		);
	}

	/** Both legs; what the old one still carried is gone. */
	async cut(): Promise<void> {
		this.leg++;
		this.parted = false;
		this.tunnel.cut(reason("PEER_LOST"));
		this.host.say("C", bytes(0));
		await until("the cut", () => this.parted);
	}

	private heard(kind: string, payload: Bytes): void {
		if (kind === "K") this.hostKey = payload;
		else if (kind === "D") this.tunnel.data(this.tamper(payload));
		else if (kind === "C") this.parted = true;
		else if (kind === "P") this.hostPsk = payload;
		else if (kind === "E") this.tunnel.closed(new Cursor(payload).u16());
		else if (kind === "Z") this.hostTold = new Cursor(payload).u16();
	}

	all(lane: string): Bytes {
		return concat(...(this.got[lane] ?? []));
	}
}

async function until(what: string, holds: () => boolean): Promise<void> {
	for (const end = Date.now() + 60_000; !holds(); ) {
		if (Date.now() > end) throw new Error(`waited in vain: ${what}`);
		await new Promise((go) => setTimeout(go, 2));
	}
}

async function joined(purpose: Purpose = "session", psk = bytes(32).fill(purpose === "session" ? 0x5a : 0xa5)): Promise<Pair> {
	const pair = new Pair(await startHost(), purpose, psk);
	await until("the host's key", () => pair.hostKey.length === 32);
	return pair;
}

/** Waits for room, as whoever types does. */
async function write(pair: Pair, lane: Lane, view: Bytes): Promise<void> {
	for (let at = 0; at < view.length; at += 4096)
		await until("room", () => pair.tunnel.write(lane, view.subarray(at, at + 4096)));
}

test("100 sessions with the office PC's code, of every size", async () => {
	const sizes = [0, 1, 59, 60, 61, 63, 64, 65, 1019, 1020, 1021, 8191, 8192, 8193, 16380, 65515];
	for (let i = 0; i < 100; i++) {
		const pair = await joined();
		pair.pin = pair.hostKey;
		pair.open();
		const size = sizes[i] ?? (random(2).reduce((sum, byte) => sum * 256 + byte, 0) % 40000) + 1;
		const [typed, copied] = [random(Math.min(size, 65536)), random(Math.min(size >> 1, 65536))];
		await write(pair, "input", typed);
		await write(pair, "clipboard", copied);
		await until("what was sent", () => pair.all("picture").length === typed.length && pair.all("clipboard").length === copied.length);
		await until("up", () => pair.ups.length === 1);
		assert(equal(pair.all("picture"), typed) && equal(pair.all("clipboard"), copied), `session ${i} is exact`);
		const { rights, width, height, hostName, resumed } = pair.ups[0] as TunnelUp;
		equals(`${rights} ${width} ${height} ${hostName} ${resumed}`, "15 1920 1080 会社のPC false");
		await pair.tunnel.close(reason("VIEWER_LEFT"));
		await until("the end at the office", () => pair.hostTold !== null);
		equals(pair.hostTold, reason("VIEWER_LEFT").number);
		equals(pair.told?.how, "ours");
		pair.host.end();
	}
});

test("a megabyte, over twenty cut legs: each byte once", async () => {
	const pair = await joined();
	const typed = random(65536);
	const rounds = 16;
	pair.open();
	const writing = (async () => {
		for (let i = 0; i < rounds; i++) await write(pair, "input", typed);
	})();
	for (let cuts = 0; cuts < 20; cuts++) {
		const before = pair.all("picture").length;
		await until("progress", () => pair.all("picture").length > before || pair.all("picture").length === rounds * typed.length);
		await pair.cut();
		pair.tunnel.message("rfb_open", { id: cuts, input_offset: cuts * 1000 });
		pair.open();
	}
	await writing;
	await until("all of it", () => pair.all("picture").length === rounds * typed.length);
	const all = pair.all("picture");
	for (let i = 0; i < rounds; i++) assert(equal(all.subarray(i * typed.length, (i + 1) * typed.length), typed), `round ${i}`);
	await until("control messages", () => pair.messages.filter(({ name }) => name === "rfb_opened").length === 20);
	equals(pair.messages.filter(({ name }) => name === "rfb_opened").map(({ fields }) => fields.id).join(), [...Array(20).keys()].join());
	assert(pair.ups.length > 1 && pair.ups.slice(1).every((up) => up.resumed), "resumed");
	pair.host.end();
});

test("pairing gives both ends the same key", async () => {
	const pair = await joined("pairing");
	pair.open();
	await until("paired", () => pair.told !== null && pair.hostPsk !== null);
	equals(hex(pair.pairing?.pairPsk as Bytes), hex(pair.hostPsk as Bytes));
	equals(hex(pair.pairing?.peer as Bytes), hex(pair.hostKey));
	equals(`${pair.told?.reason.symbol} ${pair.told?.how}`, "VIEWER_LEFT theirs");
	pair.host.end();
});

test("a wrong code is told as one", async () => {
	const pair = await joined("pairing", bytes(32).fill(1));
	pair.open();
	await until("the end", () => pair.told !== null && pair.hostTold !== null);
	equals(pair.told?.reason.symbol, "TICKET_WRONG");
	equals(reasonOf(pair.hostTold as number).symbol, "TICKET_WRONG");
	pair.host.end();
});

test("another host key is refused before anything is said", async () => {
	const pair = await joined();
	pair.pin = random(32);
	pair.open();
	await until("the end", () => pair.told !== null);
	equals(pair.told?.reason.symbol, "HOST_KEY_CHANGED");
	equals(pair.closed.join(), String(reason("E2E_FAILED").number));
	equals(pair.ups.length, 0);
	pair.host.end();
});

test("a stale fence and another session are refused", async () => {
	const pair = await joined();
	pair.open();
	await until("up", () => pair.ups.length === 1);
	pair.fence = 0;
	await rejects(async () => pair.open());
	pair.fence = 5;
	await rejects(async () => pair.open(random(16)));
	pair.host.end();
});

test("what a relay changes ends the session, and nothing of it arrives", async () => {
	for (const at of [0, 5, 16, 300]) {
		const pair = await joined();
		pair.open();
		await until("up", () => pair.ups.length === 1);
		pair.tamper = (record) => {
			const changed = record.slice();
			changed[at % changed.length] = (changed[at % changed.length] as number) ^ 1;
			return changed;
		};
		await write(pair, "input", bytes(500).fill(7));
		await until("the end", () => pair.told !== null);
		equals(pair.told?.reason.symbol, "E2E_FAILED");
		equals(pair.all("picture").length, 0);
		pair.host.end();
	}
});

test("a record that comes twice, or is left out, ends the session", async () => {
	for (const twice of [true, false]) {
		const pair = await joined();
		pair.open();
		await until("up", () => pair.ups.length === 1);
		let count = 0;
		pair.tamper = (record) => {
			if (++count === 2 && twice) pair.tunnel.data(record.slice());
			return count === 2 && !twice ? bytes(64) : record;
		};
		await write(pair, "input", bytes(30_000).fill(7));
		await until("the end", () => pair.told !== null);
		equals(pair.told?.reason.symbol, "E2E_FAILED");
		pair.host.end();
	}
});

test("the host's word is heard, and the receipt counts", async () => {
	const pair = await joined();
	pair.open();
	await until("up", () => pair.ups.length === 1);
	pair.host.say("X", integer(reason("HOST_ENDED").number, 2));
	await until("the end", () => pair.told !== null);
	equals(`${pair.told?.reason.symbol} ${pair.told?.how}`, "HOST_ENDED theirs");
	const receipt = await pair.tunnel.receipt(reason("HOST_ENDED"));
	assert((receipt?.sent as number) > 200 && (receipt?.received as number) > 100, "counted");
	equals((receipt?.signature as Bytes).length, 64);
	pair.host.end();
});
