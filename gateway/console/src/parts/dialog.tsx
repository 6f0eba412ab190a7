// dialog: windows over the page. The browser's own <dialog> keeps the focus inside and gives it back;
// what is here adds headings, forms, and confirmations that name what they are about.

import type { ComponentChildren } from "preact";
import { render } from "preact";
import { useId, useLayoutEffect, useRef, useState } from "preact/hooks";

import { type Problem, problemOf } from "../api/problem";
import { language } from "../settings";
import { w } from "../words";
import { Button, ProblemBox } from "./basics";

export interface DialogProps {
	title: string;
	onClose: () => void;
	children: ComponentChildren;
	/** Esc does not close it: something would be lost. */
	keep?: boolean;
	wide?: boolean;
}

export function Dialog(props: DialogProps) {
	language.use();
	const element = useRef<HTMLDialogElement>(null);
	const title = useId();
	const before = useRef(document.activeElement as HTMLElement | null);

	useLayoutEffect(() => {
		const dialog = element.current;
		if (!dialog) return undefined;
		dialog.showModal();
		const first = dialog.querySelector<HTMLElement>("[data-first]") ?? dialog.querySelector<HTMLElement>("input, select, textarea");
		(first ?? dialog).focus();
		const back = before.current;
		return () => {
			dialog.close();
			if (back?.isConnected) back.focus();
			else document.getElementById("title")?.focus();
		};
	}, []);

	return (
		<dialog
			ref={element}
			class={`dialog${props.wide ? " wide" : ""}`}
			aria-labelledby={title}
			onCancel={(event) => {
				event.preventDefault();
				if (event.target === element.current && !props.keep) props.onClose();
			}}
		>
			<header class="dialog-head">
				<h2 id={title}>{props.title}</h2>
				{!props.keep && (
					<button type="button" class="icon-button" aria-label={w().act.close} onClick={props.onClose}>
						×
					</button>
				)}
			</header>
			<div class="dialog-body">{props.children}</div>
		</dialog>
	);
}

export function DialogActions(props: { children: ComponentChildren }) {
	return <footer class="dialog-actions">{props.children}</footer>;
}

export interface Question {
	title: string;
	text: string;
	/** What the button says: the act, not "OK". */
	act: string;
	danger?: boolean;
	run: () => Promise<unknown>;
}

function Confirm(props: { question: Question; done: (did: boolean) => void }) {
	const [problem, setProblem] = useState<Problem | null>(null);
	const [busy, setBusy] = useState(false);
	const { question } = props;

	const run = async () => {
		setBusy(true);
		setProblem(null);
		try {
			await question.run();
			props.done(true);
		} catch (error) {
			setProblem(problemOf(error));
			setBusy(false);
		}
	};
	return (
		<Dialog title={question.title} onClose={() => props.done(false)}>
			<p class="question">{question.text}</p>
			<ProblemBox problem={problem} />
			<DialogActions>
				<Button onClick={() => props.done(false)} autoFocus>
					{w().act.cancel}
				</Button>
				<Button tone={question.danger ? "danger" : "main"} busy={busy} onClick={run}>
					{question.act}
				</Button>
			</DialogActions>
		</Dialog>
	);
}

/** Shows a window that is no part of a page and calls back when it is answered. */
export function open<T>(make: (done: (value: T) => void) => ComponentChildren): Promise<T> {
	return new Promise((resolve) => {
		const place = document.createElement("div");
		document.body.append(place);
		const done = (value: T) => {
			render(null, place);
			place.remove();
			resolve(value);
		};
		render(<>{make(done)}</>, place);
	});
}

/** Asks before an act, carries it out, shows why it failed. True when it was done. */
export function confirm(question: Question): Promise<boolean> {
	return open<boolean>((done) => <Confirm question={question} done={done} />);
}
