// keyboard: what is typed becomes presses and releases of X keysyms at the host.
//
// Keys come from a text field, so that input methods, dead keys and the keyboards of phones work: a key that types
// one character is sent when it goes down; what a method or a compose sequence makes is sent as characters, when it
// is finished. Nothing stays down at the host that is not down here: a modifier that the browser does not report
// any more is released, and everything when the field, the window or the session is left.

import { characterKeysym, KEY, keyName, keysymOf, TAPPED } from "./keysyms";

const PASTE_MS = 500;
/** A field that is empty has nothing to delete, and says nothing when that is tried. */
const FILLER = "  ";
const MODIFIERS: Record<string, readonly string[]> = {
	Shift: ["ShiftLeft", "ShiftRight"],
	Control: ["ControlLeft", "ControlRight"],
	Alt: ["AltLeft", "AltRight"],
	Meta: ["MetaLeft", "MetaRight", "OSLeft", "OSRight"],
};
const LOCKS = new Set(["CapsLock", "NumLock", "Fn", "FnLock", "Hyper", "Symbol"]);
const IS_MODIFIER = new Set(["Shift", "Control", "Alt", "Meta", "OS", "Super"]);

export type Hotkey = "fullscreen" | "meter" | "scaling" | number;

export interface KeyboardOut {
	key(keysym: number, down: boolean): void;
	/** Whether what is pasted goes to the office's clipboard first. */
	mayPaste(): boolean;
	/** Resolves when the host has it. */
	paste(text: string): Promise<unknown>;
	/** Ctrl+Alt and a key that is for the viewer itself, as in the native one. */
	hotkey(hotkey: Hotkey): void;
}

export class Keyboard {
	/** By the place of the key: the keysym pressed at the host. */
	private readonly held = new Map<string, number>();
	/** Modifiers of the keys on the screen: until the next key. */
	private readonly latched = new Set<number>();
	/** What is typed behind a paste, and further texts, in their order. */
	private readonly queue: ([number, boolean] | Promise<string>)[] = [];
	private flowing = false;
	/** A key has asked for a text that the browser has not told yet. */
	private tell: ((text: string) => void) | null = null;
	private composing = false;
	private readonly isMac: boolean;
	private readonly ends = new AbortController();

	constructor(
		private readonly field: HTMLTextAreaElement,
		private readonly out: KeyboardOut,
		platform: string = navigator.platform,
	) {
		this.isMac = /^(Mac|iP)/.test(platform);
		const on = <K extends keyof HTMLElementEventMap>(name: K, act: (event: HTMLElementEventMap[K]) => void) =>
			field.addEventListener(name, act, { signal: this.ends.signal });
		on("keydown", (event) => this.down(event));
		on("keyup", (event) => this.up(event));
		on("beforeinput", (event) => this.before(event as InputEvent));
		on("input", () => this.refill());
		on("compositionstart", () => this.compose(true));
		on("compositionend", (event) => {
			this.compose(false);
			this.type(event.data);
			// Not before the browser has put its own text in.
			setTimeout(() => this.refill());
		});
		on("paste", (event) => this.pasted(event as ClipboardEvent));
		on("blur", () => this.release());
		const leave = () => this.release();
		window.addEventListener("blur", leave, { signal: this.ends.signal });
		window.addEventListener("pagehide", leave, { signal: this.ends.signal });
		document.addEventListener("visibilitychange", leave, { signal: this.ends.signal });
		this.refill();
	}

	end(): void {
		this.release();
		this.ends.abort();
	}

	/** Up at the host, whatever is down; behind a paste like all that is typed. */
	release(): void {
		for (const keysym of this.held.values()) this.emit(keysym, false);
		this.held.clear();
		for (const keysym of this.latched) this.emit(keysym, false);
		this.latched.clear();
	}

	/** Characters that no key of ours types. */
	type(text: string | null): void {
		for (const character of text ?? "") this.tap(characterKeysym(character));
	}

	/** A key of the screen. */
	tap(keysym: number): void {
		if (!keysym) return;
		this.emit(keysym, true);
		this.emit(keysym, false);
		this.unlatch();
	}

	/** Several at once: Ctrl-Alt-Del. */
	chord(...keysyms: number[]): void {
		for (const keysym of keysyms) this.emit(keysym, true);
		for (const keysym of keysyms.reverse()) this.emit(keysym, false);
		this.unlatch();
	}

	/** A modifier of the screen: down until the next key, or until it is touched again. */
	latch(keysym: number): boolean {
		const down = !this.latched.has(keysym);
		if (down) this.latched.add(keysym);
		else this.latched.delete(keysym);
		this.emit(keysym, down);
		return down;
	}

	get latchedKeys(): ReadonlySet<number> {
		return this.latched;
	}

	/** Whoever shows the latched ones is told. */
	onlatch: (() => void) | null = null;

	// ---- keys

	private down(event: KeyboardEvent): void {
		// The input method has it; what becomes of it comes as text.
		if (event.isComposing || event.keyCode === 229 || event.key === "Process" || event.key === "Dead") return;
		const name = keyName(event);
		this.settle(event);
		if (name === "AltGraph") return this.altGraph(event);
		if (LOCKS.has(name) || (this.isMac && name === "Alt")) return;
		if (this.hotkey(event)) return event.preventDefault();
		const keysym = this.keysym(event);
		if (!keysym) return;
		if (this.isPaste(event)) this.hold();
		else event.preventDefault();
		if (TAPPED.has(name)) {
			if (!event.repeat) this.tap(keysym);
			return;
		}
		if (event.getModifierState("AltGraph") && [...name].length === 1) this.let("ControlLeft", "AltRight");
		this.press(event.code || name, keysym, IS_MODIFIER.has(name));
	}

