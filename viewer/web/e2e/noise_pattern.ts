// noise_pattern: the handshake patterns of Noise revision 34 sections 7 and 18.1 as a table, and the psk
// modifiers of section 9. Engawa speaks one of them, XXpsk3; the others are here so that the public test
// vectors judge the same code that carries our sessions.

export type Token = "e" | "s" | "ee" | "es" | "se" | "ss" | "psk";

export interface NoisePattern {
	initiatorKnown: boolean;
	responderKnown: boolean;
	oneWay: boolean;
	psk: boolean;
	messages: Token[][];
}

const SUFFIX = "_25519_AESGCM_SHA256";

// K: the initiator's static key is known before; "; " stands between messages.
const ROWS: Record<string, string> = {
	N: "e es",
	K: "e es ss",
	X: "e es s ss",
	NN: "e; e ee",
	NK: "e es; e ee",
	NX: "e; e ee s es",
	KN: "e; e ee se",
	KK: "e es ss; e ee se",
	KX: "e; e ee se s es",
	XN: "e; e ee; s se",
	XK: "e es; e ee; s se",
	XX: "e; e ee s es; s se",
	IN: "e s; e ee se",
	IK: "e es s ss; e ee se",
	IX: "e s; e ee se s es",
	NK1: "e; e ee es",
	NX1: "e; e ee s; es",
	X1N: "e; e ee; s; se",
	X1K: "e es; e ee; s; se",
	XK1: "e; e ee es; s se",
	X1K1: "e; e ee es; s; se",
	X1X: "e; e ee s es; s; se",
	XX1: "e; e ee s; es s se",
	X1X1: "e; e ee s; es s; se",
	K1N: "e; e ee; se",
	K1K: "e es; e ee; se",
	KK1: "e; e ee se es",
	K1K1: "e; e ee es; se",
	K1X: "e; e ee s es; se",
	KX1: "e; e ee se s; es",
	K1X1: "e; e ee s; se es",
	I1N: "e s; e ee; se",
	I1K: "e es s; e ee; se",
	IK1: "e s; e ee se es",
	I1K1: "e s; e ee es; se",
	I1X: "e s; e ee s es; se",
	IX1: "e s; e ee se s; es",
	I1X1: "e s; e ee s; se es",
};

function modify(messages: Token[][], place: number): void {
	if (place > messages.length) throw new Error("psk of a message that there is not");
	if (place === 0) messages[0]?.unshift("psk");
	else messages[place - 1]?.push("psk");
}

/** From a full protocol name: "Noise_XXpsk3_25519_AESGCM_SHA256". Throws for what is not in the table. */
export function noisePattern(protocol: string): NoisePattern {
	const found = /^Noise_([NKXI1]+)((?:psk\d(?:\+psk\d)*)?)_25519_AESGCM_SHA256$/.exec(protocol);
	const name = found?.[1] ?? "";
	const row = Object.hasOwn(ROWS, name) ? ROWS[name] : undefined;
	if (!found || !row || !protocol.endsWith(SUFFIX)) throw new Error(`no such protocol: ${protocol}`);
	const places = (found[2]?.match(/\d/g) ?? []).map(Number);
	if (places.some((place, i) => i > 0 && place <= (places[i - 1] as number))) throw new Error("psk twice");
	const messages = row.split("; ").map((message) => message.split(" ") as Token[]);
	for (const place of places) modify(messages, place);
	const oneWay = messages.length === 1;
	const responder = oneWay ? "K" : name.slice(name.length > 1 && name[1] === "1" ? 2 : 1);
	return {
		initiatorKnown: name.startsWith("K"),
		responderKnown: responder.startsWith("K"),
		oneWay,
		psk: places.length > 0,
		messages,
	};
}
