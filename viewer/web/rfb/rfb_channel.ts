// rfb_channel: what noVNC takes for a WebSocket: one picture stream of the tunnel. RFB stays inside the page; what
// leaves it is sealed.
//
// noVNC looks for these members, by these names, on the object itself.

import type { Bytes } from "../base/bytes";
import { Greeting, greeting, type Size } from "./rfb_greeting";

export class RfbChannel {
	binaryType = "arraybuffer";
	protocol = "";
	readyState: "open" | "closed" = "open";
	onopen: (() => void) | null = null;
	onmessage: ((event: { data: ArrayBuffer }) => void) | null = null;
	onclose: ((event: { code: number; reason: string; wasClean: boolean }) => void) | null = null;
	onerror: (() => void) | null = null;
	/** Given to noVNC and not reported as drawn. */
	private delivered = 0;
	private readonly greeting: Greeting;

	constructor(
		private readonly size: Size,
		private readonly out: { input(view: Bytes): void; drawn(length: number): void },
	) {
		this.greeting = new Greeting(size);
	}

	/** noVNC is ready: it need not wait for the host to begin. */
	greet(): void {
		for (const { buffer } of greeting(this.size)) this.onmessage?.({ data: buffer });
	}

	/** noVNC uses its memory again. */
	send(view: Uint8Array | ArrayBuffer): void {
		if (this.readyState === "open") this.out.input(new Uint8Array(view).slice() as Bytes);
	}

	close(): void {
		if (this.readyState === "closed") return;
		this.readyState = "closed";
		// noVNC is not done with closing before it hears of it, as with a real one.
		setTimeout(() => this.onclose?.({ code: 1000, reason: "", wasClean: true }));
	}

	deliver(view: Bytes): void {
		if (this.readyState === "closed") return;
		let rest: Bytes;
		try {
			rest = this.greeting.take(view);
		} catch {
			return this.close();
		}
		this.delivered += view.length;
		if (rest.length) this.onmessage?.({ data: rest.buffer });
		else this.settle(0);
	}

	/** `waiting`: bytes that noVNC holds and has not drawn. */
	settle(waiting: number): void {
		const drawn = this.delivered - waiting;
		if (drawn <= 0) return;
		this.delivered = waiting;
		this.out.drawn(drawn);
	}
}
