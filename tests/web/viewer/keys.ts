// keys: private keys given as bytes, for known answers. The product itself never sees one.

import { type Bytes, bytes, concat, unhex } from "../../../viewer/web/base/bytes";
import type { Pair } from "../../../viewer/web/e2e/primitives";

const BASE_POINT = concat(unhex("09"), bytes(31));

export async function x25519Of(secret: Bytes): Promise<Pair> {
	const pkcs8 = concat(unhex("302e020100300506032b656e04220420"), secret);
	const made = await crypto.subtle.importKey("pkcs8", pkcs8, { name: "X25519" }, false, ["deriveBits"]);
	const base = await crypto.subtle.importKey("raw", BASE_POINT, { name: "X25519" }, true, []);
	const key = await crypto.subtle.deriveBits({ name: "X25519", public: base }, made, 256);
	return { secret: made, key: new Uint8Array(key) };
}
