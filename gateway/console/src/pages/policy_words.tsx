// policy_words: a policy as people read it, member by member (rules/policy.h).

import type { ComponentChildren } from "preact";

import type { PolicyBody } from "../api/types";
import { Empty, Facts, When } from "../parts/basics";
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

/** What holds at once has one set per level that restricts it; a level has its ranges alone. */
interface Hours {
	ranges: Range[];
	zone?: string;
	offset?: string;
}

function hours(value: unknown): ComponentChildren {
	const sets = (Array.isArray(value) ? value : [value]) as (Partial<Range> & Partial<Hours>)[];
	return sets.flatMap((one, index) => {
		const zone = one.zone ?? one.offset;
		return (one.ranges ?? [one as Range]).map((range) => {
			const text = Array.isArray(range.days) ? rangeText(range) : JSON.stringify(range);
			return <div key={`${index} ${text}`}>{zone ? `${text} (${zone})` : text}</div>;
		});
	});
}

/** Likewise: one set of networks per level that restricts them. */
function addresses(value: unknown): ComponentChildren {
	const sets = (Array.isArray(value) ? value : [value]) as (string | { networks?: string[] })[];
	return sets.map((one) => {
		const text = typeof one === "string" ? one : (one.networks ?? []).join(w().policy.and);
		return <div key={text}>{text}</div>;
	});
}

function valueOf(name: string, value: unknown): ComponentChildren {
	const words = w().policy;
	if (name === "rights") return list(value, words.right_names) || w().state.none;
	if (name === "viewer_kinds") return list(value, words.kind_names);
	if (name === "addresses") return addresses(value);
	if (name === "hours") return hours(value);
	if (name === "until_ms") return <When ms={Number(value)} />;
	if (name.endsWith("_ms") && typeof value === "number") return value ? duration(value) : words.no_limit;
	if (name.endsWith("_bytes") && typeof value === "number") return value ? bytes(value) : words.no_limit;
	if (typeof value === "boolean") return value ? w().state.yes : w().state.no;
	if (typeof value === "number") return value ? number(value) : words.no_limit;
	if (Array.isArray(value)) return list(value, {});
	return typeof value === "string" ? value : JSON.stringify(value);
}

export function PolicyFacts(props: { policy: PolicyBody }) {
	// Beside NAME_ms stands NAME as text, for people without a console.
	const entries = Object.entries(props.policy).filter(([name]) => !(`${name}_ms` in props.policy));
	if (!entries.length) return <Empty text={w().licenses.policy_none} />;
	return <Facts rows={entries.map(([name, value]) => [named(w().policy.members, name), valueOf(name, value)])} />;
}
