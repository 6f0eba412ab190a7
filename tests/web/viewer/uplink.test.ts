// The browser's uplink against nodes that a fake WebSocket plays: redirects are followed with their token, and one
// that leads nowhere is told to the node that said it.

import { type Bytes, bytes } from "../../../viewer/web/base/bytes";
import { reason } from "../../../viewer/web/base/reason";
import { ed25519Generate, random } from "../../../viewer/web/e2e/primitives";
import { Uplink, type UplinkDown } from "../../../viewer/web/link/uplink";
import { parseFrame } from "../../../viewer/web/wire/frame";
import { frameName } from "../../../viewer/web/wire/hello";
import { type Message, parseMessage, writeMessage } from "../../../viewer/web/wire/message";
import { equals, test } from "./harness";

const sign = await ed25519Generate();

/** What a node says to HELLO and PROVE; null: nobody listens there. */
type Node = ((heard: { hello: Message; prove: Message }) => [string, Message]) | null;

const welcome: [string, Message] = ["welcome", { leg: "leg_1", keepalive_ms: 15000 }];
const refuse = (symbol: string, more: Message = {}): [string, Message] => ["refused", { reason: reason(symbol).number, symbol, ...more }];
const sendTo = (redirect: string): [string, Message] => refuse("HOST_ELSEWHERE", { redirect, join: `for ${redirect}` });

class World {
	readonly visits: { url: string; hello: Message; prove: Message }[] = [];
	readonly dialled: string[] = [];
	constructor(readonly nodes: Record<string, Node>) {}

	/** Until the uplink is welcome (null) or down. */
	run(): Promise<UplinkDown | null> {
		const world = this;
		class Fake {
			static readonly OPEN = 1;
			readyState = 0;
			bufferedAmount = 0;
			onopen: (() => void) | null = null;
			onmessage: ((event: { data: ArrayBuffer }) => void) | null = null;
			onclose: (() => void) | null = null;
			private hello: Message = {};
			constructor(readonly url: string) {
				world.dialled.push(url);
				setTimeout(() => this.begin());
			}
			private begin(): void {
				if (!world.nodes[this.url]) return this.onclose?.();
				this.readyState = Fake.OPEN;
				this.onopen?.();
			}
			private say(name: string, message: Message): void {
				const frame = writeMessage(name, message);
				setTimeout(() => this.onmessage?.({ data: frame.slice().buffer as ArrayBuffer }));
			}
			send(data: Bytes): void {
				const frame = parseFrame(data);
				const name = frameName(frame.type);
				if (name === "hello") {
					this.hello = parseMessage("hello", frame.payload);
					this.say("challenge", { gen: 1, nonce: random(32), node: this.url, time_ms: Date.now() });
				} else if (name === "prove") {
					const visit = { url: this.url, hello: this.hello, prove: parseMessage("prove", frame.payload) };
					world.visits.push(visit);
					this.say(...(world.nodes[this.url] as NonNullable<Node>)(visit));
				}
			}
			close(): void {
				this.readyState = 3;
			}
		}
		const real = globalThis.WebSocket;
		globalThis.WebSocket = Fake as unknown as typeof WebSocket;
		return new Promise<UplinkDown | null>((resolve) => {
			const silent = () => undefined;
			const uplink: Uplink = new Uplink(
				{
					url: "wss://a:1/v1/leg",
					publicId: "7K3QX09FA",
					license: "lic_7k3qx09fa",
					secret: bytes(10).fill(1),
					sign,
					program: "test",
					name: "test",
					password: "pass",
					totp: "123456",
				},
				{
					welcome: () => {
						resolve(null);
						uplink.leave(reason("VIEWER_LEFT"));
					},
					open: silent,
					data: silent,
					close: silent,
					notice: silent,
					down: resolve,
				},
			);
		}).finally(() => {
			globalThis.WebSocket = real;
		});
	}
}

const A = "wss://a:1/v1/leg";
const B = "wss://b.example:2/v1/leg";
const C = "wss://[2001:db8::7]:3/v1/leg";

test("a redirect is followed with its token", async () => {
	const world = new World({ [A]: () => sendTo("b.example:2"), [B]: () => welcome });
	equals(await world.run(), null);
	equals(world.visits.map(({ url }) => url).join(), `${A},${B}`);
	equals(world.visits[0]?.prove.join as string, "");
	equals(world.visits[1]?.prove.join as string, "for b.example:2");
	equals(world.visits[1]?.hello.unreached as string, "");
});

test("a host that moves on is followed, but not for ever", async () => {
	const moving = new World({ [A]: () => sendTo("b.example:2"), [B]: () => sendTo("[2001:db8::7]:3"), [C]: () => welcome });
	equals(await moving.run(), null);
	equals(moving.visits[2]?.prove.join as string, "for [2001:db8::7]:3");
	const circle = new World({ [A]: () => sendTo("b.example:2"), [B]: () => sendTo("a:1") });
	equals((await circle.run())?.reason.symbol, "HOST_ELSEWHERE");
	equals(circle.visits.length, 4);
});

test("a redirect in vain is told to who said it, once", async () => {
	const first: Node = ({ hello }) => (hello.unreached ? welcome : sendTo("b.example:2"));
	for (const second of [null, () => refuse("DRAINING")] as Node[]) {
		const world = new World({ [A]: first, [B]: second });
		equals(await world.run(), null);
		equals(world.dialled.join(), `${A},${B},${A}`);
		const last = world.visits[world.visits.length - 1];
		equals(last?.hello.unreached as string, "b.example:2");
		equals(last?.prove.join as string, "for b.example:2");
	}
	const never = new World({ [A]: () => sendTo("b.example:2") });
	equals((await never.run())?.reason.symbol, "GATEWAY_UNREACHABLE");
	equals(never.dialled.join(), `${A},${B},${A},${B}`);
});

test("a refusal of the person ends it, and nowhere is not gone to", async () => {
	const wrong = new World({ [A]: () => sendTo("b.example:2"), [B]: () => refuse("LOCKED_OUT") });
	equals((await wrong.run())?.reason.symbol, "LOCKED_OUT");
	for (const to of ["b.example", "b.example:2/../x", "user@b:2", "b:2?x", ""]) {
		const world = new World({ [A]: () => sendTo(to) });
		equals((await world.run())?.reason.symbol, "HOST_ELSEWHERE");
		equals(world.dialled.length, 1);
	}
});
