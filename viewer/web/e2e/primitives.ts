// primitives: the cryptography of the tunnel, all of it WebCrypto's. There is no curve and no cipher in
// JavaScript here: a browser that lacks one of these functions is told which, and does not connect.

import { type Bytes, bytes, concat, integer, isZero } from "../base/bytes";

export const KEY = 32;
export const TAG = 16;

const subtle = globalThis.crypto?.subtle;

export class CryptoError extends Error {}

export interface Pair {
	/** May be non-extractable: it is used, never read. */
	secret: CryptoKey;
	key: Bytes;
}

/** The names of what this browser lacks; empty when everything is there. */
export async function missing(): Promise<string[]> {
	if (!subtle) return ["WebCrypto (a page over https)"];
	const lacks: string[] = [];
	const attempt = async (name: string, act: () => Promise<unknown>) => {
		try {
			await act();
		} catch {
			lacks.push(name);
		}
	};
	await attempt("X25519", () => subtle.generateKey({ name: "X25519" }, false, ["deriveBits"]));
	await attempt("Ed25519", () => subtle.generateKey({ name: "Ed25519" }, false, ["sign", "verify"]));
	await attempt("AES-GCM", async () => sealer(bytes(KEY)));
	await attempt("HMAC-SHA-256", () => hmac(bytes(KEY), bytes(0)));
	await attempt("PBKDF2", () => pbkdf2(bytes(8), bytes(8), 1));
	return lacks;
}

export function random(length: number): Bytes {
	return crypto.getRandomValues(bytes(length));
}

export async function sha256(view: Bytes): Promise<Bytes> {
	return new Uint8Array(await subtle.digest("SHA-256", view));
}

export async function hmac(key: Bytes, view: Bytes): Promise<Bytes> {
	const made = await subtle.importKey("raw", key, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
	return new Uint8Array(await subtle.sign("HMAC", made, view));
}

/** HKDF of Noise revision 34 section 4.3: two or three outputs. */
export async function hkdf(chaining: Bytes, material: Bytes, outputs: 2 | 3): Promise<Bytes[]> {
	const secret = await hmac(chaining, material);
	const found: Bytes[] = [];
	for (let n = 1; n <= outputs; n++)
		found.push(await hmac(secret, concat(found[n - 2] ?? bytes(0), integer(n, 1))));
	secret.fill(0);
	return found;
}

export async function pbkdf2(secret: Bytes, salt: Bytes, rounds: number): Promise<Bytes> {
	const key = await subtle.importKey("raw", secret, "PBKDF2", false, ["deriveBits"]);
	const algorithm = { name: "PBKDF2", hash: "SHA-256", salt, iterations: rounds };
	return new Uint8Array(await subtle.deriveBits(algorithm, key, KEY * 8));
}

export async function x25519Generate(extractable = false): Promise<Pair> {
	const pair = (await subtle.generateKey({ name: "X25519" }, extractable, ["deriveBits"])) as CryptoKeyPair;
	return { secret: pair.privateKey, key: new Uint8Array(await subtle.exportKey("raw", pair.publicKey)) };
}

/** RFC 7748; a shared secret of zeros comes from a bad public key and is refused. */
export async function x25519(secret: CryptoKey, remote: Bytes): Promise<Bytes> {
	try {
		const key = await subtle.importKey("raw", remote, { name: "X25519" }, true, []);
		const shared = new Uint8Array(await subtle.deriveBits({ name: "X25519", public: key }, secret, KEY * 8));
		if (!isZero(shared)) return shared;
	} catch {
		// The same answer for all: nobody outside learns which.
	}
	throw new CryptoError("x25519");
}

export async function ed25519Generate(): Promise<Pair> {
	const pair = (await subtle.generateKey({ name: "Ed25519" }, false, ["sign", "verify"])) as CryptoKeyPair;
	return { secret: pair.privateKey, key: new Uint8Array(await subtle.exportKey("raw", pair.publicKey)) };
}

export async function ed25519Sign(secret: CryptoKey, view: Bytes): Promise<Bytes> {
	return new Uint8Array(await subtle.sign({ name: "Ed25519" }, secret, view));
}

/** AES-256-GCM with the nonces of Noise: 4 zero bytes, 64-bit counter, big-endian. */
export interface Sealer {
	seal(counter: bigint, extra: Bytes, plain: Bytes): Promise<Bytes>;
	open(counter: bigint, extra: Bytes, sealed: Bytes): Promise<Bytes>;
}

function gcm(counter: bigint, extra: Bytes): AesGcmParams {
	const iv = bytes(12);
	new DataView(iv.buffer).setBigUint64(4, counter);
	return { name: "AES-GCM", iv, additionalData: extra, tagLength: TAG * 8 };
}

export async function sealer(key: Bytes): Promise<Sealer> {
	const made = await subtle.importKey("raw", key, { name: "AES-GCM" }, false, ["encrypt", "decrypt"]);
	return {
		seal: async (counter, extra, plain) => new Uint8Array(await subtle.encrypt(gcm(counter, extra), made, plain)),
		open: async (counter, extra, sealed) => {
			try {
				return new Uint8Array(await subtle.decrypt(gcm(counter, extra), made, sealed));
			} catch {
				throw new CryptoError("open");
			}
		},
	};
}
