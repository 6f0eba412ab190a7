// count: texts with a number in them, {count} as people write it and {n|one|other} by its value.

import { number } from "../format";
import { fill } from "./index";

export function count(text: string, n: number, more: Record<string, string> = {}): string {
	return fill(text, { count: number(n), n, ...more });
}
