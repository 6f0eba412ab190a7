// news: the operator's notices as an end shows them (proto/link/news.h): the planned stop that is next, else the
// first one that is not over. Whatever a gateway sends: what cannot be understood is left out.

import { language } from "../../../gateway/console/src/settings";
import { moment } from "../../../gateway/console/src/format";
import { fill, w } from "./words";

interface Item {
	kind: "planned_stop" | "end_of_service" | "other";
	fromMs: number;
	toMs: number;
	en: string;
	ja: string;
}

function read(found: unknown): Item | null {
	if (typeof found !== "object" || found === null) return null;
	const { kind, from_ms, to_ms, text } = found as Record<string, unknown>;
	const texts = (typeof text === "object" && text !== null ? text : {}) as Record<string, unknown>;
	const string = (value: unknown) => (typeof value === "string" ? value : "");
	const time = (value: unknown) => (typeof value === "number" && value > 0 && value < 253402300800000 ? value : 0);
	const item: Item = {
		kind: kind === "planned_stop" || kind === "end_of_service" ? kind : "other",
		fromMs: time(from_ms),
		toMs: time(to_ms),
		en: string(texts.en),
		ja: string(texts.ja),
	};
	return item.en || item.ja ? item : null;
}

/** One line, "" when there is nothing to say. */
export function newsLine(notices: Record<string, unknown>, nowMs: number): string {
	const given = Array.isArray(notices.items) ? notices.items : [];
	const items = given.map(read).filter((item) => item !== null && !(item.toMs && nowMs >= item.toMs)) as Item[];
	const stops = items.filter((item) => item.kind === "planned_stop").sort((a, b) => a.fromMs - b.fromMs);
	const item = stops[0] ?? items[0];
	if (!item) return "";
	const text = language.get() === "ja" ? item.ja || item.en : item.en || item.ja;
	const from = item.fromMs ? moment(item.fromMs) : "";
	const when = from && item.toMs ? fill(w().news.until, { from, to: moment(item.toMs) }) : from;
	return [w().news[item.kind], when, text].filter(Boolean).join(": ");
}
