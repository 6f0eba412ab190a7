// The greeting that noVNC gets before the host has said anything, and the host's own, byte by byte.

import { bytes, concat, hex, integer, utf8 } from "../../../viewer/web/base/bytes";
import { Greeting, greeting } from "../../../viewer/web/rfb/rfb_greeting";
import { RfbChannel } from "../../../viewer/web/rfb/rfb_channel";
import { assert, equals, test } from "./harness";

const SIZE = { width: 1920, height: 1080 };
const DRAWN = utf8("an update");

function host({ width, height }: { width: number; height: number }, types = [1], result = 0, name = "PC 7") {
	const init = concat(integer(width, 2), integer(height, 2), bytes(16), integer(name.length, 4), utf8(name));
	return concat(utf8("RFB 003.008\n"), new Uint8Array([types.length, ...types]), integer(result, 4), init);
}

test("the host's greeting is taken away, however it is cut", async () => {
	const all = concat(host(SIZE), DRAWN);
	for (let cut = 0; cut <= all.length; cut++) {
		const made = new Greeting(SIZE);
		const found = concat(made.take(all.slice(0, cut)), made.take(all.slice(cut)), made.take(DRAWN));
		equals(hex(found), hex(concat(DRAWN, DRAWN)));
	}
	const dribble = new Greeting(SIZE);
	equals(hex(concat(...Array.from(all, (byte) => dribble.take(new Uint8Array([byte]))))), hex(DRAWN));
});

test("a screen of another size is told to noVNC", async () => {
	const found = new Greeting(SIZE).take(concat(host({ width: 800, height: 600 }), DRAWN));
	equals(hex(found.subarray(0, 16)), `00000001${"00000000"}03200258ffffff21`);
	equals(hex(found.subarray(16)), hex(DRAWN));
});

test("a host that greets otherwise is not served", async () => {
	const bad = [utf8("HTTP/1.1 200"), host(SIZE, [2]), host(SIZE, []), host(SIZE, [1], 1), host(SIZE, [1], 0, "x".repeat(2000))];
	for (const said of bad) {
		let refused = false;
		try {
			new Greeting(SIZE).take(said);
		} catch {
			refused = true;
		}
		assert(refused, hex(said.subarray(0, 20)));
		const channel = new RfbChannel(SIZE, { input: () => undefined, drawn: () => undefined });
		channel.deliver(said);
		equals(channel.readyState, "closed");
	}
});

test("noVNC is greeted at once, and the host's greeting counts as drawn", async () => {
	const got: string[] = [];
	let drawn = 0;
	const channel = new RfbChannel(SIZE, { input: () => undefined, drawn: (length) => (drawn += length) });
	channel.onmessage = ({ data }) => void got.push(hex(new Uint8Array(data)));
	channel.greet();
	equals(got.join(), greeting(SIZE).map(hex).join());
	const said = host(SIZE);
	channel.deliver(said.slice(0, 30));
	channel.deliver(said.slice(30));
	equals(drawn, said.length);
	channel.deliver(DRAWN.slice());
	channel.settle(0);
	equals(drawn, said.length + DRAWN.length);
	equals(got.at(-1), hex(DRAWN));
});
