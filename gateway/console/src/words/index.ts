// words: every text that people read, in the chosen language. w() is the table; fill() puts values
// into {names}; {n|one|other} chooses by number.

import { language } from "../settings";
import { type Words, en } from "./en";
import { ja } from "./ja";

export type { Words };

export function w(): Words {
	return language.get() === "ja" ? ja : en;
}

/** A table whose members are looked up by what the gateway says: an unknown one is shown as it is. */
export function named(table: Record<string, string>, name: string | undefined): string {
	if (!name) return "";
	return Object.hasOwn(table, name) ? (table[name] as string) : name;
}

export function fill(text: string, values: Record<string, string | number>): string {
	return text.replace(/\{(\w+)(?:\|([^|}]*)\|([^}]*))?\}/g, (all, name: string, one?: string, other?: string) => {
		const value = values[name];
		if (value === undefined) return all;
		if (one === undefined) return String(value);
		return new Intl.PluralRules("en").select(Number(value)) === "one" ? one : (other as string);
	});
}
