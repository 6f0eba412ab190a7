// journal_words: rows of the journal as people read them: what happened, why, and everything a row says.

import { events, hints, reasons } from "tables";

import { Badge, Facts, type Mood } from "../parts/basics";
import { Dialog, open } from "../parts/dialog";
import { bytes, duration, moment, utc } from "../format";
import { language } from "../settings";
import { named, w } from "../words";

export type JournalRow = Record<string, unknown> & { seq: number; at: string };

export function textOf(row: JournalRow, name: string): string {
	const value = row[name];
	if (value === undefined || value === null) return "";
	return typeof value === "object" ? JSON.stringify(value) : String(value);
}

export function numberOf(row: JournalRow, name: string): number {
	const value = row[name];
	return typeof value === "number" ? value : 0;
}

export function eventText(event: string): string {
	return Object.hasOwn(events, event) ? (events[event] as { en: string; ja: string })[language.get()] : event;
}

export function reasonText(symbol: string): string {
	if (!symbol || symbol === "NONE" || symbol === "OK") return "";
	return Object.hasOwn(reasons, symbol) ? (reasons[symbol] as { en: string; ja: string })[language.get()] : symbol;
}

/** What to do about a reason; "" for one that is not known. */
export function hintText(symbol: string): string {
	return Object.hasOwn(hints, symbol) ? (hints[symbol] as { en: string; ja: string })[language.get()] : "";
}

const MOODS: Record<string, Mood> = { info: "calm", notice: "info", warning: "warn", error: "bad" };

export function Severity(props: { row: JournalRow }) {
	const severity = textOf(props.row, "severity");
	return <Badge mood={MOODS[severity] ?? "calm"}>{named(w().audit.severities, severity)}</Badge>;
}

/** "2026-11-22T…" and numbers of bytes and ms in people's form; the rest as it is. */
function shown(name: string, value: unknown): string {
	if (typeof value === "string" && /^\d{4}-\d\d-\d\dT.*Z$/.test(value)) return `${moment(Date.parse(value))} (${utc(Date.parse(value))})`;
	if (typeof value === "number" && name.startsWith("bytes")) return bytes(value);
	if (typeof value === "number" && /(length|age|session)_ms$/.test(name)) return duration(value);
	return typeof value === "string" ? value : JSON.stringify(value);
}

/** Everything that is recorded, member by member. */
export function showRow(row: JournalRow, title: string): Promise<void> {
	return open<void>((done) => (
		<Dialog title={title} wide onClose={() => done()}>
			<Facts
				rows={Object.entries(row)
					.filter(([, value]) => value !== "" && value !== null)
					.map(([name, value]) => [named(w().journal, name), <span class="break">{shown(name, value)}</span>])}
			/>
		</Dialog>
	));
}

/** A day of the person's calendar as the gateway takes it; `to` is the last day that is meant. */
export function span(from: string, to: string): { from?: string; to?: string } {
	const start = from ? new Date(`${from}T00:00`) : null;
	const end = to ? new Date(`${to}T00:00`) : null;
	end?.setDate(end.getDate() + 1);
	return { from: start?.toISOString(), to: end?.toISOString() };
}

/** Rows come page by page, and nobody counts them before: there is more until the end was seen. */
export function soFar(rows: { rows: unknown[]; total: number | undefined }): number {
	return rows.total ?? rows.rows.length + 100;
}
