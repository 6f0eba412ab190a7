// events: what changes elsewhere reaches this page by server-sent events. One tab of the browser
// listens and tells the others: a browser opens few connections to one gateway.

import { cell } from "../cell";

export interface News {
	type: string;
	id: string;
	tenant: string;
	act: string;
	license?: string;
}

/** "open": all that is shown is told of changes; "broken": it may be old. */
export const line = cell<"starting" | "open" | "broken">("starting");

type Listener = (news: News) => void;
const listeners = new Set<Listener>();

/** After a gap nobody knows what was missed: then everybody hears of everything. */
const GAP: News = { type: "*", id: "", tenant: "", act: "gap" };

interface Message {
	news?: News;
	line?: "open" | "broken";
}

let stop: (() => void) | null = null;

function hear(message: Message) {
	if (message.line) line.set(message.line);
	if (message.news) tell(message.news);
}

function tell(news: News) {
	for (const listener of [...listeners]) listener(news);
}

/** Streams end now and then by design; only a gap of this length is spoken of. */
const PATIENCE_MS = 4000;
const RETRY_MS = 5000;

/** Listens until `signal` ends it. The browser connects again by itself unless it was refused. */
function lead(send: (message: Message) => void, signal: AbortSignal): Promise<void> {
	return new Promise((resolve) => {
		let now: EventSource | null = null;
		const sources = new Set<EventSource>();
		const close = (source: EventSource) => {
			source.close();
			sources.delete(source);
		};
		let gap = 0;
		let again = 0;
		let missed = false;
		const broken = () => {
			missed = true;
			gap ||= window.setTimeout(() => send({ line: "broken" }), PATIENCE_MS);
		};
		const open = () => {
			const source = new EventSource("/api/v1/events");
			sources.add(source);
			source.addEventListener("hello", () => {
				clearTimeout(gap);
				gap = 0;
				if (now && now !== source) close(now);
				now = source;
				send({ line: "open" });
				if (missed) send({ news: GAP });
				missed = false;
			});
			source.addEventListener("news", (event) => {
				if (now === source) send({ news: JSON.parse((event as MessageEvent).data) as News });
			});
			// Before a stream ends its successor is there: nothing is missed between them.
			source.addEventListener("renew", open, { once: true });
			source.onerror = () => {
				if (now && now !== source && source.readyState !== EventSource.CLOSED) return;
				broken();
				if (source.readyState !== EventSource.CLOSED) return;
				close(source);
				again = window.setTimeout(open, RETRY_MS);
				refused();
			};
		};
		signal.addEventListener("abort", () => {
			clearTimeout(again);
			clearTimeout(gap);
			for (const source of [...sources]) close(source);
			resolve();
		});
		open();
	});
}

/** A stream that was refused may mean that nobody is signed in any more: this asks. */
let refused: () => void = () => undefined;

export function onRefused(act: () => void) {
	refused = act;
}

export function listen() {
	if (stop) return;
	const end = new AbortController();
	const channel = new BroadcastChannel("engawa");
	channel.onmessage = (event) => {
		const message = event.data as Message | "line?";
		if (message !== "line?") hear(message);
		else if (leading) channel.postMessage({ line: line.get() });
	};
	let leading = false;
	const send = (message: Message) => {
		hear(message);
		channel.postMessage(message);
	};
	navigator.locks
		.request("engawa.events", { signal: end.signal }, () => {
			leading = true;
			return lead(send, end.signal);
		})
		.catch(() => undefined);
	channel.postMessage("line?");
	stop = () => {
		end.abort();
		channel.close();
		line.set("starting");
		stop = null;
	};
}

export function quiet() {
	stop?.();
}

/** Calls `act` for news of these types. */
export function onNews(types: string[], act: Listener): () => void {
	const listener: Listener = (news) => {
		if (news.type === "*" || types.includes(news.type)) act(news);
	};
	listeners.add(listener);
	return () => void listeners.delete(listener);
}
