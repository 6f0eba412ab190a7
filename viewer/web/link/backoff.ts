// backoff: how long to wait before the next attempt to reach a gateway (proto/link/backoff.h). A session waits for
// us: the first attempt at once, then every 0.25-1 s; without one 0.5-4.5 s, growing to 30 s. Every wait is drawn
// from its whole range. Time is an argument.

const FIRST_MIN_MS = 500;
const FIRST_MAX_MS = 4500;
const MAX_MS = 30_000;
const SESSION_FIRST_MS = 100;
const SESSION_MIN_MS = 250;
const SESSION_MAX_MS = 1000;
const STEADY_MS = 1000;

export type Pace = "idle" | "session";

export class Backoff {
	private attempts = 0;
	private upMs = -1;

	constructor(private readonly random: () => number = Math.random) {}

	/** `retryMs` is what the node asked for: never sooner than that, and up to a quarter later. */
	nextMs(pace: Pace, retryMs: number): number {
		const [least, most] = this.range(pace);
		let wait = this.between(least, most);
		this.attempts++;
		// A node tells many ends the same time: they must not come back in the same instant.
		if (retryMs > wait) wait = this.between(retryMs, retryMs * 1.25);
		return wait;
	}

	/** A leg is welcome. */
	up(nowMs: number): void {
		this.upMs = nowMs;
	}

	/** A leg is lost: one that lived for a second starts the row anew. */
	down(nowMs: number): void {
		if (this.upMs >= 0 && nowMs - this.upMs >= STEADY_MS) this.attempts = 0;
		this.upMs = -1;
	}

	/** The user, or a line that is there again, wants it now. */
	reset(): void {
		this.attempts = 0;
	}

	private range(pace: Pace): [number, number] {
		if (pace === "idle") return [FIRST_MIN_MS, Math.min(MAX_MS, FIRST_MAX_MS * 2 ** Math.min(this.attempts, 4))];
		return this.attempts ? [SESSION_MIN_MS, SESSION_MAX_MS] : [0, SESSION_FIRST_MS];
	}

	private between(least: number, most: number): number {
		return Math.round(least + this.random() * (most - least));
	}
}
