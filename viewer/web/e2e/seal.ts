// seal: the records of the tunnel. Before this file bytes are readable, after it they are not.
//
// Path 04/12: sealed, nobody reads from here on; opened, and only here.
//
//   record     AES-256-GCM of the plaintext | tag 16
//   plaintext  u8 lane | u8 flags | u16 length | payload | zeros up to the bucket
//
// Sealing and opening are pipelined (noise_cipher), so many may be under way; they come out in order.

import { type Bytes, bytes, isZero } from "../base/bytes";
import { ReasonError } from "../base/reason";
import type { NoiseCipher } from "./noise_cipher";
import { TAG } from "./primitives";

export const LANES = ["control", "input", "picture", "clipboard", "file"] as const;
export type Lane = (typeof LANES)[number];

const HEAD = 4;
const RECORD_MAX = 65535;
export const PAYLOAD_MAX = RECORD_MAX - TAG - HEAD;
const END = 0x01;
/** What a viewer sends; control and input have records of one size, whatever key it was. */
const BUCKETS: Record<Lane, number> = { control: 64, input: 64, picture: 1, clipboard: 1024, file: 1 };

export interface Opened {
	lane: Lane;
	end: boolean;
	payload: Bytes;
}

export class Seal {
	constructor(
		private readonly send: NoiseCipher,
		private readonly receive: NoiseCipher,
	) {}

	size(lane: Lane, length: number): number {
		const bucket = BUCKETS[lane];
		return Math.min(Math.ceil((HEAD + length) / bucket) * bucket, RECORD_MAX - TAG) + TAG;
	}

	record(lane: Lane, end: boolean, payload: Uint8Array): Promise<Bytes> {
		const plain = bytes(this.size(lane, payload.length) - TAG);
		plain.set([LANES.indexOf(lane), end ? END : 0, payload.length >> 8, payload.length & 255]);
		plain.set(payload, HEAD);
		return this.send.encryptWithAd(bytes(0), plain);
	}

	async open(record: Bytes): Promise<Opened> {
		if (record.length < HEAD + TAG || record.length > RECORD_MAX) throw new ReasonError("E2E_FAILED");
		const plain = await this.receive.decryptWithAd(bytes(0), record);
		const [lane = 0, flags = 0, high = 0, low = 0] = plain;
		const length = (high << 8) | low;
		const name = LANES[lane];
		if (!name || flags & ~END || length > plain.length - HEAD || !isZero(plain.subarray(HEAD + length)))
			throw new ReasonError("E2E_FAILED");
		return { lane: name, end: (flags & END) !== 0, payload: plain.subarray(HEAD, HEAD + length) };
	}

	kill(): void {
		this.send.kill();
		this.receive.kill();
	}
}
