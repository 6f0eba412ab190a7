// form: labelled fields, and one way to send them: the button waits, a refusal shows at its field.

import type { ComponentChildren } from "preact";
import { useId, useRef, useState } from "preact/hooks";

import { type Problem, problemOf } from "../api/problem";
import { w } from "../words";
import { Button, ProblemBox } from "./basics";

export interface FieldProps {
	label: string;
	hint?: string;
	error?: string;
	needed?: boolean;
	/** Gets what ties the control to its label, hint and error. */
	children: (tie: { id: string; "aria-describedby"?: string; "aria-invalid"?: "true" }) => ComponentChildren;
}

export function Field(props: FieldProps) {
	const id = useId();
	const described = [props.hint && `${id}-hint`, props.error && `${id}-error`].filter(Boolean).join(" ");
	return (
		<div class={`field${props.error ? " wrong" : ""}`}>
			<label for={id}>
				{props.label}
				{props.needed && <span class="needed"> ({w().state.required})</span>}
			</label>
			{props.children({
				id,
				"aria-describedby": described || undefined,
				"aria-invalid": props.error ? "true" : undefined,
			})}
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

export interface Form {
	problem: Problem | null;
	busy: boolean;
	/** What is wrong with this member of the request, if anything. */
	error(name: string): string | undefined;
	set(name: string, error: string): void;
	/** Somebody goes on typing: what was wrong may not be any more. */
	touch(): void;
	submit: (event: Event) => void;
}

/** `send` may set errors of fields and return false: then nothing was sent. */
export function useForm(send: (form: { set(name: string, error: string): void; once: string }) => Promise<unknown>): Form {
	const [problem, setProblem] = useState<Problem | null>(null);
	const [errors, setErrors] = useState<Record<string, string>>({});
	const [busy, setBusy] = useState(false);
	const once = useRef(crypto.randomUUID());
	const set = (name: string, error: string) => setErrors((old) => ({ ...old, [name]: error }));

	const submit = async (event: Event) => {
		event.preventDefault();
		const form = event.currentTarget as HTMLElement;
		if (busy) return;
		setBusy(true);
		setErrors({});
		setProblem(null);
		try {
			await send({ set, once: once.current });
			once.current = crypto.randomUUID();
		} catch (error) {
			const found = problemOf(error);
			// The detail begins with the field's name, for those who read it without its field.
			if (found.field) set(found.field, found.detail.replace(`${found.field}: `, "") || found.message);
			setProblem(found);
			// What was refused may be put right and sent as another act.
			if (found.status >= 400 && found.status < 500) once.current = crypto.randomUUID();
		}
		setBusy(false);
		queueMicrotask(() => form.querySelector<HTMLElement>("[aria-invalid]")?.focus());
	};
	return { problem, busy, error: (name) => errors[name], set, touch: () => setErrors({}), submit: (event) => void submit(event) };
}

export function FormBody(props: {
	form: Form;
	children: ComponentChildren;
	act: string;
	danger?: boolean;
	onCancel?: () => void;
	more?: ComponentChildren;
}) {
	return (
		<form onSubmit={props.form.submit} onInput={props.form.touch} noValidate>
			{props.children}
			<ProblemBox problem={props.form.problem} />
			<footer class="dialog-actions">
				{props.more}
				{props.onCancel && <Button onClick={props.onCancel}>{w().act.cancel}</Button>}
				<Button type="submit" tone={props.danger ? "danger" : "main"} busy={props.form.busy}>
					{props.act}
				</Button>
			</footer>
		</form>
	);
}

type InputType = "text" | "password" | "email" | "number" | "date" | "datetime-local" | "time" | "url" | "search";
type Value = { value: string; onValue: (value: string) => void };

export function TextField(
	props: Omit<FieldProps, "children"> &
		Value & {
			type?: InputType;
			autoComplete?: string;
			inputMode?: "text" | "numeric" | "decimal" | "email";
			placeholder?: string;
			maxLength?: number;
			first?: boolean;
			min?: number | string;
			max?: number | string;
		},
) {
	return (
		<Field label={props.label} hint={props.hint} error={props.error} needed={props.needed}>
			{(tie) => (
				<input
					{...tie}
					type={(props.type ?? "text") as "text"}
					value={props.value}
					autoComplete={props.autoComplete ?? "off"}
					inputMode={props.inputMode}
					placeholder={props.placeholder}
					maxLength={props.maxLength}
					min={props.min}
					max={props.max}
					spellcheck={false}
					data-first={props.first ? "" : undefined}
					onInput={(event) => props.onValue(event.currentTarget.value)}
				/>
			)}
		</Field>
	);
}

export function TextArea(props: Omit<FieldProps, "children"> & Value & { rows?: number; maxLength?: number }) {
	return (
		<Field label={props.label} hint={props.hint} error={props.error} needed={props.needed}>
			{(tie) => (
				<textarea
					{...tie}
					rows={props.rows ?? 3}
					value={props.value}
					maxLength={props.maxLength}
					spellcheck={false}
					onInput={(event) => props.onValue(event.currentTarget.value)}
				/>
			)}
		</Field>
	);
}

export type Option = { value: string; text: string };

export function SelectField(props: Omit<FieldProps, "children"> & Value & { options: Option[] }) {
	return (
		<Field label={props.label} hint={props.hint} error={props.error} needed={props.needed}>
			{(tie) => (
				<select {...tie} value={props.value} onChange={(event) => props.onValue(event.currentTarget.value)}>
					{props.options.map((option) => (
						<option key={option.value} value={option.value} selected={option.value === props.value}>
							{option.text}
						</option>
					))}
				</select>
			)}
		</Field>
	);
}

export function CheckField(props: { label: string; hint?: string; value: boolean; onValue: (value: boolean) => void; disabled?: boolean }) {
	const id = useId();
	return (
		<div class="field check">
			<input
				id={id}
				type="checkbox"
				checked={props.value}
				disabled={props.disabled}
				aria-describedby={props.hint ? `${id}-hint` : undefined}
				onChange={(event) => props.onValue(event.currentTarget.checked)}
			/>
			<label for={id}>{props.label}</label>
			{props.hint && (
				<p class="hint" id={`${id}-hint`}>
					{props.hint}
				</p>
			)}
		</div>
	);
}

/** A choice of several: {value: chosen}. */
export function ChecksField(props: { label: string; hint?: string; error?: string; options: Option[]; value: string[]; onValue: (value: string[]) => void }) {
	return (
		<fieldset class="field checks">
			<legend>{props.label}</legend>
			{props.options.map((option) => (
				<CheckField
					key={option.value}
					label={option.text}
					value={props.value.includes(option.value)}
					onValue={(on) => props.onValue(on ? [...props.value, option.value] : props.value.filter((one) => one !== option.value))}
				/>
			))}
			{props.hint && <p class="hint">{props.hint}</p>}
			{props.error && <p class="field-error">{props.error}</p>}
		</fieldset>
	);
}

/** The browser's own button would speak the browser's language. */
export function FileField(props: { label: string; act: string; accept: string; onFile: (file: File | undefined) => void }) {
	const id = useId();
	const [name, setName] = useState("");
	return (
		<div class="field file">
			<span class="field-name" id={`${id}-name`}>
				{props.label}
			</span>
			<input
				id={id}
				class="hidden"
				type="file"
				accept={props.accept}
				aria-labelledby={`${id}-name`}
				onChange={(event) => {
					const file = event.currentTarget.files?.[0];
					setName(file?.name ?? "");
					props.onFile(file);
				}}
			/>
			<label class="button" for={id}>
				{props.act}
			</label>
			<span class="muted">{name}</span>
		</div>
	);
}

/** A search or filter field: labelled for those who do not see its place. */
export function Filter(props: Value & { label: string; type?: InputType; list?: Option[]; wide?: boolean; placeholder?: string }) {
	if (props.list)
		return (
			<label class="filter">
				<span>{props.label}</span>
				<select value={props.value} onChange={(event) => props.onValue(event.currentTarget.value)}>
					{props.list.map((option) => (
						<option key={option.value} value={option.value} selected={option.value === props.value}>
							{option.text}
						</option>
					))}
				</select>
			</label>
		);
	return (
		<label class={`filter${props.wide ? " wide" : ""}`}>
			<span>{props.label}</span>
			<input
				type={(props.type ?? "search") as "text"}
				value={props.value}
				placeholder={props.placeholder}
				autoComplete="off"
				spellcheck={false}
				onInput={(event) => props.onValue(event.currentTarget.value)}
			/>
		</label>
	);
}
