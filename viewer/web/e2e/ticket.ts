// ticket: the pairing code: 25 Crockford characters. 24 of them carry kind 4 | ticket id 20 | secret 96 bits,
// the last one makes the sum of d[i] * a^(24-i) zero in GF(32), a = 2 modulo x^5 + x^2 + 1: a mistyped or
// exchanged character is found before a try is spent.

import { type Bytes, bytes, concat, integer, utf8 } from "../base/bytes";
import { packed, uncrockford } from "../base/crockford";
import { ReasonError } from "../base/reason";
import { pbkdf2, sha256 } from "./primitives";

export interface Ticket {
	id: number;
	secret: Bytes;
}

const CHARS = 25;
const PAIRING = 1;
const ROUNDS = 600_000;

function timesA(value: number): number {
	return value & 16 ? ((value << 1) & 31) ^ 5 : value << 1;
}

export function ticket(text: string): Ticket {
	const values = uncrockford(text, CHARS);
	if (!values || values.reduce((sum, value) => timesA(sum) ^ value, 0) !== 0)
		throw new ReasonError("TICKET_MALFORMED");
	const data = packed(values.slice(0, CHARS - 1));
	const [first = 0, second = 0, third = 0] = data;
	const id = ((first & 15) << 16) | (second << 8) | third;
	if (first >> 4 !== PAIRING || id === 0) throw new ReasonError("TICKET_MALFORMED");
	return { id, secret: data.slice(3) };
}

/** The 16 bytes that stand for a license inside the tunnel. */
export async function licenseId(publicId: string): Promise<Bytes> {
	return (await sha256(utf8(`ENGAWA license${publicId}`))).slice(0, 16);
}

/** ticket_psk; takes about a third of a second. */
export async function stretch(from: Ticket, license: Bytes): Promise<Bytes> {
	return pbkdf2(from.secret, concat(utf8("ENGAWA-1 ticket"), bytes(1), integer(from.id, 4), license), ROUNDS);
}
