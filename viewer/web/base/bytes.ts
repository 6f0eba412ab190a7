// bytes: arrays of bytes, as the protocol writes them: big-endian integers, base64url, hex, UTF-8.

export type Bytes = Uint8Array<ArrayBuffer>;

export function bytes(length: number): Bytes {
	return new Uint8Array(length);
}

export function concat(...parts: readonly Uint8Array[]): Bytes {
	const all = bytes(parts.reduce((sum, part) => sum + part.length, 0));
	let at = 0;
	for (const part of parts) {
		all.set(part, at);
		at += part.length;
	}
	return all;
}

/** Does not tell by its time where the difference is. */
export function equal(one: Uint8Array, other: Uint8Array): boolean {
	if (one.length !== other.length) return false;
	let difference = 0;
	for (let i = 0; i < one.length; i++) difference |= (one[i] as number) ^ (other[i] as number);
	return difference === 0;
}

export function isZero(view: Uint8Array): boolean {
	let any = 0;
	for (const byte of view) any |= byte;
	return any === 0;
}

/** Beyond 2^53 nothing of the protocol counts; an integer up there is refused where it is read. */
export function integer(value: number, size: number): Bytes {
	const written = bytes(size);
	for (let at = size - 1, rest = value; at >= 0; at--) {
		written[at] = rest % 256;
		rest = Math.floor(rest / 256);
	}
	return written;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export function utf8(text: string): Bytes {
	return encoder.encode(text) as Bytes;
}

/** Throws on what is not UTF-8. */
export function text(view: Uint8Array): string {
	return decoder.decode(view);
}

export function hex(view: Uint8Array): string {
	return Array.from(view, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export function unhex(digits: string): Bytes {
	return Uint8Array.from(digits.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

export function base64url(view: Uint8Array): string {
	let binary = "";
	for (const byte of view) binary += String.fromCharCode(byte);
	return btoa(binary).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

/** RFC 4648 section 5, without padding; null for everything else. */
export function unbase64url(digits: string): Bytes | null {
	if (!/^[A-Za-z0-9_-]*$/.test(digits) || digits.length % 4 === 1) return null;
	const binary = atob(digits.replace(/-/g, "+").replace(/_/g, "/"));
	const found = Uint8Array.from(binary, (char) => char.charCodeAt(0));
	return base64url(found) === digits ? found : null;
}
