// inner: what the two ends say to each other inside the tunnel, on the control lane (proto/e2e/inner.def),
// and the payloads of the handshake.
//
//   message   u8 number | u16 length | fields        bytes behind the last known field are skipped

import { inner } from "tables";
import { type Bytes, concat, integer, utf8 } from "../base/bytes";
import { Cursor, CursorError } from "../base/cursor";
import { ReasonError } from "../base/reason";
import { KEY } from "./primitives";

const SKIP_FROM = 0x80;
const TEXT_MAX = 512;
const NAME_MAX = 128;
const LANE_COUNT = 5;
const RECTS_MAX = 16;

export type InnerValue = number | string | Bytes | number[] | number[][] | Map<number, number>;
export interface InnerMessage {
	/** As in inner.def; "" for one from a later version. */
	name: string;
	fields: Record<string, InnerValue>;
}

// biome-ignore lint: control characters are what is looked for
const CONTROLS = /[\u0000-\u001f\u007f-\u009f]/;

function counted(text: string): Bytes {
	const written = utf8(text);
	return concat(integer(written.length, 2), written);
}

function write(type: string, value: InnerValue): Bytes {
	if (type === "text" || type === "name") return counted(value as string);
	if (type === "key") return value as Bytes;
	if (type === "lanes") return concat(...(value as number[]).map((count) => integer(count, 8)));
	if (type === "acks") {
		const acks = [...(value as Map<number, number>)];
		return concat(integer(acks.length, 1), ...acks.map(([lane, count]) => concat(integer(lane, 1), integer(count, 8))));
	}
	return integer(value as number, Number(type.slice(1)) / 8);
}

function readAcks(cursor: Cursor): Map<number, number> {
	const acks = new Map<number, number>();
	for (let left = cursor.u8(); left > 0; left--) {
		const lane = cursor.u8();
		if (lane >= LANE_COUNT || acks.has(lane)) throw new CursorError("acks");
		acks.set(lane, cursor.integer(8));
	}
	return acks;
}

/** x, y, width and height of each. */
function readRects(cursor: Cursor): number[][] {
	const count = cursor.u8();
	if (count > RECTS_MAX) throw new CursorError("rects");
	return Array.from({ length: count }, () => {
		const [x, y, width, height] = [cursor.integer(2), cursor.integer(2), cursor.integer(2), cursor.integer(2)];
		if (!width || !height || x + width > 0xffff || y + height > 0xffff) throw new CursorError("rects");
		return [x, y, width, height];
	});
}

function read(type: string, cursor: Cursor): InnerValue {
	if (type === "text") return cursor.text(TEXT_MAX);
	if (type === "key") return cursor.take(KEY).slice();
	if (type === "lanes") return Array.from({ length: LANE_COUNT }, () => cursor.integer(8));
	if (type === "acks") return readAcks(cursor);
	if (type === "rects") return readRects(cursor);
	if (type !== "name") return cursor.integer(Number(type.slice(1)) / 8);
	const name = cursor.text(NAME_MAX);
	if (CONTROLS.test(name)) throw new CursorError("name");
	return name;
}

export function packInner(name: string, fields: Record<string, InnerValue>): Bytes {
	const row = inner[name];
	if (!row) throw new Error(`no such message: ${name}`);
	const body = concat(...row.fields.map(([field, type]) => write(type, fields[field] as InnerValue)));
	return concat(integer(row.number, 1), integer(body.length, 2), body);
}

/** The whole payload of one control record, sent by the host. */
export function parseInner(payload: Bytes): InnerMessage {
	try {
		const cursor = new Cursor(payload);
		const number = cursor.u8();
		const body = new Cursor(cursor.take(cursor.u16()));
		if (cursor.left) throw new CursorError("two messages");
		const found = Object.entries(inner).find(([, row]) => row.number === number);
		if (!found && number >= SKIP_FROM) return { name: "", fields: {} };
		if (!found || found[1].sender === "VIEWER") throw new CursorError("not a host's message");
		const fields = found[1].fields.map(([field, type]) => [field, read(type, body)] as const);
		return { name: found[0], fields: Object.fromEntries(fields) };
	} catch (error) {
		if (error instanceof CursorError) throw new ReasonError("BAD_MESSAGE", error.message);
		throw error;
	}
}

/** p2, from the host: its choice of version. TLV: u8 type | u16 length | value. */
export function parseHostPayload(payload: Bytes): { version: number } {
	const found = new Map<number, Bytes>();
	try {
		for (const cursor = new Cursor(payload); cursor.left; ) {
			const type = cursor.u8();
			if (found.has(type) && type < 0x14) throw new CursorError("twice");
			found.set(type, cursor.take(cursor.u16()));
		}
	} catch {
		throw new ReasonError("BAD_MESSAGE");
	}
	const version = found.get(0x01);
	if (version?.length !== 1) throw new ReasonError("BAD_MESSAGE");
	return { version: version[0] as number };
}

const CLASS_WEB = 2;

/** p3, from the viewer. */
export function packViewerPayload(viewer: { user: string; device: string; wanted: number }): Bytes {
	const tlv = (type: number, value: Bytes) => concat(integer(type, 1), integer(value.length, 2), value);
	return concat(
		tlv(0x10, utf8(viewer.user)),
		tlv(0x11, utf8(viewer.device)),
		tlv(0x12, integer(CLASS_WEB, 1)),
		tlv(0x13, integer(viewer.wanted, 2)),
	);
}
