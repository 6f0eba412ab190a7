// clip_lane: clipboard texts on the clipboard lane: u32 length and so many bytes of UTF-8 (proto/link/clip_lane.h).
// A text that is being sent is finished before the next; of those that wait only the newest is kept.

import { type Bytes, bytes, concat, integer, text as decoded, utf8 } from "../base/bytes";
import { ReasonError } from "../base/reason";
import type { Tunnel } from "./tunnel";

const HEAD = 4;
const MAX = 1024 * 1024;

export class ClipLane {
	private next: Bytes | null = null;
	private head: Bytes = bytes(0);
	private body: Bytes | null = null;
	private filled = 0;

	constructor(
		private readonly tunnel: Tunnel,
		private readonly arrived: (text: string) => void,
	) {}

	/** False: longer than may be sent. */
	send(text: string): boolean {
		const body = utf8(text);
		if (body.length > MAX) return false;
		this.next?.fill(0);
		this.next = concat(integer(body.length, HEAD), body);
		body.fill(0);
		this.room();
		return true;
	}

	/** Everything has reached the host. */
	get sent(): boolean {
		return !this.next && this.tunnel.unacknowledged("clipboard") === 0;
	}

	room(): void {
		if (!this.next || !this.tunnel.write("clipboard", this.next)) return;
		this.next.fill(0);
		this.next = null;
	}

	/** From the clipboard lane. All of it is in memory of ours that is bounded already: consumed. */
	bytes(view: Bytes): void {
		this.tunnel.consumed("clipboard", view.length);
		for (let rest = view; rest.length || this.body?.length === 0; ) rest = this.body ? this.takeBody(rest) : this.takeHead(rest);
	}

	private takeHead(view: Bytes): Bytes {
		const part = view.subarray(0, HEAD - this.head.length);
		this.head = concat(this.head, part);
		if (this.head.length === HEAD) {
			const length = this.head.reduce((sum, byte) => sum * 256 + byte, 0);
			if (length > MAX) throw new ReasonError("LIMIT");
			this.body = bytes(length);
			this.filled = 0;
		}
		return view.subarray(part.length);
	}

	private takeBody(view: Bytes): Bytes {
		const body = this.body as Bytes;
		const part = view.subarray(0, body.length - this.filled);
		body.set(part, this.filled);
		this.filled += part.length;
		if (this.filled === body.length) this.whole(body);
		return view.subarray(part.length);
	}

	private whole(body: Bytes): void {
		this.body = null;
		this.head = bytes(0);
		let found: string;
		try {
			found = decoded(body);
		} catch {
			throw new ReasonError("BAD_MESSAGE", "not UTF-8");
		}
		body.fill(0);
		this.arrived(found);
	}
}
