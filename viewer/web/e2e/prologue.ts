// prologue: the 64 bytes that both ends put under the handshake, each from what it sent and received itself:
// if a relay told them different things, no key comes out.

import { type Bytes, bytes, concat, integer, utf8 } from "../base/bytes";
import { ReasonError } from "../base/reason";

export const VERSION_MIN = 1;
export const VERSION_MAX = 1;

export type Purpose = "session" | "pairing";
/** As the wire has them. */
export const PURPOSE = { session: 1, pairing: 2 } as const;
export const PSK_KIND = { session: 2, pairing: 1 } as const;

export interface Prologue {
	purpose: Purpose;
	hostMin: number;
	hostMax: number;
	license: Bytes;
	session: Bytes;
	/** 0 outside pairing. */
	ticket: number;
}

export function prologue(of: Prologue): Bytes {
	const fits = of.license.length === 16 && of.session.length === 16 && of.hostMin <= of.hostMax;
	if (!fits || (of.purpose === "pairing") !== (of.ticket !== 0)) throw new ReasonError("E2E_FAILED");
	return concat(
		utf8("ENGAWA-1"),
		Uint8Array.of(1, PURPOSE[of.purpose], PSK_KIND[of.purpose], 0, VERSION_MIN, VERSION_MAX, of.hostMin, of.hostMax),
		of.license,
		of.session,
		integer(of.ticket, 4),
		bytes(12),
	);
}

/** The highest version that both speak. */
export function version(of: Prologue): number {
	const most = Math.min(VERSION_MAX, of.hostMax);
	if (most < VERSION_MIN || most < of.hostMin) throw new ReasonError("VERSION");
	return most;
}
