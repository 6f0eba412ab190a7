// flips: when what was drawn aside is put on the canvas that is shown.
//
// noVNC does it after each update, and our host sends many small ones, the most urgent first. Those that have
// arrived already are drawn first, and then shown together: alone an update is shown as soon as ever, and a page
// that is behind catches up instead of showing each step of the way.

interface Flips {
	pending(): boolean;
	flip(fromQueue?: boolean): void;
}

export function gatherFlips(display: Flips): void {
	const flip = display.flip.bind(display);
	// A message to ourselves comes behind those of the worker that are here already.
	const { port1, port2 } = new MessageChannel();
	let due = false;
	port1.onmessage = () => {
		due = false;
		flip(true);
	};
	display.flip = (fromQueue) => {
		// Behind an image that is being decoded: it will be asked for again when it is its turn.
		if (!fromQueue && display.pending()) return flip();
		if (due) return;
		due = true;
		port2.postMessage(null);
	};
}
