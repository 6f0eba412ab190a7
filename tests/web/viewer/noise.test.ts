// S1: the public vectors of Noise revision 34 for 25519, AESGCM and SHA256, run by the code of the
// browser viewer. 72 of 73 can run: XXfallback needs the fallback modifier, which nothing here has.

import vectors from "../../vectors/noise-vectors.json";
import { type Bytes, bytes, concat, hex, unhex, utf8 } from "../../../viewer/web/base/bytes";
import { Noise, NOISE_ENGAWA, type NoiseConfig, type NoiseKeys } from "../../../viewer/web/e2e/noise";
import { NoiseCipher } from "../../../viewer/web/e2e/noise_cipher";
import { type Pair, pbkdf2, x25519Generate } from "../../../viewer/web/e2e/primitives";
import { assert, equals, rejects, test } from "./harness";
import { x25519Of } from "./keys";

interface Vector extends Record<string, unknown> {
	protocol_name: string;
	handshake_hash?: string;
	messages: { payload: string; ciphertext: string }[];
}

async function side(vector: Vector, role: "initiator" | "responder"): Promise<Noise> {
	const name = role === "initiator" ? "init" : "resp";
	const of = (member: string) => vector[`${name}_${member}`] as string | undefined;
	const pair = async (digits: string | undefined) => (digits ? x25519Of(unhex(digits)) : undefined);
	const config: NoiseConfig = {
		protocol: vector.protocol_name,
		role,
		prologue: unhex(of("prologue") ?? ""),
		psks: ((vector[`${name}_psks`] as string[] | undefined) ?? []).map(unhex),
	};
	const own = await pair(of("static"));
	const ephemeral = await pair(of("ephemeral"));
	const remote = of("remote_static");
	if (own) config.own = own;
	if (ephemeral) config.ephemeral = ephemeral;
	if (remote) config.remote = unhex(remote);
	return Noise.start(config);
}

function decide(noise: Noise): void {
	if (noise.peer) noise.decide("allow");
}

async function run(vector: Vector): Promise<void> {
	const ends = [await side(vector, "initiator"), await side(vector, "responder")] as const;
	const decided = [false, false];
	let keys: [NoiseKeys, NoiseKeys] | null = null;
	const oneWay = /^Noise_[NKX](psk|_)/.test(vector.protocol_name);
	for (const [i, message] of vector.messages.entries()) {
		const writer = oneWay ? 0 : i % 2;
		if (!keys && ends[0].complete && ends[1].complete) {
			if (vector.handshake_hash) equals(hex(ends[0].hash), vector.handshake_hash);
			equals(hex(ends[0].hash), hex(ends[1].hash));
			for (const [k, end] of ends.entries()) if (!decided[k]) end.decide(end.peer ? "allow" : "anonymous");
			keys = [await ends[0].finish(), await ends[1].finish()];
		}
		if (keys) {
			const sealed = await keys[writer]?.send?.encryptWithAd(bytes(0), unhex(message.payload));
			equals(hex(sealed as Bytes), message.ciphertext);
			const opened = await keys[1 - writer]?.receive?.decryptWithAd(bytes(0), unhex(message.ciphertext));
			equals(hex(opened as Bytes), message.payload);
			continue;
		}
		const [from, to] = writer ? [ends[1], ends[0]] : [ends[0], ends[1]];
		if (from.peer && !decided[writer]) {
			decide(from);
			decided[writer] = true;
		}
		equals(hex(await from.write(unhex(message.payload))), message.ciphertext);
		equals(hex(await to.read(unhex(message.ciphertext))), message.payload);
	}
	assert(keys !== null, "the handshake ended");
}

test("72 public vectors", async () => {
	let passed = 0;
	for (const vector of vectors.vectors as unknown as Vector[]) {
		if (!vector.protocol_name) {
			await rejects(() => side({ ...vector, protocol_name: "Noise_XXfallback_25519_AESGCM_SHA256" }, "initiator"));
			continue;
		}
		await run(vector);
		passed++;
	}
	equals(passed, 72);
});

