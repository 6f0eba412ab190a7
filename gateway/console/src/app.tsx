// app: what is around the pages: who is signed in, the menu, the line to the gateway.

import { useLayoutEffect, useRef, useState } from "preact/hooks";

import { ask, gate, get, me, passive } from "./api/client";
import { line, listen, onRefused, quiet } from "./api/events";
import { type Problem, problemOf } from "./api/problem";
import type { Me } from "./api/types";
import { type PageRow, pages, permitted } from "./pages";
import { MustDo, SignIn } from "./pages/sign_in";
import { Button, Empty, Loading, Page, ProblemBox } from "./parts/basics";
import { LanguageChoice, ThemeChoice } from "./parts/choices";
import { GateDialog } from "./parts/gate";
import { Icon, Mark } from "./parts/icons";
import { Toasts } from "./parts/toast";
import { path, route } from "./route";
import { hasChosenLanguage, language } from "./settings";
import { w } from "./words";

/** A heading names each group of pages. */
function Menu(props: { now: string; open: boolean; close: () => void }) {
	const shown = pages.filter(permitted);
	const groups = [...new Set(shown.map((page) => page.group))];
	const element = useRef<HTMLElement>(null);
	useLayoutEffect(() => {
		if (props.open) element.current?.querySelector<HTMLElement>("a")?.focus();
	}, [props.open]);
	const link = (page: PageRow) => (
		<li key={page.name}>
			<a href={path(page.name)} aria-current={page.name === props.now ? "page" : undefined} onClick={props.close}>
				<Icon name={page.name} />
				{w().pages[page.name]}
			</a>
		</li>
	);
	return (
		<>
			{props.open && <div class="veil" onClick={props.close} />}
			<nav
				ref={element}
				id="menu"
				class={`menu${props.open ? " open" : ""}`}
				aria-label={w().shell.main_menu}
				onKeyDown={(event) => event.key === "Escape" && props.close()}
			>
				{groups.map((group) => (
					<div key={group}>
						<p class="menu-group" id={`group-${group}`}>
							{w().groups[group]}
						</p>
						<ul aria-labelledby={`group-${group}`}>{shown.filter((page) => page.group === group).map(link)}</ul>
					</div>
				))}
			</nav>
		</>
	);
}

async function signOut() {
	try {
		await ask("POST", "/sign-out", { body: {} });
	} finally {
		quiet();
		me.set(null);
		location.hash = "";
	}
}

function AccountMenu(props: { who: Me }) {
	const words = w().shell;
	const [open, setOpen] = useState(false);
	const element = useRef<HTMLDivElement>(null);
	const button = useRef<HTMLButtonElement>(null);
	useLayoutEffect(() => {
		if (!open) return undefined;
		const away = (event: Event) => {
			if (!element.current?.contains(event.target as Node)) setOpen(false);
		};
		document.addEventListener("pointerdown", away);
		document.addEventListener("focusin", away);
		return () => {
			document.removeEventListener("pointerdown", away);
			document.removeEventListener("focusin", away);
		};
	}, [open]);
	return (
		<div
			ref={element}
			class="account"
			onKeyDown={(event) => {
				if (event.key !== "Escape" || !open) return;
				setOpen(false);
				button.current?.focus();
			}}
		>
			<button ref={button} type="button" class="button quiet" aria-expanded={open} aria-haspopup="true" onClick={() => setOpen(!open)}>
				<Icon name="accounts" />
				<span class="account-name">{props.who.full_name || props.who.name}</span>
			</button>
			{open && (
				<div class="account-menu">
					<p>
						<strong>{props.who.full_name || props.who.name}</strong>
						<br />
						<span class="muted">{props.who.mail || props.who.name}</span>
					</p>
					<div class="choice">
						<span class="muted">{words.language}</span>
						<LanguageChoice />
					</div>
					<div class="choice">
						<span class="muted">{words.colours}</span>
						<ThemeChoice />
					</div>
					<Button onClick={() => void signOut()}>{words.sign_out}</Button>
				</div>
			)}
		</div>
	);
}

function Missing() {
	const words = w().shell;
	return (
		<Page title={words.missing}>
			<Empty text={words.missing_hint}>
				<a class="button" href={path("overview")}>
					{words.to_overview}
				</a>
			</Empty>
		</Page>
	);
}

function Shell(props: { who: Me }) {
	const words = w().shell;
	const now = route.use();
	// Without a sign-in there are no news; the dialog that asks for one says what to do.
	const asked = gate.use()?.kind === "expired";
	const broken = line.use() === "broken" && !asked;
	const [menu, setMenu] = useState(false);
	const name = now.page || "overview";
	const page = pages.find((one) => one.name === name && permitted(one));
	const first = useRef(true);
	const menuButton = useRef<HTMLButtonElement>(null);

	useLayoutEffect(() => {
		onRefused(() => {
			const end = new AbortController();
			passive.add(end.signal);
			get<Me>("/me", {}, end.signal).catch(() => undefined);
		});
		listen();
		return quiet;
	}, []);
	useLayoutEffect(() => {
		setMenu(false);
		if (first.current) first.current = false;
		else document.getElementById("title")?.focus();
		scrollTo(0, 0);
	}, [name, now.id]);

	const closeMenu = () => {
		if (menu) menuButton.current?.focus();
		setMenu(false);
	};
	const Content = page?.show;
	return (
		<div class="shell">
			<a
				class="skip"
				href="#main"
				onClick={(event) => {
					event.preventDefault();
					document.getElementById("title")?.focus();
				}}
			>
				{words.skip}
			</a>
			<header class="bar">
				<button
					ref={menuButton}
					type="button"
					class="icon-button menu-button"
					aria-label={menu ? words.close_menu : words.menu}
					aria-expanded={menu}
					aria-controls="menu"
					onClick={() => setMenu(!menu)}
				>
					☰
				</button>
				<a class="brand" href={path("overview")}>
					<Mark />
					{words.product}
				</a>
				<span class="tenant">{props.who.tenant || words.all_tenants}</span>
				<span class="space" />
				<AccountMenu who={props.who} />
			</header>
			<Menu now={name} open={menu} close={closeMenu} />
			<main class="page" id="main">
				{broken && (
					<p class="banner" role="status">
						{words.line_broken}
					</p>
				)}
				{Content ? <Content key={`${name}/${now.id}`} id={now.id} query={now.query} /> : <Missing />}
			</main>
		</div>
	);
}

export function App() {
	const who = me.use();
	language.use();
	const [problem, setProblem] = useState<Problem | null>(null);

	const begin = () => {
		setProblem(null);
		get<Me>("/me").then(
			(now) => me.set(now),
			(error: unknown) => {
				const found = problemOf(error);
				if (found.status === 401) me.set(null);
				else setProblem(found);
			},
		);
	};
	useLayoutEffect(begin, []);
	useLayoutEffect(() => {
		// English is what an account has that was never asked; it says less than the browser does.
		if (who?.language === "ja" && !hasChosenLanguage()) language.set("ja");
	}, [who?.name]);

	const must = who?.must[0];
	return (
		<>
			{problem ? (
				<main class="plain-page">
					<h1>{w().shell.console}</h1>
					<ProblemBox problem={problem} retry={begin} />
				</main>
			) : who === undefined ? (
				<main class="plain-page">
					<h1 class="hidden">{w().shell.console}</h1>
					<Loading />
				</main>
			) : who === null ? (
				<SignIn />
			) : must ? (
				<MustDo key={must} what={must} />
			) : (
				<Shell who={who} />
			)}
			<GateDialog />
			<Toasts />
		</>
	);
}
