// session_id: the 16 bytes of a session as people and JSON see them: "ses_" and 26 lower-case Crockford
// characters (128 bits, most significant first, two zero bits at the end).

import type { Bytes } from "../base/bytes";
import { crockford } from "../base/crockford";

export function sessionIdText(id: Bytes): string {
	const values = Array.from({ length: 26 }, (_, i) => {
		const at = (i * 5) >> 3;
		const two = ((id[at] as number) << 8) | (id[at + 1] ?? 0);
		return (two >> (11 - ((i * 5) & 7))) & 31;
	});
	return `ses_${crockford(values).toLowerCase()}`;
}
