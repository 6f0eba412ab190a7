// session: one office PC on the page: the worker with its tunnel, noVNC on its picture, keys, clipboard, figures. It
// lives from "connect" to the end for good; what is cut meanwhile is the worker's to mend, over the last picture.

import { type Cell, cell } from "../../../gateway/console/src/cell";
import { Clipboard } from "../clipboard/clipboard";
import { type Hotkey, Keyboard } from "../input/keyboard";
import { Desktop, type Monitor, type Scaling } from "../rfb/desktop";
import { RfbChannel } from "../rfb/rfb_channel";
import { changePlace, type Place, placeName } from "../store/places";
import type { FromWorker } from "../worker/messages";
import { TunnelProxy } from "../worker/tunnel_proxy";
import type { Line, Meter } from "../worker/viewer";
import type { Refusal } from "./parts";

const RIGHT_CONTROL = 0x0002;
const RIGHT_CLIP_TO_HOST = 0x0004;
const RIGHT_CLIP_TO_VIEWER = 0x0008;
/** A line hides a strip of the office's screen, often its task bar: it goes by itself. */
const NOTICE_MS = 30_000;
const STREAM_AGAIN_MS = 500;
const STREAMS_MOST = 5;
const STREAMS_WITHIN_MS = 30_000;
const FAIR_RTT_MS = 80;
const BAD_RTT_MS = 200;

export interface Figures {
	quality: "good" | "fair" | "bad";
	rtt: number;
	/** Bytes and updates per second. */
	in: number;
	out: number;
	updates: number;
	drops: number;
	sinceMs: number;
	gateway: string;
}

export interface SessionState {
	line: Line;
	/** Why it reconnects; "" when nothing is wrong. */
	why: string;
	/** A whole picture is there, dimmed or not. */
	hasPicture: boolean;
	hostName: string;
	rights: number;
	figures: Figures;
	monitors: Monitor[];
	/** 0: all of them, else counted from 1. */
	monitor: number;
	scaling: Scaling;
	pan: boolean;
	notice: { en: string; ja: string } | null;
	news: Record<string, unknown>;
	/** A one-time code is asked for: why. */
	code: string;
	/** A text of the office that the browser has not taken. */
	clipWaits: boolean;
	clipTooLong: boolean;
	meter: boolean;
	latched: number;
	officeIme: boolean;
}

export interface SessionEnd extends Refusal {
	wasUp: boolean;
}

const NOTHING: Figures = { quality: "bad", rtt: 0, in: 0, out: 0, updates: 0, drops: 0, sinceMs: 0, gateway: "" };

export class Session {
	readonly state: Cell<SessionState>;
	/** Where noVNC draws; the view takes it in. */
	readonly screen = document.createElement("div");
	readonly field = document.createElement("textarea");
	readonly keyboard: Keyboard;
	readonly clipboard: Clipboard;
	/** What is for the view: full screen. */
	onhotkey: ((hotkey: Hotkey) => void) | null = null;
	private readonly proxy: TunnelProxy;
	private desktop: Desktop | null = null;
	private channel: RfbChannel | null = null;
	private stream = 0;
	private streams: number[] = [];
	/** Of the office's screen, as it was told last. */
	private size = { width: 0, height: 0 };
	private wasUp = false;
	private metered: { at: number; received: number; sent: number } | null = null;
	private noticeTimer: ReturnType<typeof setTimeout> | undefined;
	private readonly ends = new AbortController();
	private readonly touch = matchMedia("(pointer: coarse)").matches;

	constructor(
		readonly place: Place,
		asked: { password: string; totp: string; ticket: string },
		private readonly done: (end: SessionEnd) => void,
		private readonly up: () => void,
	) {
		this.state = cell<SessionState>({
			line: asked.ticket ? "pairing" : "connecting",
			why: "",
			hasPicture: false,
			hostName: placeName(place),
			rights: 0,
			figures: NOTHING,
			monitors: [],
			monitor: 0,
			scaling: "fit",
			pan: false,
			notice: null,
			news: {},
			code: "",
			clipWaits: false,
			clipTooLong: false,
			meter: false,
			latched: 0,
			officeIme: false,
		});
		this.screen.className = "screen";
		this.field.className = "typing";
		this.clipboard = new Clipboard({
			send: (text) => this.proxy.clip(text),
			waits: (text) => this.change({ clipWaits: text !== "" }),
			tooLong: () => this.change({ clipTooLong: true }),
		});
		this.keyboard = new Keyboard(this.field, {
			key: (keysym, down) => this.desktop?.sendKey(keysym, "", down),
			mayPaste: () => this.clipboard.mayGo && this.may(RIGHT_CONTROL),
			paste: (text) => this.clipboard.give(text),
			hotkey: (hotkey) => this.hotkey(hotkey),
		});
		this.keyboard.onlatch = () => this.change({ latched: this.keyboard.latchedKeys.size });
		this.prepareField();
		this.proxy = new TunnelProxy((message) => this.take(message));
		this.proxy.start({ place, ...asked });
		const on = (target: EventTarget, name: string, act: () => void) => target.addEventListener(name, act, { signal: this.ends.signal });
		on(window, "online", () => this.proxy.say({ type: "hurry" }));
		on(window, "pagehide", () => this.leave());
		on(window, "blur", () => this.desktop?.releaseButtons());
		window.addEventListener("beforeunload", (event) => this.mayUnload(event), { signal: this.ends.signal });
	}

