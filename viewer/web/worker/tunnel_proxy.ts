// tunnel_proxy: the page's side of the worker: one session.

import type { Bytes } from "../base/bytes";
import type { Place } from "../store/places";
import type { FromWorker, ToWorker } from "./messages";
import { startWorker } from "./worker_start";

const LAST_WORD_MS = 1000;

export class TunnelProxy {
	private readonly worker: Worker;
	private clips = new Map<number, (sent: boolean) => void>();
	private clipNumber = 0;
	private over = false;

	constructor(private readonly heard: (message: FromWorker) => void) {
		this.worker = startWorker();
		this.worker.onmessage = (event: MessageEvent<FromWorker>) => this.take(event.data);
		this.worker.onerror = (event) => {
			// A mistake of the program must not look like a line that hangs.
			event.preventDefault();
			this.take({ type: "ended", why: "INTERNAL", detail: event.message ?? "", retryMs: 0 });
		};
	}

	start(asked: { place: Place; password: string; totp: string; ticket: string }): void {
		this.say({ type: "start", ...asked, program: "engawa-web" });
	}

	say(message: Exclude<ToWorker, { type: "clip" | "input" }>): void {
		if (!this.over) this.worker.postMessage(message);
	}

	input(stream: number, view: Bytes): void {
		if (!this.over) this.worker.postMessage({ type: "input", stream, view } satisfies ToWorker, [view.buffer]);
	}

	/** Resolves when the office PC has it; false when it was not sent. */
	clip(text: string): Promise<boolean> {
		if (this.over) return Promise.resolve(false);
		const number = ++this.clipNumber;
		return new Promise((resolve) => {
			this.clips.set(number, resolve);
			this.worker.postMessage({ type: "clip", number, text } satisfies ToWorker);
		});
	}

	private take(message: FromWorker): void {
		if (this.over) return;
		if (message.type === "clip_done") {
			this.clips.get(message.number)?.(message.sent);
			this.clips.delete(message.number);
			return;
		}
		if (message.type === "ended") this.end();
		this.heard(message);
	}

	private end(): void {
		this.over = true;
		for (const resolve of this.clips.values()) resolve(false);
		this.clips.clear();
		// The last word to the gateway may still be on its way out.
		setTimeout(() => this.worker.terminate(), LAST_WORD_MS);
	}
}
