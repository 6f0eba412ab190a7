// Parts of a canvas moved within it, in the browser itself: the same pixels as by drawing it on itself.

import { copyItselfByPixels } from "../../../viewer/web/rfb/self_copy";
import { assert, test } from "./harness";

function painted(): CanvasRenderingContext2D {
	const canvas = document.createElement("canvas");
	canvas.width = canvas.height = 64;
	const context = canvas.getContext("2d") as CanvasRenderingContext2D;
	for (let n = 0; n < 64; n++) {
		context.fillStyle = `rgb(${n * 4} ${255 - n * 4} ${(n * 37) % 256})`;
		context.fillRect(n, 0, 1, 64);
		context.fillRect(0, n, n, 1);
	}
	return context;
}

const pixels = (context: CanvasRenderingContext2D) => context.getImageData(0, 0, 64, 64).data;

test("a part moved within a canvas", async () => {
	const moves = [
		[0, 8, 64, 56, 0, 0],
		[0, 0, 64, 56, 0, 8],
		[0, 0, 40, 40, 13, 7],
		[13, 7, 40, 40, 0, 0],
		[5, 5, 1, 1, 63, 63],
	] as const;
	for (const [x, y, w, h, toX, toY] of moves) {
		const [plain, ours] = [painted(), painted()];
		copyItselfByPixels(ours);
		for (const context of [plain, ours]) context.drawImage(context.canvas, x, y, w, h, toX, toY, w, h);
		const [expected, found] = [pixels(plain), pixels(ours)];
		assert(
			expected.every((value, at) => value === found[at]),
			`${x},${y} ${w}x${h} to ${toX},${toY}`,
		);
	}
	const other = painted();
	const ours = painted();
	copyItselfByPixels(ours);
	ours.drawImage(other.canvas, 0, 0, 10, 10, 20, 20, 10, 10);
	assert(pixels(ours)[(20 * 64 + 20) * 4] === pixels(other)[0], "another picture is drawn as always");
});
