// pins: what pairing left behind: the office PC's key and the psk of every later session (proto/e2e/pins.h,
// pin_rules.h).

import { type Bytes, equal } from "../base/bytes";
import { ReasonError } from "../base/reason";

const ROTATION_MS = 30 * 86_400_000;

export interface Pin {
	key: Bytes;
	/** Wrapped under the identity. */
	psk: Bytes;
	/** Accepted until oldUntilMs. */
	oldKey: Bytes | null;
	oldUntilMs: number;
	pairedMs: number;
}

/** A changed key is refused, never a question to click away. */
export function acceptHost(pin: Pin | null, key: Bytes, nowMs: number): void {
	if (!pin) throw new ReasonError("NOT_PAIRED");
	const old = pin.oldKey !== null && nowMs < pin.oldUntilMs && equal(pin.oldKey, key);
	if (!equal(pin.key, key) && !old) throw new ReasonError("HOST_KEY_CHANGED");
}

/** The host announced `key` in an authenticated session: the one before stays valid for 30 days. */
export function rotate(pin: Pin, key: Bytes, nowMs: number): Pin {
	if (equal(pin.key, key)) return pin;
	return { ...pin, oldKey: pin.key, key, oldUntilMs: nowMs + ROTATION_MS };
}
