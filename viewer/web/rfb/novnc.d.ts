// What desktop.ts uses of noVNC, its own inner parts included: noVNC has no other way to show a part of the
// picture or to tell what it has drawn.
declare module "@novnc/novnc" {
	interface Display {
		readonly _renderQ: { frame?: { ready: boolean; frame: VideoFrame | ImageBitmap | null; promise: Promise<void> } }[];
		imageRect(x: number, y: number, width: number, height: number, type: string, data: Uint8Array): void;
		videoFrame(x: number, y: number, width: number, height: number, frame: object): void;
		clipViewport: boolean;
		readonly width: number;
		readonly height: number;
		readonly _drawCtx: CanvasRenderingContext2D;
		readonly _viewportLoc: { x: number; y: number; w: number; h: number };
		pending(): boolean;
		flip(fromQueue?: boolean): void;
		viewportChangeSize(width: number, height: number): void;
		viewportChangePos(dx: number, dy: number): void;
	}
	interface Queue {
		readonly _rQi: number;
		readonly _rQlen: number;
		rQpeek8(): number;
		rQpeekBytes(length: number): Uint8Array;
		rQwait(name: string, length: number): boolean;
	}
	export default class RFB extends EventTarget {
		constructor(target: HTMLElement, channel: object, options?: { shared?: boolean });
		viewOnly: boolean;
		scaleViewport: boolean;
		clipViewport: boolean;
		dragViewport: boolean;
		focusOnClick: boolean;
		qualityLevel: number;
		compressionLevel: number;
		background: string;
		disconnect(): void;
		sendKey(keysym: number, code: string, down: boolean): void;
		protected _display: Display;
		protected _sock: Queue;
		protected _canvas: HTMLCanvasElement;
		protected _mouseButtonMask: number;
		protected _mousePos: { x?: number; y?: number };
		protected _enabledContinuousUpdates: boolean;
		protected _updateContinuousUpdates(): void;
		protected _updateClip(): void;
		protected _updateScale(): void;
		protected _handleMessage(): void;
		protected _framebufferUpdate(): boolean;
		protected _handleExtendedDesktopSize(): boolean;
		protected _handleMouseButton(x: number, y: number, mask: number): void;
	}
}
