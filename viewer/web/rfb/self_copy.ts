// self_copy: moves a part of a canvas within it, as CopyRect asks for when something is scrolled.
//
// Before a canvas is drawn on itself, Chromium copies all of it: 27 ms for a full screen, for each of the hundred
// pieces that one scrolled line can be (measured; the page stood still for seconds). Pixels that are read and put
// back cost what is moved and no more, and may overlap.

export function copyItselfByPixels(context: CanvasRenderingContext2D): void {
	const draw = context.drawImage.bind(context) as (...given: unknown[]) => void;
	context.drawImage = (image: CanvasImageSource, ...at: number[]) => {
		const [fromX, fromY, width, height, x, y] = at;
		if (image !== context.canvas || at.length !== 8) return draw(image, ...at);
		context.putImageData(context.getImageData(fromX as number, fromY as number, width as number, height as number), x as number, y as number);
	};
}
