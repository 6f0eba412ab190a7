// bridge: joins the stream of noVNC to the lanes of a tunnel, as proto/link/bridge.h does for the native viewer.
//
// Path 03/13: RFB leaves the VNC library; RFB enters it.
//
// A stream can begin anew inside a session: start() says RFB_OPEN, and bytes of the old stream are thrown away on
// both sides. A cut and resumed leg is not seen here at all: streams go on, byte for byte.

import type { Bytes } from "../base/bytes";
import type { InnerMessage } from "../e2e/inner";
import type { Tunnel } from "./tunnel";

export interface BridgeEvents {
	/** The stream is asked for. What is said on it now arrives behind RFB_OPEN, and waits there for the host. */
	begun(stream: number): void;
	/** Report them with consumed() when they are really drawn. */
	bytes(stream: number, view: Bytes): void;
	/** The host ended the stream; the next one may be started. */
	closed(stream: number): void;
}

export class Bridge {
	private state: "none" | "asked" | "running" = "none";
	private id = 0;
	/** Bytes of the picture lane before this belong to an older stream. */
	private from = 0;
	/** Given to the page and not drawn yet. */
	private waiting = 0;
	/** Typed while the input lane was full; a person does not type so much, a program might. */
	private typed: Bytes[] = [];

	constructor(
		private readonly tunnel: Tunnel,
		private readonly events: BridgeEvents,
	) {}

	start(): void {
		this.drop();
		this.state = "asked";
		this.id++;
		this.tunnel.message("rfb_open", { id: this.id, input_offset: this.tunnel.written("input") });
		this.events.begun(this.id);
	}

	input(stream: number, view: Bytes): void {
		if (stream !== this.id || this.state === "none") return;
		this.typed.push(view);
		this.room();
	}

	/** The input lane takes bytes again. */
	room(): void {
		let next = this.typed[0];
		while (next && this.tunnel.write("input", next)) {
			next.fill(0);
			this.typed.shift();
			next = this.typed[0];
		}
	}

	/** From the picture lane. */
	bytes(view: Bytes): void {
		const old = this.old(view.length);
		this.tunnel.consumed("picture", old);
		const fresh = old ? view.slice(old) : view;
		if (!fresh.length) return;
		this.waiting += fresh.length;
		this.events.bytes(this.id, fresh);
	}

	consumed(stream: number, length: number): void {
		if (stream !== this.id) return;
		const count = Math.min(length, this.waiting);
		this.waiting -= count;
		this.tunnel.consumed("picture", count);
	}

	/** True: it was one of RFB_*, and is done with. */
	message({ name, fields }: InnerMessage): boolean {
		if (name === "rfb_opened") {
			if (this.state === "asked" && fields.id === this.id) {
				this.from = fields.picture_offset as number;
				this.state = "running";
			}
			return true;
		}
		if (name !== "rfb_close") return false;
		if (this.state !== "none" && fields.id === this.id) {
			this.drop();
			this.events.closed(this.id);
		}
		return true;
	}

	private old(length: number): number {
		if (this.state !== "running") return length;
		const from = this.tunnel.received("picture") - length;
		return Math.min(length, Math.max(0, this.from - from));
	}

	/** What waited for the page is as good as consumed. */
	private drop(): void {
		this.state = "none";
		for (const view of this.typed) view.fill(0);
		this.typed = [];
		this.tunnel.consumed("picture", this.waiting);
		this.waiting = 0;
	}
}