	leave(): void {
		this.keyboard.release();
		this.proxy.say({ type: "leave" });
	}

	code(totp: string): void {
		this.change({ code: "" });
		this.proxy.say({ type: "code", totp });
	}

	hurry(): void {
		this.proxy.say({ type: "hurry" });
	}

	may(right: number): boolean {
		return (this.state.get().rights & right) !== 0;
	}

	get viewOnly(): boolean {
		const { rights, line } = this.state.get();
		return line === "live" && (rights & RIGHT_CONTROL) === 0;
	}

	scale(scaling: Scaling): void {
		this.change({ scaling, pan: false });
		this.fit();
	}

	pan(pan: boolean): void {
		this.change({ pan });
		this.fit();
	}

	monitor(number: number): void {
		const { monitors } = this.state.get();
		if (number > monitors.length) return;
		this.change({ monitor: number });
		this.desktop?.show(monitors[number - 1] ?? null);
	}

	toggleMeter(): void {
		this.change({ meter: !this.state.get().meter });
	}

	latch(keysym: number): void {
		this.keyboard.latch(keysym);
		this.change({ latched: this.keyboard.latchedKeys.size });
	}

	/** What is typed from now on is for the office. A finger does not call the phone's keyboard up. */
	takeKeys(): void {
		if (!this.touch) this.field.focus({ preventScroll: true });
	}

	/** Where nothing can be written, no input method of this device takes the keys that switch the office's. */
	officeIme(on: boolean): void {
		this.field.readOnly = on;
		this.change({ officeIme: on });
	}

	// ---- what the worker tells

	private take(message: FromWorker): void {
		switch (message.type) {
			case "line":
				return this.line(message.line, message.why);
			case "up":
				return this.isUp(message);
			case "rights":
				return this.setRights(message.rights);
			case "notice":
				return this.notice(message.en, message.ja);
			case "news":
				return this.change({ news: message.notices });
			case "code":
				return this.change({ code: message.why });
			case "paired":
				return this.change({ hostName: this.place.name || message.hostName });
			case "begun":
				return this.begun(message.stream);
			case "picture":
				if (message.stream === this.stream) this.channel?.deliver(message.view);
				return;
			case "stream_closed":
				if (message.stream === this.stream) this.again();
				return;
			case "clip":
				return void this.clipboard.take(message.text);
			case "meter":
				return this.figures(message.meter);
			case "ended":
				return this.ended(message);
			default:
				return;
		}
	}

	private line(line: Line, why: string): void {
		if (line !== "live") {
			this.keyboard.release();
			this.desktop?.releaseButtons();
		}
		this.change({ line, why });
	}

	private isUp(up: Extract<FromWorker, { type: "up" }>): void {
		this.wasUp = true;
		this.size = { width: up.width, height: up.height };
		this.change({ hostName: this.place.name || up.hostName, code: "" });
		this.setRights(up.rights);
		void changePlace(this.place.id, (place) => ({
			...place,
			hostName: up.hostName,
			seen: { state: "online", reason: "", atMs: Date.now() },
		})).catch(() => undefined);
		if (!up.resumed) {
			// The old stream is gone with its session: what is typed into its picture would go nowhere.
			this.keep();
			this.clipboard.begin();
		}
		this.up();
		void this.clipboard.look();
	}

	private setRights(rights: number): void {
		this.change({ rights });
		this.clipboard.mayGo = (rights & RIGHT_CLIP_TO_HOST) !== 0;
		this.clipboard.mayCome = (rights & RIGHT_CLIP_TO_VIEWER) !== 0;
		if (!(rights & RIGHT_CONTROL)) this.keyboard.release();
		if (this.desktop) this.desktop.viewOnly = !(rights & RIGHT_CONTROL);
	}

	private notice(en: string, ja: string): void {
		clearTimeout(this.noticeTimer);
		this.change({ notice: { en, ja } });
		this.noticeTimer = setTimeout(() => this.change({ notice: null }), NOTICE_MS);
	}

	private ended(end: Extract<FromWorker, { type: "ended" }>): void {
		this.ends.abort();
		clearTimeout(this.noticeTimer);
		this.keyboard.end();
		this.clipboard.end();
		this.stream = 0;
		this.desktop?.disconnect();
		this.desktop = null;
		this.done({ why: end.why, detail: end.detail, retryMs: end.retryMs, wasUp: this.wasUp });
	}

