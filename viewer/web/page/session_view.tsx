// session_view: the desktop, what is said over it, and the bar above it.

import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";

import { clock, number } from "../../../gateway/console/src/format";
import { language } from "../../../gateway/console/src/settings";
import { reason } from "../base/reason";
import { ClipPanel } from "./clip_panel";
import { Icon, type IconName } from "./icons";
import { KeyBar } from "./key_bar";
import { newsLine } from "./news";
import { Button, Field } from "./parts";
import type { Figures, Session } from "./session";
import { fill, w } from "./words";

const NEWS_MS = 60_000;

/** bits per second, as the native viewer's meter has them. */
function rate(bytes: number): string {
	const kbit = (bytes * 8) / 1000;
	if (kbit < 10) return `${number(kbit, 1)} kbit/s`;
	return kbit < 1000 ? `${number(kbit)} kbit/s` : `${number(kbit / 1000, 1)} Mbit/s`;
}

function Meter(props: { figures: Figures }) {
	const { figures } = props;
	const words = w().meter;
	const rows: [string, string][] = [
		[words.rtt, figures.rtt ? `${number(figures.rtt)} ms` : "–"],
		[words.in, rate(figures.in)],
		[words.out, rate(figures.out)],
		[words.updates, fill(words.per_second, { count: number(figures.updates) })],
		[words.drops, fill(words.times, { count: figures.drops })],
		[words.since, figures.sinceMs ? clock(figures.sinceMs) : "–"],
		[words.node, figures.gateway],
	];
	return (
		<dl class="meter" aria-label={w().session.meter}>
			{rows.map(([name, value]) => (
				<div key={name}>
					<dt>{name}</dt>
					<dd>{value}</dd>
				</div>
			))}
		</dl>
	);
}

function CodeForm(props: { session: Session; why: string }) {
	const [code, setCode] = useState("");
	const lang = language.use();
	const why = props.why === "TOTP_WRONG" ? reason(props.why)[lang].message : undefined;
	const form = useRef<HTMLFormElement>(null);
	useLayoutEffect(() => form.current?.querySelector("input")?.focus(), []);
	return (
		<form
			ref={form}
			class="card code-form"
			noValidate
			onSubmit={(event) => {
				event.preventDefault();
				if (code.trim()) props.session.code(code.trim());
			}}
		>
			<h2>{w().totp.title}</h2>
			<Field code digits label={w().totp.label} hint={w().totp.hint} error={why} autoComplete="one-time-code" value={code} onValue={setCode} />
			<footer class="dialog-actions">
				<Button onClick={() => props.session.leave()}>{w().act.cancel}</Button>
				<Button type="submit" tone="main">
					{w().totp.go}
				</Button>
			</footer>
		</form>
	);
}

/** Why the picture is dimmed. */
function Veil(props: { session: Session }) {
	const { line, why, hasPicture, code } = props.session.state.use();
	const lang = language.use();
	if (code)
		return (
			<div class="veil">
				<CodeForm key={code} session={props.session} why={code} />
			</div>
		);
	if (line === "live" && hasPicture) return null;
	return (
		<div class="veil" role="status" data-line={line}>
			<div class="veil-box">
				<span class="spinner" aria-hidden="true" />
				<p class="veil-line">{line === "live" ? w().line.picture : w().line[line]}</p>
				{why && <p>{reason(why)[lang].message}</p>}
				<div class="actions">
					{line === "reconnecting" && (
						<Button small onClick={() => props.session.hurry()}>
							{w().act.retry}
						</Button>
					)}
					<Button small onClick={() => props.session.leave()}>
						{w().act.cancel}
					</Button>
				</div>
			</div>
		</div>
	);
}

/** The office's notices, the operator's news, a text that waits: one strip at the foot, which goes by itself. */
function Strip(props: { session: Session; onClip: () => void }) {
	const { notice, news, clipWaits, clipTooLong, hasPicture } = props.session.state.use();
	const lang = language.use();
	const [old, setOld] = useState("");
	const line = newsLine(news, Date.now());
	useEffect(() => {
		if (!line || !hasPicture) return undefined;
		const timer = setTimeout(() => setOld(line), NEWS_MS);
		return () => clearTimeout(timer);
	}, [line, hasPicture]);
	if (clipWaits)
		return (
			<div class="strip" role="status">
				<span>{w().clipboard.waits}</span>
				<Button small onClick={props.onClip}>
					{w().act.copy}
				</Button>
			</div>
		);
	const text = notice ? notice[lang] || notice.en : clipTooLong ? w().clipboard.too_long : line === old ? "" : line;
	return text ? (
		<p class="strip" role="status">
			{text}
		</p>
	) : null;
}

interface ToolProps {
	icon: IconName;
	text: string;
	pressed?: boolean;
	onClick: () => void;
}

function Tool(props: ToolProps) {
	return (
		<button type="button" class="tool" aria-pressed={props.pressed} title={props.text} onClick={props.onClick}>
			<Icon name={props.icon} />
			<span>{props.text}</span>
		</button>
	);
}

function useFullScreen(): [boolean, () => void] {
	const [full, setFull] = useState(document.fullscreenElement !== null);
	useLayoutEffect(() => {
		const look = () => setFull(document.fullscreenElement !== null);
		document.addEventListener("fullscreenchange", look);
		return () => document.removeEventListener("fullscreenchange", look);
	}, []);
	const toggle = () => {
		if (document.fullscreenElement) return void document.exitFullscreen();
		const keys = (navigator as { keyboard?: { lock?: () => Promise<void> } }).keyboard;
		// With it, Alt+Tab, Esc and the system key go to the office. Where it is missing they stay here.
		void document.documentElement
			.requestFullscreen({ navigationUI: "hide" })
			.then(() => keys?.lock?.())
			.catch(() => undefined);
	};
	return [full, toggle];
}

