// usage: bytes and sessions over time. The gateway tells only the steps in which something happened;
// a chart needs the empty ones, too.

import { get } from "./client";
import type { Usage } from "./types";

export type Step = "hour" | "day" | "month";

const HOUR_MS = 3600000;

/** The beginning of the next step; months are as long as they are, and all steps are UTC's. */
function next(ms: number, step: Step): number {
	if (step === "hour") return ms + HOUR_MS;
	if (step === "day") return ms + 24 * HOUR_MS;
	const date = new Date(ms);
	return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1);
}

function first(ms: number, step: Step): number {
	if (step === "hour") return ms - (ms % HOUR_MS);
	if (step === "day") return ms - (ms % (24 * HOUR_MS));
	const date = new Date(ms);
	return Date.UTC(date.getUTCFullYear(), date.getUTCMonth());
}

/** Of one license, one tenant, or all one may see; from (inclusive) to (exclusive). */
export async function usage(who: { license?: string; tenant?: string }, from: number, to: number, step: Step, signal?: AbortSignal): Promise<Usage> {
	const begin = first(from, step);
	const found = await get<Usage>("/usage", { ...who, from: new Date(begin).toISOString(), to: new Date(to).toISOString(), step }, signal);
	const known = new Map(found.points.map((point) => [first(point[0], step), point]));
	const points: Usage["points"] = [];
	for (let at = begin; at < to; at = next(at, step)) points.push(known.get(at) ?? [at, 0, 0, 0, 0]);
	return { ...found, points };
}

export function isEmpty(found: Usage): boolean {
	return !found.points.some((point) => point[1] || point[2] || point[3]);
}
