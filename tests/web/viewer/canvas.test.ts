// The drawing of the picture, in the browser itself: parts moved within a canvas give the same pixels as drawing it
// on itself, images come out as an element shows them, and what is drawn together is shown once.

import { gatherFlips } from "../../../viewer/web/rfb/flips";
import { decodeAside } from "../../../viewer/web/rfb/images";
import { copyItselfByPixels } from "../../../viewer/web/rfb/self_copy";
import { assert, equals, test } from "./harness";

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

type Frame = { ready: boolean; frame: (CanvasImageSource & { close(): void }) | null; promise: Promise<void> };

/** The part of noVNC's Display that takes images, and what it was given. */
function display() {
	const given: Frame[] = [];
	const _renderQ: { frame?: never }[] = [];
	const images = {
		_renderQ,
		imageRect: (_x: number, _y: number, _w: number, _h: number, _type: string, _data: Uint8Array) => undefined as void,
		videoFrame: (_x: number, _y: number, _w: number, _h: number, frame: object) => void given.push(frame as Frame),
	};
	return { images, given };
}

/** Smooth: how colours are spread over finer pixels is the decoder's own affair. */
async function jpeg(): Promise<{ data: Uint8Array; shown: Uint8ClampedArray }> {
	const smooth = painted();
	const colours = smooth.createLinearGradient(0, 0, 64, 64);
	for (const [at, colour] of ["#000000", "#c02040", "#40c020", "#2040c0", "#ffffff"].entries()) colours.addColorStop(at / 4, colour);
	smooth.fillStyle = colours;
	smooth.fillRect(0, 0, 64, 64);
	const blob = await new Promise<Blob | null>((resolve) => smooth.canvas.toBlob(resolve, "image/jpeg", 0.9));
	const data = new Uint8Array(await (blob as Blob).arrayBuffer());
	const element = new Image();
	element.src = URL.createObjectURL(blob as Blob);
	await element.decode();
	const context = painted();
	context.drawImage(element, 0, 0);
	return { data, shown: pixels(context) };
}

test("an image is decoded beside the page, and looks as an element shows it", async () => {
	const { data, shown } = await jpeg();
	const { images, given } = display();
	decodeAside(images, () => undefined);
	images.imageRect(0, 0, 64, 64, "image/jpeg", data);
	const [frame] = given as [Frame];
	assert(!frame.ready, "decoded later");
	data.fill(0); // noVNC uses its memory again
	await frame.promise;
	const context = painted();
	context.drawImage(frame.frame as CanvasImageSource, 0, 0, 64, 64, 0, 0, 64, 64);
	const off = pixels(context).reduce((sum, value, at) => sum + Math.abs(value - (shown[at] as number)), 0) / shown.length;
	assert(off < 2, `another picture, by ${off}`);
	images.imageRect(0, 0, 0, 64, "image/jpeg", data);
	equals(given.length, 1);
});

test("what is no image ends the stream, once it is over nobody is told", async () => {
	const { data } = await jpeg();
	for (const [width, bytes] of [
		[63, data],
		[64, new Uint8Array(data.length)],
	] as const) {
		const { images } = display();
		await new Promise<void>((resolve) => {
			decodeAside(images, resolve);
			images.imageRect(0, 0, width, 64, "image/jpeg", bytes);
		});
	}
	const { images, given } = display();
	let told = 0;
	const end = decodeAside(images, () => told++);
	images.imageRect(0, 0, 64, 64, "image/jpeg", data);
	images.imageRect(0, 0, 64, 64, "image/jpeg", new Uint8Array(9));
	end();
	await new Promise((resolve) => setTimeout(resolve, 300));
	equals(told, 0);
	assert(!given.some(({ ready }) => ready), "given back");
});

async function until(holds: () => boolean): Promise<void> {
	for (let n = 0; n < 1000 && !holds(); n++) await new Promise((resolve) => setTimeout(resolve, 20));
}

test("updates that came together are shown together", async () => {
	let shown = 0;
	let queued = 0;
	let waits = false;
	const fake = { pending: () => waits, flip: (fromQueue?: boolean) => void (fromQueue ? shown++ : queued++) };
	gatherFlips(fake);
	for (let n = 0; n < 5; n++) fake.flip();
	equals(shown, 0);
	const told = (count: number) => until(() => shown >= count);
	await told(1);
	equals(shown, 1);
	waits = true;
	fake.flip();
	equals(queued, 1);
	fake.flip(true);
	await told(2);
	equals(shown, 2);
});
