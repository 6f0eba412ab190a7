// noise: the handshake, HandshakeState of Noise revision 34 section 5.3.
//
//   initiator (viewer)                     responder
//   write  -> e                            read
//   read   <- e, ee, s, es                 write
//     peer, decide
//   write  -> s, se, psk                   read
//   finish                                 peer, decide, finish
//
// Who the peer is cannot be forgotten: once its static key is known nothing more is written and finish()
// gives no keys until decide("allow") was called after that moment. It is known when the message that
// carried it has been verified as a whole. Any error, misuse included, is the end of the handshake.

import { type Bytes, bytes, concat, utf8 } from "../base/bytes";
import { NoiseCipher, REKEY_EVERY } from "./noise_cipher";
import { type NoisePattern, noisePattern, type Token } from "./noise_pattern";
import { CryptoError, hkdf, KEY, type Pair, sha256, TAG, x25519, x25519Generate } from "./primitives";

export const NOISE_ENGAWA = "Noise_XXpsk3_25519_AESGCM_SHA256";
export const NOISE_MESSAGE_MAX = 4096;

export interface NoiseConfig {
	protocol: string;
	role: "initiator" | "responder";
	prologue: Bytes;
	/** Our static key, when the pattern has one. */
	own?: Pair;
	/** The peer's, only for patterns with it in a pre-message. */
	remote?: Bytes;
	/** In order of the psk tokens. */
	psks: Bytes[];
	rekeyEvery?: number;
	/** Tests only: the ephemeral key of a vector. */
	ephemeral?: Pair;
}

export interface NoiseKeys {
	send: NoiseCipher | null;
	receive: NoiseCipher | null;
}

/** SymmetricState, section 5.2. */
class Symmetric {
	readonly cipher = new NoiseCipher(0);
	private ck: Bytes = bytes(KEY);
	h: Bytes = bytes(KEY);

	static async of(protocol: string): Promise<Symmetric> {
		const symmetric = new Symmetric();
		const name = utf8(protocol);
		symmetric.h = name.length <= KEY ? concat(name, bytes(KEY - name.length)) : await sha256(name);
		symmetric.ck = symmetric.h.slice();
		return symmetric;
	}

	async mixHash(view: Bytes): Promise<void> {
		this.h = await sha256(concat(this.h, view));
	}

	async mixKey(material: Bytes): Promise<void> {
		const [ck, key] = (await hkdf(this.ck, material, 2)) as [Bytes, Bytes];
		this.ck = ck;
		this.cipher.initializeKey(key);
	}

	async mixKeyAndHash(material: Bytes): Promise<void> {
		const [ck, hash, key] = (await hkdf(this.ck, material, 3)) as [Bytes, Bytes, Bytes];
		this.ck = ck;
		await this.mixHash(hash);
		this.cipher.initializeKey(key);
	}

	async encryptAndHash(plain: Bytes): Promise<Bytes> {
		const sealed = await this.cipher.encryptWithAd(this.h, plain);
		await this.mixHash(sealed);
		return sealed;
	}

	async decryptAndHash(sealed: Bytes): Promise<Bytes> {
		const plain = await this.cipher.decryptWithAd(this.h, sealed);
		await this.mixHash(sealed);
		return plain;
	}

	async split(rekeyEvery: number): Promise<[NoiseCipher, NoiseCipher]> {
		const keys = await hkdf(this.ck, bytes(0), 2);
		this.ck.fill(0);
		return keys.map((key) => {
			const cipher = new NoiseCipher(rekeyEvery);
			cipher.initializeKey(key);
			return cipher;
		}) as [NoiseCipher, NoiseCipher];
	}
}

export class Noise {
	private readonly pattern: NoisePattern;
	private e: Pair | undefined;
	private re: Bytes | undefined;
	private rs: Bytes | undefined;
	private psk = 0;
	private message = 0;
	private known: Bytes | null = null;
	private decided = false;
	private over = false;
	private busy = false;

	private constructor(
		private readonly config: NoiseConfig,
		private readonly symmetric: Symmetric,
	) {
		this.pattern = noisePattern(config.protocol);
		this.rs = config.remote;
		this.known = config.remote ?? null;
		this.e = config.ephemeral;
	}

	static async start(config: NoiseConfig): Promise<Noise> {
		const noise = new Noise(config, await Symmetric.of(config.protocol));
		const own = config.own?.key;
		const mine = config.role === "initiator";
		const { initiatorKnown, responderKnown } = noise.pattern;
		if ((mine ? responderKnown : initiatorKnown) !== (config.remote !== undefined) || noise.hasS() !== (own !== undefined))
			throw new CryptoError("keys and pattern do not match");
		await noise.symmetric.mixHash(config.prologue);
		if (initiatorKnown) await noise.symmetric.mixHash((mine ? own : config.remote) as Bytes);
		if (responderKnown) await noise.symmetric.mixHash((mine ? config.remote : own) as Bytes);
		return noise;
	}

