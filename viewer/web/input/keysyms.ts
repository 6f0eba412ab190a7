// keysyms: X keysyms (X11/keysymdef.h) of what a browser calls its keys (UI Events KeyboardEvent key Values).
//
// Caps Lock, Num Lock and AltGr are missing on purpose: what they do is already in the characters that are sent,
// and at the host they would do it a second time.

/** Left and right, or elsewhere and on the number pad. */
const NAMED: Record<string, number | [number, number]> = {
	Backspace: 0xff08,
	Tab: 0xff09,
	Clear: 0xff0b,
	Enter: 0xff0d,
	Pause: 0xff13,
	ScrollLock: 0xff14,
	PrintScreen: 0xff61,
	Escape: 0xff1b,
	Delete: 0xffff,
	Home: 0xff50,
	ArrowLeft: 0xff51,
	ArrowUp: 0xff52,
	ArrowRight: 0xff53,
	ArrowDown: 0xff54,
	PageUp: 0xff55,
	PageDown: 0xff56,
	End: 0xff57,
	Select: 0xff60,
	Execute: 0xff62,
	Insert: 0xff63,
	Undo: 0xff65,
	Redo: 0xff66,
	ContextMenu: 0xff67,
	Find: 0xff68,
	Cancel: 0xff69,
	Help: 0xff6a,
	Shift: [0xffe1, 0xffe2],
	Control: [0xffe3, 0xffe4],
	Alt: [0xffe9, 0xffea],
	Meta: [0xffeb, 0xffec],
	OS: [0xffeb, 0xffec],
	Super: [0xffeb, 0xffec],
	AudioVolumeMute: 0x1008ff12,
	AudioVolumeDown: 0x1008ff11,
	AudioVolumeUp: 0x1008ff13,
	MediaPlayPause: 0x1008ff14,
	MediaStop: 0x1008ff15,
	MediaTrackPrevious: 0x1008ff16,
	MediaTrackNext: 0x1008ff17,
	// Korean and Japanese. What types a character (ろ, ¥) comes as that character.
	KanjiMode: 0xff21,
	NonConvert: 0xff22,
	Convert: 0xff23,
	Romaji: 0xff24,
	Hiragana: 0xff25,
	Katakana: 0xff26,
	HiraganaKatakana: 0xff27,
	KanaMode: 0xff27,
	Zenkaku: 0xff2a,
	Hankaku: 0xff2a,
	ZenkakuHankaku: 0xff2a,
	Eisu: 0xff30,
	Alphanumeric: 0xff30,
	HangulMode: 0xff31,
	HanjaMode: 0xff34,
};

/** Keys that some systems report when pressed only, or when released only: sent as one tap. */
export const TAPPED = new Set(
	"KanjiMode NonConvert Convert Romaji Hiragana Katakana HiraganaKatakana KanaMode Zenkaku Hankaku ZenkakuHankaku Eisu Alphanumeric HangulMode HanjaMode".split(
		" ",
	),
);

const NUMPAD: Record<string, number> = {
	Enter: 0xff8d,
	"=": 0xffbd,
	"*": 0xffaa,
	"+": 0xffab,
	",": 0xffac,
	"-": 0xffad,
	".": 0xffae,
	"/": 0xffaf,
	Home: 0xff95,
	ArrowLeft: 0xff96,
	ArrowUp: 0xff97,
	ArrowRight: 0xff98,
	ArrowDown: 0xff99,
	PageUp: 0xff9a,
	PageDown: 0xff9b,
	End: 0xff9c,
	Clear: 0xff9d,
	Insert: 0xff9e,
	Delete: 0xff9f,
};

/** Where a browser knows the place of a key, but has no name for it. */
const BY_CODE: Record<string, string> = {
	Convert: "Convert",
	NonConvert: "NonConvert",
	KanaMode: "HiraganaKatakana",
	Lang1: "HangulMode",
	Lang2: "HanjaMode",
	Lang3: "Katakana",
	Lang4: "Hiragana",
	Lang5: "ZenkakuHankaku",
};

export const KEY = {
	backspace: 0xff08,
	tab: 0xff09,
	enter: 0xff0d,
	escape: 0xff1b,
	delete: 0xffff,
	home: 0xff50,
	left: 0xff51,
	up: 0xff52,
	right: 0xff53,
	down: 0xff54,
	pageUp: 0xff55,
	pageDown: 0xff56,
	end: 0xff57,
	insert: 0xff63,
	f1: 0xffbe,
	shift: 0xffe1,
	control: 0xffe3,
	alt: 0xffe9,
	win: 0xffeb,
	printScreen: 0xff61,
	zenkaku: 0xff2a,
	henkan: 0xff23,
	muhenkan: 0xff22,
} as const;

const LOCATION_RIGHT = 2;
const LOCATION_NUMPAD = 3;
const UNICODE = 0x01000000;

/** Latin-1 characters are their own keysyms; all others have one in a range for them. */
export function characterKeysym(character: string): number {
	const code = character.codePointAt(0) ?? 0;
	if (code === 0x0a || code === 0x0d) return KEY.enter;
	if (code === 0x09) return KEY.tab;
	if (code < 0x20 || (code >= 0x7f && code < 0xa0)) return 0;
	return code < 0x100 ? code : UNICODE | code;
}

/** The name by which a key is looked up; "" for one that is none of ours. */
export function keyName(event: { key: string; code: string }): string {
	return event.key === "Unidentified" || !event.key ? (BY_CODE[event.code] ?? "") : event.key;
}

/** 0 for a key that types nothing and does nothing at the host. */
export function keysymOf(event: { key: string; code: string; location: number }): number {
	const name = keyName(event);
	if (event.location === LOCATION_NUMPAD) {
		if (/^[0-9]$/.test(name)) return 0xffb0 + Number(name);
		const pad = NUMPAD[name];
		if (pad) return pad;
	}
	const digits = /^F(\d{1,2})$/.exec(name);
	if (digits) return KEY.f1 + Number(digits[1]) - 1;
	const named = Object.hasOwn(NAMED, name) ? NAMED[name] : undefined;
	if (Array.isArray(named)) return named[event.location === LOCATION_RIGHT ? 1 : 0];
	if (named) return named;
	return [...name].length === 1 ? characterKeysym(name) : 0;
}