async function shaken(psks: [Bytes, Bytes] = [bytes(32), bytes(32)], prologues: [Bytes, Bytes] = [bytes(1), bytes(1)]) {
	const own: [Pair, Pair] = [await x25519Generate(), await x25519Generate()];
	const make = (i: 0 | 1, role: "initiator" | "responder") =>
		Noise.start({ protocol: NOISE_ENGAWA, role, prologue: prologues[i], own: own[i], psks: [psks[i]] });
	const viewer = await make(0, "initiator");
	const host = await make(1, "responder");
	await host.read(await viewer.write(bytes(0)));
	await viewer.read(await host.write(bytes(0)));
	return { viewer, host, own };
}

test("no keys without a decision about the peer", async () => {
	const one = await shaken();
	await rejects(() => one.viewer.write(bytes(0)));
	const two = await shaken();
	equals(hex(two.viewer.peer as Bytes), hex(two.own[1].key));
	two.viewer.decide("allow");
	await two.host.read(await two.viewer.write(bytes(0)));
	await rejects(() => two.host.finish());
	const three = await shaken();
	three.viewer.decide("deny");
	await rejects(() => three.viewer.write(bytes(0)));
	const four = await shaken();
	await rejects(async () => four.viewer.decide("anonymous"));
});

test("a wrong psk or prologue gives no keys", async () => {
	const psk = await shaken([bytes(32), utf8("another psk of thirty-two bytes!")]);
	psk.viewer.decide("allow");
	const third = await psk.viewer.write(bytes(0));
	await rejects(() => psk.host.read(third));
	await rejects(() => shaken(undefined, [utf8("one"), utf8("two")]));
});

test("every flipped bit of message 2 is noticed", async () => {
	const own: [Pair, Pair] = [await x25519Generate(), await x25519Generate()];
	const config = { protocol: NOISE_ENGAWA, prologue: bytes(64), psks: [bytes(32)] };
	for (let bit = 0; bit < 96 * 8; bit++) {
		const viewer = await Noise.start({ ...config, role: "initiator", own: own[0] });
		const host = await Noise.start({ ...config, role: "responder", own: own[1] });
		await host.read(await viewer.write(bytes(0)));
		const second = await host.write(bytes(0));
		second[bit >> 3] = (second[bit >> 3] as number) ^ (1 << (bit & 7));
		// X25519 ignores the highest bit of a key, the hash over it does not.
		await rejects(() => viewer.read(second));
	}
});

test("rekey: the known answers of the protocol", async () => {
	const key = Uint8Array.from({ length: 32 }, (_, i) => i) as Bytes;
	const cipher = new NoiseCipher(65536);
	cipher.initializeKey(key);
	const work: Promise<Bytes>[] = [];
	for (let n = 0; n < 65536; n++) work.push(cipher.encryptWithAd(bytes(0), bytes(0)));
	await Promise.all(work);
	equals(hex(await cipher.encryptWithAd(bytes(0), utf8("hello"))), "d257018ee5e89b7654957c881e65bad167517cd280");
});

test("records come out in the order of asking, many under way", async () => {
	const key = bytes(32);
	const [send, receive] = [new NoiseCipher(1000), new NoiseCipher(1000)];
	send.initializeKey(key);
	receive.initializeKey(key);
	const order: number[] = [];
	const all = Array.from({ length: 3000 }, async (_, i) => {
		const plain = bytes(i % 7 ? 3 : 60000).fill(i % 251);
		const opened = await receive.decryptWithAd(bytes(0), await send.encryptWithAd(bytes(0), plain));
		equals(hex(opened.subarray(0, 3)), hex(plain.subarray(0, 3)));
		order.push(i);
	});
	await Promise.all(all);
	assert(order.every((value, i) => value === i), "in order");
});

test("a cipher that failed once fails for ever", async () => {
	const cipher = new NoiseCipher(0);
	cipher.initializeKey(bytes(32));
	const good = await cipher.encryptWithAd(bytes(0), utf8("x"));
	const other = new NoiseCipher(0);
	other.initializeKey(bytes(32));
	await rejects(() => other.decryptWithAd(bytes(0), concat(good.subarray(0, 16), bytes(1))));
	await rejects(() => other.decryptWithAd(bytes(0), good));
	await rejects(() => other.encryptWithAd(bytes(0), utf8("x")));
});

test("PBKDF2 as agreed", async () => {
	const secret = Uint8Array.from({ length: 12 }, (_, i) => i) as Bytes;
	const found = await pbkdf2(secret, utf8("ENGAWA-1 ticket\0"), 600000);
	equals(hex(found), "ef1541e318c0c87499014da65dd2353a2dc004bfbc6fec1457664e1770b4e207");
});
