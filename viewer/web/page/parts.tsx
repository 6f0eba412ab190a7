// parts: buttons, fields, windows and refusals, in the looks of the console.

import type { ComponentChildren } from "preact";
import { useId, useLayoutEffect, useRef } from "preact/hooks";

import { duration, moment } from "../../../gateway/console/src/format";
import { language } from "../../../gateway/console/src/settings";
import { reason } from "../base/reason";
import { fill, w } from "./words";

export interface ButtonProps {
	children: ComponentChildren;
	onClick?: (event: MouseEvent) => void;
	tone?: "plain" | "main" | "danger" | "quiet";
	type?: "button" | "submit";
	disabled?: boolean;
	busy?: boolean;
	label?: string;
	small?: boolean;
}

export function Button(props: ButtonProps) {
	return (
		<button
			type={props.type ?? "button"}
			class={`button ${props.tone ?? "plain"}${props.small ? " small" : ""}`}
			onClick={props.onClick}
			disabled={props.disabled || props.busy}
			aria-busy={props.busy ? "true" : undefined}
			aria-label={props.label}
		>
			{props.children}
		</button>
	);
}

export interface FieldProps {
	label: string;
	value: string;
	onValue: (value: string) => void;
	hint?: string;
	error?: string | undefined;
	type?: "text" | "password";
	name?: string;
	autoComplete?: string;
	/** Keys and codes: no corrections, wide letters. */
	code?: boolean;
	digits?: boolean;
	first?: boolean;
}

export function Field(props: FieldProps) {
	const id = useId();
	const described = [props.hint && `${id}-hint`, props.error && `${id}-error`].filter(Boolean).join(" ");
	const made = {
		id,
		name: props.name,
		class: props.code ? "code" : undefined,
		value: props.value,
		onInput: (event: { currentTarget: HTMLInputElement }) => props.onValue(event.currentTarget.value),
		autocomplete: props.autoComplete ?? "off",
		autocapitalize: props.code ? ("characters" as const) : ("off" as const),
		autocorrect: "off",
		spellcheck: false,
		inputMode: props.digits ? ("numeric" as const) : undefined,
		"aria-describedby": described || undefined,
		"aria-invalid": props.error ? ("true" as const) : undefined,
		"data-first": props.first ? "" : undefined,
	};
	return (
		<div class="field">
			<label for={id}>{props.label}</label>
			{props.type === "password" ? <input type="password" {...made} /> : <input type="text" {...made} />}
			{props.hint && (
				<p class="hint" id={`${id}-hint`}>
					{props.hint}
				</p>
			)}
			{props.error && (
				<p class="field-error" id={`${id}-error`}>
					{props.error}
				</p>
			)}
		</div>
	);
}

export interface Refusal {
	/** Symbol of reason.def. */
	why: string;
	detail: string;
	retryMs: number;
}

/** The gateway writes moments in UTC; who reads them here has a clock of his own. */
function byOwnClock(detail: string): string {
	return detail.replace(/\b\d{4}-\d\d-\d\dT[\d:.]+Z/g, (text) => moment(Date.parse(text)));
}

/** What was refused, why and what to do, as the native viewer says it, with the code that support asks for. */
export function RefusalBox(props: { refusal: Refusal; title?: string; children?: ComponentChildren }) {
	const { why, detail, retryMs } = props.refusal;
	const text = reason(why)[language.use()];
	return (
		<div class="problem" role="alert" data-why={why}>
			<p class="problem-title">{props.title ? `${props.title}: ${text.message}` : text.message}</p>
			<p>
				{text.hint}
				{retryMs > 0 && ` ${fill(w().retry_in, { time: duration(retryMs) })}`}
			</p>
			<p class="muted problem-code">
				{w().code}: <code>{why}</code>
				{detail && <span> · {byOwnClock(detail)}</span>}
			</p>
			{props.children && <div class="actions">{props.children}</div>}
		</div>
	);
}

export interface DialogProps {
	title: string;
	onClose: () => void;
	children: ComponentChildren;
}

/** The browser's own <dialog> keeps the focus inside and gives it back. */
export function Dialog(props: DialogProps) {
	language.use();
	const element = useRef<HTMLDialogElement>(null);
	const title = useId();
	// Before the paint: whoever sees it types into it.
	useLayoutEffect(() => {
		const dialog = element.current;
		const before = document.activeElement as HTMLElement | null;
		dialog?.showModal();
		(dialog?.querySelector<HTMLElement>("[data-first]") ?? dialog)?.focus();
		return () => {
			dialog?.close();
			if (before?.isConnected) before.focus();
		};
	}, []);
	return (
		<dialog
			ref={element}
			class="dialog"
			aria-labelledby={title}
			onCancel={(event) => {
				event.preventDefault();
				props.onClose();
			}}
		>
			<header class="dialog-head">
				<h2 id={title}>{props.title}</h2>
				<button type="button" class="icon-button" aria-label={w().act.close} onClick={props.onClose}>
					×
				</button>
			</header>
			<div class="dialog-body">{props.children}</div>
		</dialog>
	);
}

export function DialogForm(props: { children: ComponentChildren; act: string; danger?: boolean; onSubmit: () => void; onCancel: () => void }) {
	return (
		<form
			noValidate
			onSubmit={(event) => {
				event.preventDefault();
				props.onSubmit();
			}}
		>
			{props.children}
			<footer class="dialog-actions">
				<Button onClick={props.onCancel}>{w().act.cancel}</Button>
				<Button type="submit" tone={props.danger ? "danger" : "main"}>
					{props.act}
				</Button>
			</footer>
		</form>
	);
}
