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
	if (message.line) {
		const was = line.get();
		line.set(message.line);
		if (message.line === "open" && was === "broken") tell(GAP);
	}
	if (message.news) tell(message.news);
}

function tell(news: News) {
	for (const listener of [...listeners]) listener(news);
}

/** Listens until `signal` ends it. The browser connects again by itself unless it was refused. */
function lead(send: (message: Message) => void, signal: AbortSignal): Promise<void> {
	return new Promise((resolve) => {
		let source: EventSource | null = null;
		let again = 0;
		const open = () => {
			source = new EventSource("/api/v1/events");
			source.addEventListener("hello", () => send({ line: "open" }));
			source.addEventListener("news", (event) => send({ news: JSON.parse((event as MessageEvent).data) as News }));
			source.onerror = () => {
				send({ line: "broken" });
				if (source?.readyState !== EventSource.CLOSED) return;
				again = window.setTimeout(open, 5000);
			};
		};
		signal.addEventListener("abort", () => {
			clearTimeout(again);
			source?.close();
			resolve();
		});
		open();
	});
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