/** The phone's keyboard covers the foot of the page: what is left is the whole. */
function useHeight(element: { current: HTMLElement | null }) {
	useLayoutEffect(() => {
		const view = window.visualViewport;
		const fit = () => element.current?.style.setProperty("height", `${view?.height ?? window.innerHeight}px`);
		fit();
		view?.addEventListener("resize", fit);
		window.addEventListener("resize", fit);
		return () => {
			view?.removeEventListener("resize", fit);
			window.removeEventListener("resize", fit);
		};
	}, []);
}

interface BarProps {
	session: Session;
	keys: boolean;
	onKeys: () => void;
	onClip: () => void;
	full: boolean;
	onFull: () => void;
}

function Bar(props: BarProps) {
	const { session } = props;
	const { hostName, figures, line, monitors, monitor, scaling, pan, meter } = session.state.use();
	const words = w().session;
	const measured = line === "live" && figures.sinceMs > 0;
	const mood = line === "reconnecting" ? "warn" : measured ? { good: "good", fair: "warn", bad: "bad" }[figures.quality] : "";
	// A tool that is clicked leaves the keys where they were: at the office.
	const keep = (event: MouseEvent) => (event.target as Element).closest("label") || event.preventDefault();
	const choose = (number: number) => {
		session.monitor(number);
		session.takeKeys();
	};
	return (
		<header class="bar" onMouseDown={keep}>
			<div class="bar-name">
				<h1>{hostName}</h1>
				<button type="button" class={`badge ${mood}`} aria-expanded={meter} onClick={() => session.toggleMeter()}>
					{measured ? w().meter[figures.quality] : w().line[line].replace(/ ?…$/, "")}
				</button>
				{session.viewOnly && (
					<span class="badge warn" title={words.view_only_hint}>
						{words.view_only}
					</span>
				)}
			</div>
			<div class="tools" role="toolbar" aria-label={words.menu}>
				<Tool icon="keyboard" text={words.keyboard} onClick={() => session.field.focus()} />
				<Tool icon="keys" text={words.keys} pressed={props.keys} onClick={props.onKeys} />
				<Tool icon="clipboard" text={words.clipboard} onClick={props.onClip} />
				{monitors.length > 1 && (
					<label class="tool">
						<Icon name="screen" />
						<select aria-label={words.screens} value={monitor} onChange={(event) => choose(Number(event.currentTarget.value))}>
							<option value={0}>{words.all_screens}</option>
							{monitors.map((_, i) => (
								<option key={i} value={i + 1}>
									{fill(words.screen, { number: i + 1 })}
								</option>
							))}
						</select>
					</label>
				)}
				<Tool icon="fit" text={scaling === "fit" ? words.actual : words.fit} onClick={() => session.scale(scaling === "fit" ? "actual" : "fit")} />
				{scaling === "actual" && <Tool icon="pan" text={words.pan} pressed={pan} onClick={() => session.pan(!pan)} />}
				{document.fullscreenEnabled && (
					<Tool icon={props.full ? "window" : "full"} text={props.full ? words.window : words.full} onClick={props.onFull} />
				)}
				<Tool icon="leave" text={words.leave} onClick={() => session.leave()} />
			</div>
		</header>
	);
}

export function SessionView(props: { session: Session }) {
	const { session } = props;
	language.use();
	const { line, hasPicture, hostName, meter, figures, code } = session.state.use();
	const root = useRef<HTMLElement>(null);
	const stage = useRef<HTMLDivElement>(null);
	const [keys, setKeys] = useState(false);
	const [clip, setClip] = useState(false);
	const [full, toggleFull] = useFullScreen();
	useHeight(root);
	useLayoutEffect(() => {
		stage.current?.append(session.screen, session.field);
		session.onhotkey = toggleFull;
		return () => void (document.fullscreenElement && document.exitFullscreen());
	}, []);
	useLayoutEffect(() => {
		session.screen.setAttribute("role", "application");
		session.screen.setAttribute("aria-label", fill(w().session.label, { name: hostName }));
		session.field.setAttribute("aria-label", w().session.typing);
		document.title = `${hostName} · ${w().product}`;
	});
	const ready = line === "live" && hasPicture;
	// With the picture, not after it: whoever sees the desktop types, and the first keys would go nowhere.
	useLayoutEffect(() => {
		if (ready && !clip) session.takeKeys();
	}, [ready, clip]);
	const dim = code !== "" || !ready;
	return (
		<main class="session" ref={root} data-line={line} data-picture={hasPicture ? "whole" : "none"}>
			<Bar session={session} keys={keys} onKeys={() => setKeys(!keys)} onClip={() => setClip(true)} full={full} onFull={toggleFull} />
			<div class={`stage${dim ? " dim" : ""}`}>
				<div class="place-of-screen" ref={stage} />
				{meter && <Meter figures={figures} />}
				<Veil session={session} />
				<Strip session={session} onClip={() => void session.clipboard.put()} />
			</div>
			{keys && <KeyBar session={session} />}
			{clip && <ClipPanel session={session} onClose={() => setClip(false)} />}
		</main>
	);
}
