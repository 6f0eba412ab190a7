// tunnel_worker: the tunnel's own thread, so that sealing and opening never wait for the page, and no key of a
// session is where the page's code runs. One session, then it ends with its page or by the page's word.

import { type Bytes, bytes } from "../base/bytes";
import { type Reason, reasonFrom } from "../base/reason";
import { licenseId, stretch, ticket as parseTicket } from "../e2e/ticket";
import type { TunnelPaired } from "../link/tunnel";
import { StoreError } from "../store/database";
import { unwrap, wrap } from "../store/identity";
import { type Pin, rotate } from "../store/pins";
import { changePlace, type Place, writePlace } from "../store/places";
import type { FromWorker, ToWorker } from "./messages";
import { Viewer, type ViewerEvents } from "./viewer";

const CLIP_POLL_MS = 5;
const CLIP_MOST_MS = 5000;

let viewer: Viewer | null = null;

function say(message: FromWorker, ...given: Transferable[]): void {
	postMessage(message, { transfer: given });
}

function ended(why: Reason | null, detail: string, retryMs: number): void {
	viewer = null;
	say({ type: "ended", why: why?.symbol ?? "", detail, retryMs });
}

async function storePin(place: Place, paired: TunnelPaired): Promise<{ pin: Pin; psk: Bytes }> {
	const psk = await wrap(place.identity, paired.pairPsk);
	const pin: Pin = { key: paired.peer.slice(), psk, oldKey: null, oldUntilMs: 0, pairedMs: Date.now() };
	await writePlace({ ...place, pin, hostName: paired.hostName });
	say({ type: "paired", hostName: paired.hostName });
	return { pin, psk: paired.pairPsk.slice() };
}

function events(place: Place): ViewerEvents {
	return {
		line: (line, why, retryMs) => say({ type: "line", line, why: why?.symbol ?? "", retryMs }),
		up: ({ resumed, rights, hostName, width, height }, gateway) =>
			say({ type: "up", resumed, rights, hostName, width, height, gateway }),
		rights: (rights) => say({ type: "rights", rights }),
		notice: (en, ja) => say({ type: "notice", en, ja }),
		news: (notices) => say({ type: "news", notices }),
		code: (why) => say({ type: "code", why: why.symbol }),
		paired: (paired) => storePin(place, paired),
		newKey: (key) => void changePlace(place.id, (now) => (now.pin ? { ...now, pin: rotate(now.pin, key, Date.now()) } : now)),
		begun: (stream) => say({ type: "begun", stream }),
		picture: (stream, view) => {
			// A record's plaintext may be one of several views of its memory.
			const whole = view.byteLength === view.buffer.byteLength ? view : view.slice();
			say({ type: "picture", stream, view: whole }, whole.buffer);
		},
		streamClosed: (stream) => say({ type: "stream_closed", stream }),
		clip: (text) => say({ type: "clip", text }),
		meter: (meter) => say({ type: "meter", meter }),
		ended,
	};
}

async function start(asked: Extract<ToWorker, { type: "start" }>): Promise<void> {
	const { place } = asked;
	const licenseHash = await licenseId(place.publicId);
	const code = asked.ticket ? parseTicket(asked.ticket) : null;
	const { identity } = place;
	viewer = new Viewer(
		{
			gateways: place.gateways,
			publicId: place.publicId,
			license: place.id,
			licenseHash,
			secret: await unwrap(identity, place.secret),
			sign: identity.sign,
			own: identity.own,
			program: asked.program,
			deviceName: place.deviceName,
			password: asked.password,
			totp: asked.totp,
			ticket: code && { id: code.id, psk: await stretch(code, licenseHash) },
			pin: place.pin,
			psk: place.pin && !code ? await unwrap(identity, place.pin.psk) : null,
		},
		events(place),
	);
	viewer.run();
}

/** Answers when the host has it, so that a paste that was pressed meanwhile finds it there. */
function clip(number: number, text: string): void {
	if (!viewer?.clip(text)) return say({ type: "clip_done", number, sent: false });
	const until = Date.now() + CLIP_MOST_MS;
	const look = () => {
		if (viewer && !viewer.clipSent && Date.now() < until) setTimeout(look, CLIP_POLL_MS);
		else say({ type: "clip_done", number, sent: true });
	};
	look();
}

const acts: { [T in ToWorker["type"]]: (message: Extract<ToWorker, { type: T }>) => void } = {
	start: (message) =>
		void start(message).catch((error: unknown) =>
			ended(reasonFrom(error, error instanceof StoreError ? "FILE_UNREADABLE" : "INTERNAL"), String(error), 0),
		),
	code: ({ totp }) => viewer?.code(totp),
	hurry: () => viewer?.hurry(),
	leave: () => (viewer ? viewer.leave() : ended(null, "", 0)),
	stream: () => viewer?.stream(),
	input: ({ stream, view }) => viewer?.input(stream, view ?? bytes(0)),
	drawn: ({ stream, length }) => viewer?.drawn(stream, length),
	clip: ({ number, text }) => clip(number, text),
};

onmessage = (event: MessageEvent<ToWorker>) => {
	const act = acts[event.data.type] as (message: ToWorker) => void;
	act(event.data);
};
say({ type: "ready" });
