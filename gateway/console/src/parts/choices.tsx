// choices: a row of buttons of which one holds; language and colours.

import { ask, me } from "../api/client";
import { chooseLanguage, chooseTheme, type Language, language, type Theme, theme } from "../settings";
import { w } from "../words";
import { SelectField } from "./form";

export function Segments<T extends string>(props: { label: string; now: T; options: [T, string, string?][]; onChange: (value: T) => void }) {
	return (
		<div class="segments" role="group" aria-label={props.label}>
			{props.options.map(([value, text, tongue]) => (
				<button key={value} type="button" lang={tongue} aria-pressed={value === props.now ? "true" : "false"} onClick={() => props.onChange(value)}>
					{text}
				</button>
			))}
		</div>
	);
}

/** Each language by its own name: who cannot read the present one must find his. */
const NAMES: [Language, string, string][] = [
	["ja", "日本語", "ja"],
	["en", "English", "en"],
];

export function LanguageChoice() {
	const change = (value: Language) => {
		chooseLanguage(value);
		// The account remembers it for mails and other browsers; that it could not is no matter.
		if (me.get()) ask("PATCH", "/me", { body: { language: value } }).catch(() => undefined);
	};
	return <Segments label={w().shell.language} now={language.use()} options={NAMES} onChange={change} />;
}

/** The language in which somebody else is written to. */
export function LanguageField(props: { value: string; onValue: (value: string) => void }) {
	return <SelectField label={w().shell.language} {...props} options={NAMES.map(([value, text]) => ({ value, text }))} />;
}

export function ThemeChoice() {
	const words = w().shell;
	const options: [Theme, string][] = [
		["system", words.theme_system],
		["light", words.theme_light],
		["dark", words.theme_dark],
	];
	return <Segments label={words.colours} now={theme.use()} options={options} onChange={chooseTheme} />;
}
