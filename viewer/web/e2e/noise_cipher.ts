// noise_cipher: the CipherState of Noise revision 34 section 5.1. A counter is given out at once and only
// once, the work behind it is a promise: so many records are under way at the same time, and come out in
// the order in which they were asked for.
//
// The first error is the end: the key is forgotten and every later call fails.

import { type Bytes, bytes } from "../base/bytes";
import { CryptoError, KEY, type Sealer, sealer } from "./primitives";

export const REKEY_EVERY = 65536;
const LAST = 2n ** 64n - 1n;

export class NoiseCipher {
	private key: Promise<Sealer> | null = null;
	private n = 0;
	private dead = false;
	private tail: Promise<unknown> = Promise.resolve();

	/** `rekeyEvery`: when n becomes a multiple of it, k = REKEY(k); 0 is never. */
	constructor(private readonly rekeyEvery: number) {}

	initializeKey(key: Bytes): void {
		this.key = sealer(key);
		this.n = 0;
	}

	hasKey(): boolean {
		return this.key !== null;
	}

	get nonce(): number {
		return this.n;
	}

	encryptWithAd(extra: Bytes, plain: Bytes): Promise<Bytes> {
		return this.crypt(plain, (key, n) => key.seal(n, extra, plain));
	}

	decryptWithAd(extra: Bytes, sealed: Bytes): Promise<Bytes> {
		return this.crypt(sealed, (key, n) => key.open(n, extra, sealed));
	}

	kill(): void {
		this.dead = true;
		this.key = null;
	}

	private crypt(as: Bytes, act: (key: Sealer, n: bigint) => Promise<Bytes>): Promise<Bytes> {
		if (this.dead) return Promise.reject(new CryptoError("dead"));
		if (!this.key) return Promise.resolve(as);
		const key = this.key;
		const n = BigInt(this.n++);
		if (this.rekeyEvery && this.n % this.rekeyEvery === 0) this.key = this.rekey(key);
		const work = key.then((ready) => act(ready, n));
		// In order, and nothing after an error, whatever finishes first.
		const turn = this.tail.then(async () => {
			const done = await work;
			if (this.dead) throw new CryptoError("dead");
			return done;
		});
		this.tail = turn;
		work.catch(() => this.kill());
		turn.catch(() => this.kill());
		return turn;
	}

	/** Section 4.2: the first 32 bytes of zeros sealed under the counter that no message has. */
	private async rekey(key: Promise<Sealer>): Promise<Sealer> {
		const next = await (await key).seal(LAST, bytes(0), bytes(KEY));
		const made = await sealer(next.subarray(0, KEY));
		next.fill(0);
		return made;
	}
}
