// settings: what this browser remembers: language, colours and where its people sign in. Nothing else is
// kept here.

import { cell } from "./cell";

export type Language = "ja" | "en";
export type Theme = "system" | "light" | "dark";

function kept(name: string): string | null {
	try {
		return localStorage.getItem(`engawa.${name}`);
	} catch {
		return null;
	}
}

function keep(name: string, value: string) {
	try {
		localStorage.setItem(`engawa.${name}`, value);
	} catch {
		// A browser that keeps nothing forgets it with the page.
	}
}

function firstLanguage(): Language {
	const value = kept("language");
	if (value === "ja" || value === "en") return value;
	return navigator.language.startsWith("ja") ? "ja" : "en";
}

function firstTheme(): Theme {
	const value = kept("theme");
	return value === "light" || value === "dark" ? value : "system";
}

export const language = cell<Language>(firstLanguage());
export const theme = cell<Theme>(firstTheme());

/** Only what somebody chose here outlasts the page; the account's own language is followed meanwhile. */
export function chooseLanguage(value: Language) {
	keep("language", value);
	language.set(value);
}

export function hasChosenLanguage() {
	return kept("language") !== null;
}

export function chooseTheme(value: Theme) {
	keep("theme", value);
	theme.set(value);
}

/** The directory by whose password somebody came in last; "": the password here. */
export function lastDirectory(): string {
	return kept("directory") ?? "";
}

export function keepDirectory(id: string) {
	keep("directory", id);
}

function show() {
	document.documentElement.lang = language.get();
	if (theme.get() === "system") delete document.documentElement.dataset.theme;
	else document.documentElement.dataset.theme = theme.get();
}

language.watch(show);
theme.watch(show);
show();