	// ---- the picture

	/** A fresh stream: the old picture stays under the veil until the new one is whole. */
	private begun(stream: number): void {
		this.keep();
		this.stream = stream;
		const layer = document.createElement("div");
		layer.className = "layer";
		this.screen.append(layer);
		const channel = new RfbChannel(this.size, {
			input: (view) => this.proxy.input(stream, view),
			drawn: (length) => this.proxy.say({ type: "drawn", stream, length }),
		});
		this.channel = channel;
		this.desktop = new Desktop(layer, channel, {
			drawn: () => this.drawn(layer),
			monitors: (monitors) => this.change({ monitors, monitor: 0 }),
			gone: () => stream === this.stream && this.again(),
		});
		this.desktop.viewOnly = !this.may(RIGHT_CONTROL);
		this.fit();
		channel.greet();
	}

	private drawn(layer: HTMLElement): void {
		for (const other of [...this.screen.children]) if (other !== layer) other.remove();
		this.change({ hasPicture: true });
	}

	/** noVNC takes its canvas away with itself; a copy stays. */
	private keep(): void {
		const desktop = this.desktop;
		this.desktop = null;
		this.stream = 0;
		if (!desktop) return;
		this.change({ hasPicture: false });
		const { picture } = desktop;
		if (picture?.width && picture.height) {
			const still = document.createElement("canvas");
			still.width = picture.width;
			still.height = picture.height;
			still.className = "still";
			still.getContext("2d")?.drawImage(picture, 0, 0);
			for (const other of this.screen.querySelectorAll(".still")) other.remove();
			this.screen.prepend(still);
		}
		desktop.disconnect();
	}

	private again(): void {
		const now = Date.now();
		this.streams = this.streams.filter((at) => now - at < STREAMS_WITHIN_MS);
		this.streams.push(now);
		this.keep();
		if (this.streams.length <= STREAMS_MOST) {
			setTimeout(() => this.proxy.say({ type: "stream" }), STREAM_AGAIN_MS);
			return;
		}
		this.leave();
		this.ended({ type: "ended", why: "DECODER_FAILED", detail: "", retryMs: 0 });
	}

	private fit(): void {
		const { scaling, pan } = this.state.get();
		if (!this.desktop) return;
		this.desktop.scale(scaling, this.touch || pan);
		this.desktop.dragViewport = pan;
	}

	// ---- the rest

	private prepareField(): void {
		this.field.setAttribute("autocapitalize", "off");
		this.field.setAttribute("autocomplete", "off");
		this.field.setAttribute("autocorrect", "off");
		this.field.spellcheck = false;
		this.screen.addEventListener(
			"pointerdown",
			(event) => {
				// The input method's window opens where the person looks. A finger does not call the phone's keyboard up.
				const { left, top, width, height } = this.screen.getBoundingClientRect();
				this.field.style.left = `${Math.min(event.clientX - left, width * 0.6)}px`;
				this.field.style.top = `${Math.min(event.clientY - top + 20, height - 48)}px`;
				if (event.pointerType !== "touch") this.field.focus({ preventScroll: true });
			},
			{ capture: true },
		);
	}

	private hotkey(hotkey: Hotkey): void {
		if (hotkey === "meter") this.toggleMeter();
		else if (hotkey === "scaling") this.scale(this.state.get().scaling === "fit" ? "actual" : "fit");
		else if (typeof hotkey === "number") this.monitor(hotkey);
		else this.onhotkey?.(hotkey);
	}

	private mayUnload(event: BeforeUnloadEvent): void {
		if (this.state.get().line === "live") event.preventDefault();
	}

	private figures(meter: Meter): void {
		const now = performance.now();
		const before = this.metered;
		this.metered = { at: now, received: meter.received, sent: meter.sent };
		const { line, figures } = this.state.get();
		const updates = this.desktop?.takeUpdates() ?? 0;
		if (!before) return;
		const seconds = (now - before.at) / 1000;
		const rate = (count: number) => Math.max(0, count / seconds);
		let quality: Figures["quality"] = meter.rtt === 0 || meter.rtt >= FAIR_RTT_MS ? "fair" : "good";
		if (line !== "live" || meter.rtt >= BAD_RTT_MS) quality = "bad";
		this.change({
			figures: {
				quality,
				rtt: meter.rtt,
				in: rate(meter.received - before.received),
				out: rate(meter.sent - before.sent),
				updates: rate(updates),
				drops: meter.resumes,
				sinceMs: line === "live" ? figures.sinceMs || Date.now() : 0,
				gateway: meter.gateway,
			},
		});
	}

	private change(change: Partial<SessionState>): void {
		this.state.set({ ...this.state.get(), ...change });
	}
}