	private up(event: KeyboardEvent): void {
		this.let(event.code || keyName(event));
		// A Mac tells no release of a key while Command is down.
		if (this.isMac && event.key === "Meta") this.release();
		this.settle(event);
	}

	private keysym(event: KeyboardEvent): number {
		// Command does on a Mac what Control does at the office.
		if (this.isMac && event.key === "Meta") return KEY.control;
		return keysymOf(event);
	}

	private press(place: string, keysym: number, isModifier: boolean): void {
		const before = this.held.get(place);
		// The same place with another character: Shift changed while it repeats.
		if (before && before !== keysym) this.emit(before, false);
		this.held.set(place, keysym);
		this.emit(keysym, true);
		if (!isModifier) this.unlatch();
	}

	private let(...places: string[]): void {
		for (const place of places) {
			const keysym = this.held.get(place);
			this.held.delete(place);
			if (keysym) this.emit(keysym, false);
		}
	}

	/** It only chooses characters. Windows puts a Control before it that nobody pressed. */
	private altGraph(event: KeyboardEvent): void {
		event.preventDefault();
		this.let("ControlLeft");
	}

	/** What the browser does not hold down any more is not held down at the host: its release was seen by others. */
	private settle(event: KeyboardEvent): void {
		for (const [name, places] of Object.entries(MODIFIERS)) {
			if (event.key === name || event.getModifierState(name)) continue;
			this.let(...places.filter((place) => this.held.has(place)));
		}
	}

	private hotkey(event: KeyboardEvent): boolean {
		if (!event.ctrlKey || !event.altKey || event.shiftKey || event.metaKey || event.getModifierState("AltGraph")) return false;
		const found: Record<string, Hotkey> = { Enter: "fullscreen", KeyM: "meter", KeyS: "scaling" };
		const digit = /^Digit(\d)$/.exec(event.code);
		const hotkey = digit ? Number(digit[1]) : found[event.code];
		if (hotkey === undefined) return false;
		this.release();
		if (!event.repeat) this.out.hotkey(hotkey);
		return true;
	}

	private emit(keysym: number, down: boolean): void {
		if (this.flowing) this.queue.push([keysym, down]);
		else this.out.key(keysym, down);
	}

	private unlatch(): void {
		if (!this.latched.size) return;
		for (const keysym of this.latched) this.emit(keysym, false);
		this.latched.clear();
		this.onlatch?.();
	}

	// ---- pasting: the text goes ahead of the keys that ask for it

	private isPaste(event: KeyboardEvent): boolean {
		const v = event.code === "KeyV" || event.key.toLowerCase() === "v";
		const chord = v && (event.ctrlKey || event.metaKey) && !event.altKey;
		const classic = event.key === "Insert" && event.shiftKey && !event.ctrlKey && !event.altKey;
		return (chord || classic) && !event.repeat && this.out.mayPaste();
	}

	private hold(): void {
		const text = new Promise<string>((resolve) => {
			const tell = (found: string) => {
				clearTimeout(timer);
				if (this.tell === tell) this.tell = null;
				resolve(found);
			};
			const timer = setTimeout(tell, PASTE_MS, "");
			this.tell = tell;
		});
		this.queue.push(text);
		void this.flow();
	}

	/** The next text goes when the keys before it have gone: they paste the one before. */
	private async flow(): Promise<void> {
		if (this.flowing) return;
		this.flowing = true;
		for (let next = this.queue.shift(); next; next = this.queue.shift()) {
			if (!(next instanceof Promise)) {
				this.out.key(...next);
				continue;
			}
			const text = await next;
			if (text) await this.out.paste(text).catch(() => undefined);
		}
		this.flowing = false;
	}

	private pasted(event: ClipboardEvent): void {
		event.preventDefault();
		const text = event.clipboardData?.getData("text/plain") ?? "";
		if (this.tell) this.tell(text);
		else if (text && this.out.mayPaste()) {
			// From a menu of the browser, or of a phone: no key asked for it.
			this.queue.push(Promise.resolve(text));
			void this.flow();
			this.chord(KEY.control, 0x76);
		}
	}

	// ---- text

	private compose(on: boolean): void {
		this.composing = on;
		this.field.classList.toggle("composing", on);
	}

	private before(event: InputEvent): void {
		if (this.composing || event.isComposing) return;
		const keys: Record<string, number> = {
			insertLineBreak: KEY.enter,
			insertParagraph: KEY.enter,
			deleteContentBackward: KEY.backspace,
			deleteWordBackward: KEY.backspace,
			deleteContentForward: KEY.delete,
		};
		const keysym = keys[event.inputType];
		if (keysym) this.tap(keysym);
		else if (event.inputType === "insertText" || event.inputType === "insertReplacementText") this.type(event.data);
		if (event.cancelable) event.preventDefault();
	}

	private refill(): void {
		if (this.composing) return;
		this.field.value = FILLER;
		this.field.setSelectionRange(FILLER.length, FILLER.length);
	}
}
