// proof: the exact bytes that a device signs: the proof of an end to a node, and the receipt with which it
// confirms a session that has ended.

import { type Bytes, bytes, concat, integer, utf8 } from "../base/bytes";

const VIEWER = 1;

export function proofBytes(of: { nonce: Bytes; publicId: string; node: string }): Bytes {
	const node = utf8(of.node);
	return concat(
		utf8("ENGAWA-1 prove\0"),
		of.nonce,
		integer(VIEWER, 1),
		utf8(of.publicId),
		integer(node.length, 2),
		node,
		bytes(32), // a page cannot know the exporter of its TLS connection
	);
}

export interface Receipt {
	session: Bytes;
	fence: number;
	sent: number;
	received: number;
	reason: number;
}

export function receiptBytes(of: Receipt): Bytes {
	return concat(
		utf8("ENGAWA-1 receipt\0"),
		of.session,
		integer(of.fence, 8),
		integer(VIEWER, 1),
		integer(of.sent, 8),
		integer(of.received, 8),
		integer(of.reason, 2),
	);
}