	/** WriteMessage. */
	write(payload: Bytes): Promise<Bytes> {
		return this.move(true, async () => {
			if (this.known && !this.decided) throw new CryptoError("undecided");
			const parts: Bytes[] = [];
			for (const token of this.tokens()) {
				if (token === "e") parts.push(await this.writeE());
				else if (token === "s") parts.push(await this.symmetric.encryptAndHash((this.config.own as Pair).key));
				else await this.mix(token);
			}
			parts.push(await this.symmetric.encryptAndHash(payload));
			const message = concat(...parts);
			if (message.length > NOISE_MESSAGE_MAX) throw new CryptoError("too long");
			return message;
		});
	}

	/** ReadMessage: the payload, when the whole message has been verified. */
	read(message: Bytes): Promise<Bytes> {
		return this.move(false, async () => {
			if (message.length > NOISE_MESSAGE_MAX) throw new CryptoError("too long");
			let rest = message;
			const take = (length: number) => {
				if (rest.length < length) throw new CryptoError("too short");
				const part = rest.subarray(0, length);
				rest = rest.subarray(length);
				return part;
			};
			for (const token of this.tokens()) {
				if (token === "e") await this.readE(take(KEY));
				else if (token === "s")
					this.rs = await this.symmetric.decryptAndHash(take(this.symmetric.cipher.hasKey() ? KEY + TAG : KEY));
				else await this.mix(token);
			}
			if (this.symmetric.cipher.hasKey() && rest.length < TAG) throw new CryptoError("too short");
			return this.symmetric.decryptAndHash(rest);
		});
	}

	/** The peer's verified static key. */
	get peer(): Bytes | null {
		return this.busy ? null : this.known;
	}

	/** "anonymous" only for patterns whose peer has no static key, after the last message. */
	decide(decision: "allow" | "deny" | "anonymous"): void {
		const legal = decision === "anonymous" ? this.complete && !this.known : this.known !== null;
		if (this.over || this.busy || this.decided || !legal || decision === "deny") this.over = true;
		else this.decided = true;
		if (!legal) throw new CryptoError("no peer to decide about");
	}

	get complete(): boolean {
		return !this.over && this.message === this.pattern.messages.length;
	}

	/** h, for channel binding. */
	get hash(): Bytes {
		return this.symmetric.h;
	}

	/** Split: both directions, once. In a one-way pattern there is only one. */
	async finish(): Promise<NoiseKeys> {
		if (!this.complete || this.busy || !this.decided) {
			this.over = true;
			throw new CryptoError("not finished");
		}
		this.over = true;
		const [first, second] = await this.symmetric.split(this.config.rekeyEvery ?? REKEY_EVERY);
		const back = this.pattern.oneWay ? null : second;
		return this.initiates ? { send: first, receive: back } : { send: back, receive: first };
	}

	private get initiates(): boolean {
		return this.config.role === "initiator";
	}

	private tokens(): Token[] {
		return this.pattern.messages[this.message] as Token[];
	}

	private hasS(): boolean {
		const known = this.initiates ? this.pattern.initiatorKnown : this.pattern.responderKnown;
		const ours = (i: number) => (i % 2 === 0) === this.initiates;
		return known || this.pattern.messages.some((message, i) => ours(i) && message.includes("s"));
	}

	private async move(writes: boolean, act: () => Promise<Bytes>): Promise<Bytes> {
		const turn = (this.pattern.oneWay || this.message % 2 === 0) === this.initiates;
		if (this.over || this.busy || this.complete || turn !== writes) {
			this.over = true;
			throw new CryptoError("out of turn");
		}
		this.busy = true;
		try {
			const found = await act();
			this.message++;
			if (this.rs && !this.known) this.known = this.rs;
			return found;
		} catch (error) {
			this.over = true;
			this.known = null;
			throw error instanceof CryptoError ? error : new CryptoError("handshake");
		} finally {
			this.busy = false;
		}
	}

	private async mixE(key: Bytes): Promise<void> {
		await this.symmetric.mixHash(key);
		// Section 9.2: with a psk the ephemeral key also goes into the key.
		if (this.pattern.psk) await this.symmetric.mixKey(key);
	}

	private async writeE(): Promise<Bytes> {
		this.e ??= await x25519Generate();
		await this.mixE(this.e.key);
		return this.e.key;
	}

	private async readE(key: Bytes): Promise<void> {
		this.re = key.slice();
		await this.mixE(this.re);
	}

	private async dh(own: Pair | undefined, remote: Bytes | undefined): Promise<void> {
		if (!own || !remote) throw new CryptoError("no key");
		const shared = await x25519(own.secret, remote);
		await this.symmetric.mixKey(shared);
		shared.fill(0);
	}

	/** The tokens that are the same for writer and reader. */
	private async mix(token: Token): Promise<void> {
		const own = this.config.own;
		if (token === "ee") return this.dh(this.e, this.re);
		if (token === "ss") return this.dh(own, this.rs);
		if ((token === "es") === this.initiates && token !== "psk") return this.dh(this.e, this.rs);
		if (token !== "psk") return this.dh(own, this.re);
		const psk = this.config.psks[this.psk++];
		if (!psk) throw new CryptoError("no psk");
		return this.symmetric.mixKeyAndHash(psk);
	}
}
