// words: every text that people read on the page, in the chosen language. Values go into {names}.

import { language } from "../../../../gateway/console/src/settings";
import { type Words, en } from "./en";
import { ja } from "./ja";

export type { Words };

export function w(): Words {
	return language.get() === "ja" ? ja : en;
}

export function fill(text: string, values: Record<string, string | number>): string {
	return text.replace(/\{(\w+)\}/g, (all, name: string) => String(values[name] ?? all));
}
