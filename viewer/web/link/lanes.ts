// lanes: the byte streams inside a tunnel, seen from the viewer: what is kept for sending, how far it was
// sent and acknowledged, how far the host's bytes were received and consumed.
//
//   head              sent               tail        positions in a lane, which only grow
//    |  in flight      |  not sealed yet  |
//
// A resumed session sets `sent` back to what the host has received; nothing is lost because nothing above
// head was forgotten. Control messages are kept and sent again whole.

import { type Bytes, concat } from "../base/bytes";
import { ReasonError } from "../base/reason";
import { type Lane, LANES } from "../e2e/seal";

const KiB = 1024;
const KEEP: Record<Lane, number> = {
	control: 64 * KiB,
	input: 256 * KiB,
	picture: 4096 * KiB,
	clipboard: 1024 * KiB + 64 * KiB,
	file: 256 * KiB,
};
const WINDOW: Record<Lane, number> = { ...KEEP, clipboard: 256 * KiB };

class Out {
	head = 0;
	sent = 0;
	tail = 0;
	/** What was written, piece by piece; the first begins at head. */
	private kept: Bytes[] = [];

	constructor(private readonly lane: Lane) {}

	get room(): number {
		return KEEP[this.lane] - (this.tail - this.head);
	}

	write(view: Bytes): void {
		this.kept.push(view);
		this.tail += view.length;
	}

	/** The next bytes that may be sealed: one message of the control lane, else at most `most`. */
	next(most: number): Bytes | null {
		const ready = Math.min(this.tail - this.sent, WINDOW[this.lane] - (this.sent - this.head));
		if (ready <= 0) return null;
		let at = this.head;
		for (const piece of this.kept) {
			if (this.sent < at + piece.length) {
				const part = piece.subarray(this.sent - at);
				if (this.lane === "control") return part.length <= ready ? part : null;
				return part.subarray(0, Math.min(part.length, ready, most));
			}
			at += piece.length;
		}
		return null;
	}

	private onBorder(position: number): boolean {
		let at = this.head;
		for (const piece of this.kept) {
			if (at >= position) break;
			at += piece.length;
		}
		return at === position;
	}

	plausible(position: number): boolean {
		const inside = position >= this.head && position <= this.sent;
		return inside && (this.lane !== "control" || this.onBorder(position));
	}

	release(position: number): void {
		let first = this.kept[0];
		while (first && this.head + first.length <= position) {
			this.head += first.length;
			first.fill(0);
			this.kept.shift();
			first = this.kept[0];
		}
		if (first && position > this.head) {
			this.kept[0] = first.slice(position - this.head);
			first.fill(0);
			this.head = position;
		}
	}

	forget(): void {
		for (const piece of this.kept) piece.fill(0);
		this.kept = [];
		this.head = this.sent = this.tail;
	}
}

class In {
	received = 0;
	consumed = 0;
	/** Of the last ACK. */
	told = 0;
}

export class Lanes {
	private readonly outs = Object.fromEntries(LANES.map((lane) => [lane, new Out(lane)])) as Record<Lane, Out>;
	private readonly ins = Object.fromEntries(LANES.map((lane) => [lane, new In()])) as Record<Lane, In>;

	/** Copies; false when the lane is full, and then nothing was taken. */
	write(lane: Lane, ...parts: Uint8Array[]): boolean {
		const view = concat(...parts);
		if (view.length > this.outs[lane].room) return false;
		if (view.length) this.outs[lane].write(view);
		return true;
	}

	room(lane: Lane): number {
		return this.outs[lane].room;
	}

	written(lane: Lane): number {
		return this.outs[lane].tail;
	}

	unacknowledged(lane: Lane): number {
		return this.outs[lane].tail - this.outs[lane].head;
	}

	received(lane: Lane): number {
		return this.ins[lane].received;
	}

	unsent(lane: Lane): number {
		return this.outs[lane].tail - this.outs[lane].sent;
	}

	/** Bytes to be sealed now, counted as sent. */
	take(lane: Lane, most: number): Bytes | null {
		const next = this.outs[lane].next(most);
		if (next) this.outs[lane].sent += next.length;
		return next;
	}

	acked(acks: ReadonlyMap<number, number>): void {
		for (const [lane, consumed] of acks) {
			const out = this.outs[LANES[lane] as Lane];
			if (!out.plausible(consumed)) throw new ReasonError("PROTOCOL", "acknowledged what was not sent");
			out.release(consumed);
		}
	}

	/** The host has received everything before these positions and wants the rest. */
	rewind(sequence: readonly number[]): boolean {
		const plausible = LANES.every((lane, i) => this.outs[lane].plausible(sequence[i] as number));
		if (plausible) for (const [i, lane] of LANES.entries()) this.outs[lane].sent = sequence[i] as number;
		return plausible;
	}

	arrived(lane: Lane, length: number): void {
		const into = this.ins[lane];
		if (into.received - into.consumed + length > WINDOW[lane]) throw new ReasonError("PROTOCOL", "more than the window");
		into.received += length;
	}

	consumed(lane: Lane, length: number): void {
		this.ins[lane].consumed += length;
	}

	/** A new leg: the last ACK may have been lost with the old one. */
	tellAgain(): void {
		for (const lane of LANES) this.ins[lane].told = 0;
	}

	/** What waits for an ACK: "bulk" is what the host measures the line by. */
	pending(): "bulk" | "other" | null {
		const waiting = LANES.filter((lane) => this.ins[lane].consumed !== this.ins[lane].told);
		if (waiting.includes("picture") || waiting.includes("clipboard")) return "bulk";
		return waiting.length ? "other" : null;
	}

	/** What the next ACK says; empty when the host knows it all. */
	acks(): Map<number, number> {
		const acks = new Map<number, number>();
		for (const [i, lane] of LANES.entries()) {
			const into = this.ins[lane];
			if (into.consumed === into.told) continue;
			acks.set(i, into.consumed);
			into.told = into.consumed;
		}
		return acks;
	}

	sequence(): number[] {
		return LANES.map((lane) => this.ins[lane].received);
	}

	forget(): void {
		for (const lane of LANES) this.outs[lane].forget();
	}
}
