// basics: buttons, badges, moments, the states of a part (loading, empty, error).

import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";

import { GIVEN_UP, type Problem, UNREACHABLE } from "../api/problem";
import { ago, bytes, minute, moment, utc } from "../format";
import { language } from "../settings";
import { fill, w } from "../words";

type Tone = "plain" | "main" | "danger" | "quiet";

export interface ButtonProps {
	children: ComponentChildren;
	onClick?: (event: MouseEvent) => void;
	tone?: Tone;
	type?: "button" | "submit";
	disabled?: boolean;
	busy?: boolean;
	label?: string;
	small?: boolean;
	autoFocus?: boolean;
}

export function Button(props: ButtonProps) {
	const tone = props.tone ?? "plain";
	return (
		<button
			type={props.type ?? "button"}
			class={`button ${tone}${props.small ? " small" : ""}`}
			onClick={props.onClick}
			disabled={props.disabled || props.busy}
			aria-busy={props.busy ? "true" : undefined}
			aria-label={props.label}
			data-first={props.autoFocus ? "" : undefined}
		>
			{props.children}
		</button>
	);
}

export type Mood = "good" | "warn" | "bad" | "calm" | "info";

/** Says its state by its word; the colour only helps. */
export function Badge(props: { mood: Mood; children: ComponentChildren }) {
	return <span class={`badge ${props.mood}`}>{props.children}</span>;
}

/** A moment in local time, with UTC when pointed at. */
export function When(props: { ms: number | undefined; short?: boolean; none?: string }) {
	if (!props.ms) return <span class="muted">{props.none ?? "–"}</span>;
	return (
		<time dateTime={utc(props.ms)} title={fill(w().state.utc, { time: utc(props.ms) })}>
			{props.short ? minute(props.ms) : moment(props.ms)}
		</time>
	);
}

/** "3 minutes ago"; keeps counting. */
export function Ago(props: { ms: number | undefined; none?: string }) {
	const [, tick] = useState(0);
	useEffect(() => {
		const timer = setInterval(() => tick((n) => n + 1), 30000);
		return () => clearInterval(timer);
	}, []);
	if (!props.ms) return <span class="muted">{props.none ?? "–"}</span>;
	return (
		<time dateTime={utc(props.ms)} title={`${moment(props.ms)} (${fill(w().state.utc, { time: utc(props.ms) })})`}>
			{ago(props.ms)}
		</time>
	);
}

export function Bytes(props: { value: number | undefined }) {
	return <span class="number">{props.value === undefined ? "–" : bytes(props.value)}</span>;
}

export function Loading() {
	return (
		<div class="state" role="status">
			<span class="spinner" aria-hidden="true" />
			{w().state.loading}
		</div>
	);
}

export function Empty(props: { text?: string; hint?: string; children?: ComponentChildren }) {
	return (
		<div class="state">
			<p>{props.text ?? w().state.empty}</p>
			{props.hint && <p class="muted">{props.hint}</p>}
			{props.children}
		</div>
	);
}

function textOf(problem: Problem): [string, string] {
	const words = w().problem;
	if (problem.code === UNREACHABLE) return [words.unreachable, words.unreachable_hint];
	if (problem.code === GIVEN_UP) return [words.given_up, ""];
	if (problem.code === "PAGE") return [words.page, words.page_hint];
	return [problem.message || words.title, problem.hint];
}

/** What was refused, why and what to do, with the code that support asks for. */
export function ProblemBox(props: { problem: Problem | null; retry?: () => void; title?: string }) {
	const problem = props.problem;
	if (!problem) return null;
	const [text, hint] = textOf(problem);
	return (
		<div class="problem" role="alert">
			<p class="problem-title">{props.title ? `${props.title}: ${text}` : text}</p>
			{hint && <p>{hint}</p>}
			<p class="muted problem-code">
				{w().problem.code}: <code>{problem.code}</code>
				{problem.detail && <span> · {problem.detail}</span>}
				{problem.code === "PAGE" && <span> · {problem.message}</span>}
			</p>
			{props.retry && (
				<Button small onClick={props.retry}>
					{w().act.retry}
				</Button>
			)}
		</div>
	);
}

interface DataLike<T> {
	value: T | undefined;
	problem: Problem | null;
	loading: boolean;
	again(): void;
}

/** The three states of a part: loading, refused, there. What was there stays when a later look fails. */
export function Shown<T>(props: { data: DataLike<T>; children: (value: T) => ComponentChildren }) {
	const { data } = props;
	return (
		<>
			<ProblemBox problem={data.problem} retry={data.again} />
			{data.value !== undefined ? props.children(data.value) : !data.problem && <Loading />}
		</>
	);
}

export function Card(props: { title?: ComponentChildren; actions?: ComponentChildren; children: ComponentChildren; wide?: boolean }) {
	return (
		<section class={`card${props.wide ? " wide" : ""}`}>
			{(props.title || props.actions) && (
				<header class="card-head">
					<h2>{props.title}</h2>
					{props.actions && <div class="actions">{props.actions}</div>}
				</header>
			)}
			{props.children}
		</section>
	);
}

/** Names and values; what is absent is left out. */
export function Facts(props: { rows: [string, ComponentChildren][] }) {
	return (
		<dl class="facts">
			{props.rows
				.filter(([, value]) => value !== undefined && value !== null && value !== "" && value !== false)
				.map(([name, value]) => (
					<div key={name}>
						<dt>{name}</dt>
						<dd>{value}</dd>
					</div>
				))}
		</dl>
	);
}

export interface TabsProps {
	tabs: { id: string; text: string; href: string }[];
	now: string;
	label: string;
}

/** Tabs are links: they can be opened elsewhere, and the way back works. */
export function Tabs(props: TabsProps) {
	const element = useRef<HTMLElement>(null);
	useLayoutEffect(() => {
		element.current?.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
	}, [props.now]);
	return (
		<nav ref={element} class="tabs" aria-label={props.label}>
			{props.tabs.map((tab) => (
				<a key={tab.id} href={tab.href} aria-current={tab.id === props.now ? "page" : undefined}>
					{tab.text}
				</a>
			))}
		</nav>
	);
}

/** A page: its heading, what can be done on it, its contents. The heading takes the focus when
 * somebody comes from another page. */
export function Page(props: {
	title: string;
	actions?: ComponentChildren;
	back?: { href: string; text: string };
	lead?: ComponentChildren;
	children: ComponentChildren;
}) {
	language.use();
	useLayoutEffect(() => {
		document.title = `${props.title} · ${w().shell.product}`;
	}, [props.title]);
	return (
		<>
			<header class="page-head">
				<div>
					{props.back && (
						<a class="back" href={props.back.href}>
							‹ {props.back.text}
						</a>
					)}
					<h1 id="title" tabIndex={-1}>
						{props.title}
					</h1>
					{props.lead && <div class="lead">{props.lead}</div>}
				</div>
				{props.actions && <div class="actions">{props.actions}</div>}
			</header>
			{props.children}
		</>
	);
}
