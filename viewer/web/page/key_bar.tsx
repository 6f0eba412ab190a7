// key_bar: keys that a phone lacks, and those that a browser or a desktop keeps for itself. Modifiers stay down until
// the next key.

import { KEY } from "../input/keysyms";
import type { Session } from "./session";
import { w } from "./words";

const MODIFIERS: [string, number][] = [
	["Ctrl", KEY.control],
	["Alt", KEY.alt],
	["Shift", KEY.shift],
	["Win", KEY.win],
];
const KEYS: [string, number][] = [
	["Esc", KEY.escape],
	["Tab", KEY.tab],
	["Enter", KEY.enter],
	["⌫", KEY.backspace],
	["Del", KEY.delete],
	["←", KEY.left],
	["↑", KEY.up],
	["↓", KEY.down],
	["→", KEY.right],
	["Home", KEY.home],
	["End", KEY.end],
	["PgUp", KEY.pageUp],
	["PgDn", KEY.pageDown],
	["Ins", KEY.insert],
	["PrtSc", KEY.printScreen],
	["半角/全角", KEY.zenkaku],
	["変換", KEY.henkan],
	["無変換", KEY.muhenkan],
];
const FUNCTIONS: [string, number][] = Array.from({ length: 12 }, (_, i) => [`F${i + 1}`, KEY.f1 + i]);
const NAMES: Record<string, string> = { "⌫": "Backspace", "←": "Left", "↑": "Up", "↓": "Down", "→": "Right" };

export function KeyBar(props: { session: Session }) {
	const { session } = props;
	const { latched, officeIme } = session.state.use();
	const { keyboard } = session;
	// The phone's keyboard stays, and what is held stays held: the field keeps the focus.
	const keep = (event: Event) => event.preventDefault();
	const key = ([name, keysym]: [string, number]) => (
		<button key={name} type="button" class="key" aria-label={NAMES[name]} onPointerDown={keep} onClick={() => keyboard.tap(keysym)}>
			{name}
		</button>
	);
	return (
		<section class="key-bar" aria-label={w().session.keys} data-latched={latched}>
			{MODIFIERS.map(([name, keysym]) => (
				<button
					key={name}
					type="button"
					class="key"
					aria-pressed={keyboard.latchedKeys.has(keysym)}
					onPointerDown={keep}
					onClick={() => session.latch(keysym)}
				>
					{name}
				</button>
			))}
			{KEYS.map(key)}
			{FUNCTIONS.map(key)}
			<button type="button" class="key" onPointerDown={keep} onClick={() => keyboard.chord(KEY.control, KEY.alt, KEY.delete)}>
				Ctrl+Alt+Del
			</button>
			<label class="ime" title={w().session.ime_hint}>
				{w().session.ime}
				<select value={officeIme ? "office" : "here"} onChange={(event) => session.officeIme(event.currentTarget.value === "office")}>
					<option value="here">{w().session.ime_here}</option>
					<option value="office">{w().session.ime_office}</option>
				</select>
			</label>
		</section>
	);
}
