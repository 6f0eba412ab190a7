// served: where this page came from, and so which gateways it is for.

import { workerText } from "worker-file";

/** The one file that a person keeps on the disk: nobody served it. */
export const isOffline = workerText !== "";

/** HOST:PORT of the gateways of this page, the one that served it first. Empty: the person has to say. A company that
 * serves the page itself puts a gateways.json beside it: {"gateways": ["gw.example.jp:443"]}. */
export async function gatewaysOfPage(): Promise<string[]> {
	if (isOffline) return [];
	const list = await ask();
	last = { list, atMs: Date.now() };
	return list;
}

const FRESH_MS = 10 * 60_000;
let last: { list: string[]; atMs: number } | null = null;

/** As gatewaysOfPage, but who clicks does not wait for an answer that has been given a moment ago. */
export async function gatewaysLately(): Promise<string[]> {
	return last?.list.length && Date.now() - last.atMs < FRESH_MS ? last.list : gatewaysOfPage();
}

async function ask(): Promise<string[]> {
	try {
		const told: unknown = await (await fetch("/gateways.json", { cache: "no-store" })).json();
		const { here, gateways } = told as { here?: unknown; gateways?: unknown };
		const listed = Array.isArray(gateways) ? gateways.filter((one) => typeof one === "string") : [];
		const own = here === true ? [`${location.hostname}:${location.port || "443"}`] : [];
		return [...new Set([...own, ...listed])];
	} catch {
		return [];
	}
}
