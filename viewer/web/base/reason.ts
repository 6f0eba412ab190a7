// reason: why something ended or was refused: one table for all programs, proto/base/reason.def.

import { reasons } from "tables";

export interface Reason {
	number: number;
	symbol: string;
	en: { message: string; hint: string };
	ja: { message: string; hint: string };
}

const table = reasons.map(
	([number, symbol, en, hintEn, ja, hintJa]): Reason => ({
		number,
		symbol,
		en: { message: en, hint: hintEn },
		ja: { message: ja, hint: hintJa },
	}),
);
const bySymbol = new Map(table.map((reason) => [reason.symbol, reason]));
const byNumber = new Map(table.map((reason) => [reason.number, reason]));

/** For symbols that stand in this program: a mistyped one is its mistake. */
export function reason(symbol: string): Reason {
	const found = bySymbol.get(symbol);
	if (!found) throw new Error(`no such reason: ${symbol}`);
	return found;
}

/** For numbers from outside: a later version may have more. */
export function reasonOf(number: number): Reason {
	return byNumber.get(number) ?? reason("INTERNAL");
}

/** What ends things; `detail` is for people. */
export class ReasonError extends Error {
	readonly reason: Reason;
	constructor(
		symbol: string,
		readonly detail = "",
	) {
		super(detail ? `${symbol}: ${detail}` : symbol);
		this.reason = reason(symbol);
	}
}

export function reasonFrom(error: unknown, otherwise: string): Reason {
	return error instanceof ReasonError ? error.reason : reason(otherwise);
}
