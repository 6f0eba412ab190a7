// policy_words: a policy as people read it, member by member (rules/policy.h).

import type { ComponentChildren } from "preact";

import type { PolicyBody } from "../api/types";
import { Empty, Facts } from "../parts/basics";
import { bytes, duration, number } from "../format";
import { named, w } from "../words";

interface Range {
	days: string[];
	from: string;
	to: string;
}

/** "Mon, Tue 08:00–20:00" */
function rangeText(range: Range): string {
	const words = w().policy;
	return `${range.days.map((day) => named(words.day_names, day)).join(words.and)} ${range.from}–${range.to}`;
}

function list(value: unknown, table: Record<string, string>): string {
	return Array.isArray(value) ? value.map((one) => (typeof one === "string" ? named(table, one) : JSON.stringify(one))).join(w().policy.and) : String(value);
}

function hours(value: unknown): ComponentChildren {
	if (!Array.isArray(value)) return JSON.stringify(value);
	return value.map((one: unknown) => {
		const range = one as Partial<Range>;
		const text = Array.isArray(range.days) && range.from && range.to ? rangeText(range as Range) : JSON.stringify(one);
		return <div key={text}>{text}</div>;
	});
}

function valueOf(name: string, value: unknown): ComponentChildren {
	const words = w().policy;
	if (name === "rights") return list(value, words.right_names) || w().state.none;
	if (name === "viewer_kinds") return list(value, words.kind_names);
	if (name === "hours") return hours(value);
	if (name.endsWith("_ms") && typeof value === "number") return value ? duration(value) : words.no_limit;
	if (name.endsWith("_bytes") && typeof value === "number") return value ? bytes(value) : words.no_limit;
	if (typeof value === "boolean") return value ? w().state.yes : w().state.no;
	if (typeof value === "number") return value ? number(value) : words.no_limit;
	if (Array.isArray(value)) return list(value, {});
	return typeof value === "string" ? value : JSON.stringify(value);
}

export function PolicyFacts(props: { policy: PolicyBody }) {
	const entries = Object.entries(props.policy);
	if (!entries.length) return <Empty text={w().licenses.policy_none} />;
	return <Facts rows={entries.map(([name, value]) => [named(w().policy.members, name), valueOf(name, value)])} />;
}
