// identity: the keys of this device for one office PC. None of them can be read by a script, this one included:
// they are used where the browser keeps them, and are gone when the PC is forgotten.
//
//   sign   Ed25519, who this device is at a gateway       own    X25519, who it is at the office PC
//   wrap   AES-GCM, under which the few secrets are kept that WebCrypto cannot hold as keys: the admission
//          secret is sent as it is, and Noise mixes the psk into its hash as data. With the key gone, what
//          was kept under it is noise.

import { type Bytes, concat } from "../base/bytes";
import { ed25519Generate, type Pair, random, x25519Generate } from "../e2e/primitives";

const IV = 12;

export interface Identity {
	sign: Pair;
	own: Pair;
	wrap: CryptoKey;
}

export async function newIdentity(): Promise<Identity> {
	const wrap = await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
	return { sign: await ed25519Generate(), own: await x25519Generate(), wrap };
}

/** iv | sealed */
export async function wrap(identity: Identity, secret: Bytes): Promise<Bytes> {
	const iv = random(IV);
	return concat(iv, new Uint8Array(await crypto.subtle.encrypt({ name: "AES-GCM", iv }, identity.wrap, secret)));
}

export async function unwrap(identity: Identity, wrapped: Bytes): Promise<Bytes> {
	const iv = wrapped.slice(0, IV);
	return new Uint8Array(await crypto.subtle.decrypt({ name: "AES-GCM", iv }, identity.wrap, wrapped.slice(IV)));
}
