// license_key: the key that admits to a license: 25 Crockford characters, 9 of them the public id, 16 the
// admission secret (80 bits).

import type { Bytes } from "./bytes";
import { crockford, packed, uncrockford } from "./crockford";
import { ReasonError } from "./reason";

export interface LicenseKey {
	/** 9 upper-case characters. */
	publicId: string;
	/** "lic_" and the same in lower case. */
	id: string;
	secret: Bytes;
}

const PUBLIC = 9;

export function licenseKey(text: string): LicenseKey {
	const values = uncrockford(text, 25);
	if (!values) throw new ReasonError("LICENSE_KEY_MALFORMED");
	const publicId = crockford(values.slice(0, PUBLIC));
	return { publicId, id: `lic_${publicId.toLowerCase()}`, secret: packed(values.slice(PUBLIC)) };
}
