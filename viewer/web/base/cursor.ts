// cursor: reads bytes from front to end and never beyond. The first read that does not fit throws
// CursorError; what was parsed until then is worth nothing.

import { type Bytes, text } from "./bytes";

export class CursorError extends Error {}

export class Cursor {
	private at = 0;
	constructor(private readonly view: Bytes) {}

	get left(): number {
		return this.view.length - this.at;
	}

	take(length: number): Bytes {
		if (length > this.left) throw new CursorError("too short");
		const part = this.view.subarray(this.at, this.at + length);
		this.at += length;
		return part;
	}

	integer(size: number): number {
		const value = this.take(size).reduce((sum, byte) => sum * 256 + byte, 0);
		if (value > Number.MAX_SAFE_INTEGER) throw new CursorError("too large");
		return value;
	}

	u8(): number {
		return this.integer(1);
	}

	u16(): number {
		return this.integer(2);
	}

	/** u16 length and UTF-8 without NUL. */
	text(most: number): string {
		const length = this.u16();
		if (length > most) throw new CursorError("text too long");
		try {
			const found = text(this.take(length));
			if (found.includes("\0")) throw new CursorError("NUL in a text");
			return found;
		} catch (error) {
			throw error instanceof CursorError ? error : new CursorError("not UTF-8");
		}
	}
}
