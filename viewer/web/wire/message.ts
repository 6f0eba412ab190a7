// message: the control messages between an end and a node, one JSON object each (proto/wire/messages.def).
// Unknown members are ignored; a needed one that is absent, or one of the wrong kind or size, is BAD_MESSAGE.

import { messages } from "tables";
import { base64url, type Bytes, bytes, isZero, text, unbase64url, utf8 } from "../base/bytes";
import { ReasonError } from "../base/reason";
import { writeFrame } from "./frame";

export type Value = number | string | Bytes | Record<string, unknown>;
export type Message = Record<string, Value>;

const DEPTH = 8;
const byNumber = new Map(Object.entries(messages).map(([name, row]) => [row.number, name]));

export function messageName(type: number): string | undefined {
	return byNumber.get(type);
}

export function writeMessage(name: string, message: Message): Bytes {
	const row = messages[name];
	if (!row) throw new Error(`no such message: ${name}`);
	const object: Record<string, unknown> = {};
	for (const [field, kind] of row.fields) {
		const value = message[field];
		if (value === undefined || (kind === "BIN" && isZero(value as Bytes))) continue;
		object[field] = kind === "BIN" ? base64url(value as Bytes) : value;
	}
	return writeFrame(row.number, utf8(JSON.stringify(object)));
}

function depth(value: unknown): number {
	if (typeof value !== "object" || value === null) return 0;
	return 1 + Math.max(0, ...Object.values(value).map(depth));
}

function check(kind: string, size: number, value: unknown): Value | null {
	if (kind === "NUM") return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= size ? (value as number) : null;
	if (kind === "OBJ") {
		const object = typeof value === "object" && value !== null && !Array.isArray(value);
		return object && JSON.stringify(value).length <= size ? (value as Record<string, unknown>) : null;
	}
	if (typeof value !== "string" || value.includes("\0")) return null;
	if (kind === "STR") return utf8(value).length <= size ? value : null;
	const found = unbase64url(value);
	return found?.length === size ? found : null;
}

const empty: Record<string, (size: number) => Value> = {
	NUM: () => 0,
	STR: () => "",
	BIN: (size) => bytes(size),
	OBJ: () => ({}),
};

export function parseMessage(name: string, payload: Bytes): Message {
	let object: unknown;
	try {
		object = JSON.parse(text(payload));
	} catch {
		throw new ReasonError("BAD_MESSAGE", name);
	}
	if (typeof object !== "object" || object === null || Array.isArray(object) || depth(object) > DEPTH)
		throw new ReasonError("BAD_MESSAGE", name);
	const message: Message = {};
	for (const [field, kind, size, needed] of messages[name]?.fields ?? []) {
		const given = Object.hasOwn(object, field) ? (object as Record<string, unknown>)[field] : undefined;
		const value = given === undefined ? null : check(kind, size, given);
		if (value === null && (needed || given !== undefined)) throw new ReasonError("BAD_MESSAGE", `${name}.${field}`);
		message[field] = value ?? (empty[kind] as (size: number) => Value)(size);
	}
	return message;
}
