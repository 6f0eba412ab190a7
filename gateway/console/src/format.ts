// format: numbers, sizes and moments as people of the chosen language write them.

import { language } from "./settings";

const made = new Map<string, unknown>();

/** Intl's objects are dear to make and made again for every cell of a table otherwise. */
function once<T>(key: string, make: (locale: string) => T): T {
	const full = `${language.get()} ${key}`;
	let found = made.get(full) as T | undefined;
	if (found === undefined) {
		found = make(language.get() === "ja" ? "ja-JP" : "en-GB");
		made.set(full, found);
	}
	return found;
}

export function number(value: number, digits = 0): string {
	return once(`n${digits}`, (l) => new Intl.NumberFormat(l, { maximumFractionDigits: digits })).format(value);
}

const UNITS = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"] as const;

export function bytes(value: number, per = ""): string {
	let step = 0;
	for (; value >= 1000 && step < UNITS.length - 1; step++) value /= 1000;
	const unit = UNITS[step] as string;
	const digits = step && value < 100 ? 1 : 0;
	return once(
		`b${unit}${per}${digits}`,
		(l) =>
			new Intl.NumberFormat(l, {
				style: "unit",
				unit: per ? `${unit}-per-${per}` : unit,
				unitDisplay: step ? "short" : "narrow",
				maximumFractionDigits: digits,
			}),
	).format(value);
}

export function duration(ms: number): string {
	const unit = (name: string, value: number) =>
		once(
			`u${name}`,
			(l) => new Intl.NumberFormat(l, { style: "unit", unit: name, unitDisplay: "short" }),
		).format(value);
	const seconds = Math.floor(ms / 1000);
	if (seconds < 60) return unit("second", seconds);
	const minutes = Math.floor(seconds / 60);
	if (minutes < 60) return unit("minute", minutes);
	const hours = Math.floor(minutes / 60);
	if (hours < 48) return minutes % 60 ? `${unit("hour", hours)} ${unit("minute", minutes % 60)}` : unit("hour", hours);
	return unit("day", Math.floor(hours / 24));
}

export function moment(ms: number): string {
	return once(
		"m",
		(l) =>
			new Intl.DateTimeFormat(l, {
				year: "numeric",
				month: "2-digit",
				day: "2-digit",
				hour: "2-digit",
				minute: "2-digit",
				second: "2-digit",
			}),
	).format(ms);
}

export function minute(ms: number): string {
	return once(
		"i",
		(l) =>
			new Intl.DateTimeFormat(l, {
				year: "numeric",
				month: "2-digit",
				day: "2-digit",
				hour: "2-digit",
				minute: "2-digit",
			}),
	).format(ms);
}

export function day(ms: number): string {
	return once("d", (l) => new Intl.DateTimeFormat(l, { year: "numeric", month: "2-digit", day: "2-digit" })).format(ms);
}

export function clock(ms: number): string {
	return once("c", (l) => new Intl.DateTimeFormat(l, { hour: "2-digit", minute: "2-digit" })).format(ms);
}

export function utc(ms: number): string {
	return new Date(ms).toISOString().replace(/\.\d+Z$/, "Z");
}

/** "3 minutes ago", "in 2 days" */
export function ago(ms: number, now = Date.now()): string {
	const format = once("r", (l) => new Intl.RelativeTimeFormat(l, { numeric: "auto" }));
	const seconds = Math.round((ms - now) / 1000);
	const steps: [Intl.RelativeTimeFormatUnit, number][] = [
		["day", 86400],
		["hour", 3600],
		["minute", 60],
	];
	for (const [unit, size] of steps)
		if (Math.abs(seconds) >= size) return format.format(Math.trunc(seconds / size), unit);
	return format.format(seconds, "second");
}
