// rfb_greeting: how RFB begins, without its five round trips. Both ends are ours, so what the host will say is known
// but for the size, and that the tunnel has told: noVNC gets the greeting made here and answers at once, all in one
// flight behind RFB_OPEN. The host's own greeting is read when it comes, checked, and kept from noVNC; had the size
// changed meanwhile, noVNC is told so in the words of RFC 6143 section 7.8.2.

import { type Bytes, bytes, concat, integer, utf8 } from "../base/bytes";
import { ReasonError } from "../base/reason";

const VERSION = utf8("RFB 003.008\n");
const NONE = 1;
const INIT = 24;
const NAME_MAX = 1024;
const DESKTOP_SIZE = -223;
/** 32 bits per pixel of depth 24, true colour, 0x00RRGGBB; noVNC asks for its own. */
const FORMAT = new Uint8Array([32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0, 0, 0, 0]);

export interface Size {
	width: number;
	height: number;
}

/** What a host with a screen of this size says until it is its turn to draw, message by message. */
export function greeting({ width, height }: Size): Bytes[] {
	const init = concat(integer(width, 2), integer(height, 2), FORMAT, bytes(4));
	return [VERSION.slice(), new Uint8Array([1, NONE]), bytes(4), init];
}

/** An update with nothing in it but the size. */
function resized({ width, height }: Size): Bytes {
	return concat(bytes(3), integer(1, 1), bytes(4), integer(width, 2), integer(height, 2), integer(2 ** 32 + DESKTOP_SIZE, 4));
}

export class Greeting {
	private held: Bytes = bytes(0);
	private isOver = false;

	constructor(private readonly told: Size) {}

	/** Takes the host's greeting away; what is left is noVNC's. */
	take(view: Bytes): Bytes {
		if (this.isOver) return view;
		this.held = concat(this.held, view);
		const end = this.end();
		if (!end) return bytes(0);
		this.isOver = true;
		const rest = this.held.slice(end.at);
		this.held = bytes(0);
		const same = end.width === this.told.width && end.height === this.told.height;
		return same ? rest : concat(resized(end), rest);
	}

	/** Where the greeting ends; null: not all of it is there. */
	private end(): (Size & { at: number }) | null {
		const { held } = this;
		const number = (at: number, length: number) => held.subarray(at, at + length).reduce((sum, byte) => sum * 256 + byte, 0);
		if (VERSION.some((byte, i) => i < held.length && held[i] !== byte)) throw new ReasonError("PROTOCOL", "RFB version");
		const types = VERSION.length + 1;
		if (held.length < types) return null;
		const result = types + number(types - 1, 1);
		const init = result + 4;
		if (held.length < init) return null;
		if (!held.subarray(types, result).includes(NONE) || number(result, 4)) throw new ReasonError("PROTOCOL", "RFB security");
		if (held.length < init + INIT) return null;
		const name = number(init + INIT - 4, 4);
		if (name > NAME_MAX) throw new ReasonError("PROTOCOL", "RFB name");
		const at = init + INIT + name;
		return held.length < at ? null : { width: number(init, 2), height: number(init + 2, 2), at };
	}
}
