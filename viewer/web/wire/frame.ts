// frame: what a gateway sees: 1 byte type, 3 bytes length (big-endian), payload. Over WebSocket each frame
// is one binary message.
//
// Path 05/11: records become frames, and frames records again.

import { type Bytes, concat, integer } from "../base/bytes";
import { ReasonError } from "../base/reason";

export const FRAME_PING = 0x09;
export const FRAME_PONG = 0x0a;
export const FRAME_DATA = 0x10;
export const FRAME_SKIP_FROM = 0x80;
const HEADER = 4;
const DATA_MAX = 65535;
const CONTROL_MAX = 16384;

export interface Frame {
	type: number;
	payload: Bytes;
}

export function writeFrame(type: number, payload: Bytes): Bytes {
	return concat(integer(type, 1), integer(payload.length, 3), payload);
}

/** A message of the node holds exactly one frame. */
export function parseFrame(message: Bytes): Frame {
	const [type = 0, a = 0, b = 0, c = 0] = message;
	const length = (a << 16) | (b << 8) | c;
	const most = type === FRAME_DATA ? DATA_MAX : CONTROL_MAX;
	if (message.length < HEADER || length !== message.length - HEADER || length > most) throw new ReasonError("PROTOCOL");
	return { type, payload: message.subarray(HEADER) };
}
