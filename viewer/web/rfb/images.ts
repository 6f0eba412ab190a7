// images: the photographs of a picture. noVNC writes each as a data: address in base64 and has an element load it;
// here the bytes are decoded as they are, beside the page's own thread, and drawn when it is their turn.

type Picture = VideoFrame | ImageBitmap;

/** As noVNC knows it of video. */
interface Frame {
	ready: boolean;
	frame: Picture | null;
	promise: Promise<void>;
}

interface Images {
	readonly _renderQ: { frame?: Frame }[];
	imageRect(x: number, y: number, width: number, height: number, type: string, data: Uint8Array): void;
	videoFrame(x: number, y: number, width: number, height: number, frame: object): void;
}

/** Not in every browser; TypeScript's library has it not at all. */
interface Decoder {
	decode(): Promise<{ image: VideoFrame }>;
	close(): void;
}
const { ImageDecoder } = globalThis as { ImageDecoder?: new (given: { data: Uint8Array; type: string }) => Decoder };

async function decoded(data: Uint8Array, type: string): Promise<Picture> {
	// A Blob goes through another process.
	if (!ImageDecoder) return createImageBitmap(new Blob([data as Uint8Array<ArrayBuffer>], { type }));
	const decoder = new ImageDecoder({ data, type });
	try {
		return (await decoder.decode()).image;
	} finally {
		decoder.close();
	}
}

const size = (of: Picture) => ("displayWidth" in of ? [of.displayWidth, of.displayHeight] : [of.width, of.height]);

/** `broken`: what came is not that image; the stream is of no use any more. What is returned ends it: images that
 * wait are given back. */
export function decodeAside(display: Images, broken: () => void): () => void {
	let isOver = false;
	const arrived = (found: Picture, width: number, height: number): Picture => {
		const [w, h] = size(found);
		if (!isOver && w === width && h === height) return found;
		found.close();
		throw new RangeError("not what was asked for");
	};
	display.imageRect = (x, y, width, height, type, data) => {
		if (!width || !height) return;
		const work = decoded(data, type);
		const frame: Frame = { ready: false, frame: null, promise: Promise.resolve() };
		// One that fails must leave noVNC waiting: it would ask again and again, and do nothing else.
		frame.promise = new Promise((resolve) => {
			const draw = (found: Picture) => {
				frame.frame = arrived(found, width, height);
				frame.ready = true;
				resolve();
			};
			work.then(draw).catch(() => !isOver && broken());
		});
		display.videoFrame(x, y, width, height, frame);
	};
	return () => {
		isOver = true;
		for (const { frame } of display._renderQ.splice(0)) frame?.frame?.close();
	};
}
