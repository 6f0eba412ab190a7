// desktop: noVNC, with what a viewer of Engawa needs beside it: one monitor of several, how many updates were drawn,
// and when bytes are really gone, by which the host measures the line.
//
// Keys do not come from noVNC's own keyboard, whose canvas no input method can write on, but from input/keyboard.

import RFB from "@novnc/novnc";

import type { RfbChannel } from "./rfb_channel";
import { gatherFlips } from "./flips";
import { decodeAside } from "./images";
import { copyItselfByPixels } from "./self_copy";

const QUALITY = 8;
const COMPRESSION = 2;
const SCREEN = 16;

export interface Monitor {
	x: number;
	y: number;
	w: number;
	h: number;
}

export type Scaling = "fit" | "actual";

export interface DesktopEvents {
	/** The first whole picture is there. */
	drawn(): void;
	monitors(monitors: Monitor[]): void;
	/** The stream is of no use any more. */
	gone(): void;
}

export class Desktop extends RFB {
	private updates = 0;
	private isDrawn = false;
	private isOver = false;
	private shown: Monitor | null = null;
	private known: Monitor[] = [];
	private readonly dropImages: () => void;
	private readonly channel: RfbChannel;
	private readonly events: DesktopEvents;

	constructor(target: HTMLElement, channel: RfbChannel, events: DesktopEvents) {
		super(target, channel, { shared: false });
		copyItselfByPixels(this._display._drawCtx);
		gatherFlips(this._display);
		this.dropImages = decodeAside(this._display, () => this.disconnect());
		// Once asked, the host draws whenever there is something to draw and room on the line.
		this._enabledContinuousUpdates = true;
		this.channel = channel;
		this.events = events;
		this.focusOnClick = false;
		this.qualityLevel = QUALITY;
		this.compressionLevel = COMPRESSION;
		this.background = "transparent";
		this.addEventListener("disconnect", () => events.gone());
	}

	/** Since the last call. */
	takeUpdates(): number {
		const count = this.updates;
		this.updates = 0;
		return count;
	}

	/** null: all of them. */
	show(monitor: Monitor | null): void {
		this.shown = monitor;
		this._updateClip();
		this._updateScale();
	}

	/** On a screen that is touched the picture is moved by a finger, elsewhere by scroll bars. */
	scale(scaling: Scaling, touch: boolean): void {
		this.scaleViewport = scaling === "fit";
		this.clipViewport = scaling === "actual" && touch;
		this.show(this.shown);
	}

	/** No button stays down at the host when the window loses the pointer. */
	releaseButtons(): void {
		if (this._mouseButtonMask) this._handleMouseButton(this._mousePos.x ?? 0, this._mousePos.y ?? 0, 0);
	}

	/** The picture as it is now, for under the veil while the next stream begins; null: nothing came yet. */
	get picture(): HTMLCanvasElement | null {
		return this.isDrawn ? this._canvas : null;
	}

	/** It would ask the host for them, in words that the host need not know. */
	protected override _updateContinuousUpdates(): void {}

	protected override _updateClip(): void {
		const part = this.shown;
		if (!part) return super._updateClip();
		const display = this._display;
		if (!display.clipViewport) display.clipViewport = true;
		display.viewportChangeSize(part.w, part.h);
		display.viewportChangePos(part.x - display._viewportLoc.x, part.y - display._viewportLoc.y);
	}

	override disconnect(): void {
		this.isOver = true;
		this.dropImages();
		super.disconnect();
	}

	protected override _handleMessage(): void {
		// An image that was being decoded when the stream ended calls for the rest of it.
		if (this.isOver) return;
		super._handleMessage();
		this.channel?.settle(this._sock._rQlen - this._sock._rQi);
	}

	protected override _framebufferUpdate(): boolean {
		const done = super._framebufferUpdate();
		if (!done) return false;
		this.updates++;
		if (!this.isDrawn) {
			this.isDrawn = true;
			this.events.drawn();
		}
		return true;
	}

	/** noVNC keeps the first screen only; they are looked at before it takes them away. */
	protected override _handleExtendedDesktopSize(): boolean {
		const sock = this._sock;
		if (sock.rQwait("ExtendedDesktopSize", 4)) return false;
		const count = sock.rQpeek8();
		const length = 4 + count * SCREEN;
		if (sock.rQwait("ExtendedDesktopSize", length)) return false;
		const view = sock.rQpeekBytes(length).slice();
		const found: Monitor[] = [];
		for (let at = 4; at < length; at += SCREEN) {
			const u16 = (from: number) => ((view[at + from] as number) << 8) | (view[at + from + 1] as number);
			found.push({ x: u16(4), y: u16(6), w: u16(8), h: u16(10) });
		}
		if (JSON.stringify(found) !== JSON.stringify(this.known)) {
			this.known = found;
			this.shown = null;
			this.events.monitors(found);
		}
		return super._handleExtendedDesktopSize();
	}
}
