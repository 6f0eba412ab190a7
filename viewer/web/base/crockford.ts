// crockford: base32 as people type it: any case, O for 0, I and L for 1; '-' and blanks do not matter.

const DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const FOR: Record<string, string> = { O: "0", I: "1", L: "1" };

/** The values of exactly `count` characters, or null. */
export function uncrockford(text: string, count: number): number[] | null {
	const plain = text.replace(/[\s-]/g, "").toUpperCase();
	const values = Array.from(plain, (char) => DIGITS.indexOf(FOR[char] ?? char));
	return values.length === count && !values.includes(-1) ? values : null;
}

export function crockford(values: readonly number[]): string {
	return values.map((value) => DIGITS[value] as string).join("");
}

/** Values of 5 bits, most significant first, as bytes; as many as there are whole ones. */
export function packed(values: readonly number[]): Uint8Array<ArrayBuffer> {
	const found = new Uint8Array(Math.floor((values.length * 5) / 8));
	for (let bit = 0; bit < found.length * 8; bit++)
		if ((values[Math.floor(bit / 5)] as number) & (16 >> (bit % 5)))
			found[bit >> 3] = (found[bit >> 3] as number) | (128 >> (bit & 7));
	return found;
}
