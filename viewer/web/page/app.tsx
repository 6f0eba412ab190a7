// app: which of the page's few views is shown.

import { useLayoutEffect, useState } from "preact/hooks";

import { Mark } from "../../../gateway/console/src/parts/icons";
import { chooseLanguage, chooseTheme, language, theme } from "../../../gateway/console/src/settings";
import { AddView } from "./add_view";
import { lacks, places, session } from "./model";
import { Button } from "./parts";
import { PlacesView } from "./places_view";
import { SessionView } from "./session_view";
import { w } from "./words";

const THEMES = ["system", "light", "dark"] as const;

function Head() {
	const now = theme.use();
	const next = THEMES[(THEMES.indexOf(now) + 1) % THEMES.length] ?? "system";
	return (
		<header class="head">
			<p class="brand">
				<Mark />
				<span>
					{w().product}
					<small>{w().tagline}</small>
				</span>
			</p>
			<div class="actions">
				<Button tone="quiet" small onClick={() => chooseTheme(next)}>
					{w().theme[now]}
				</Button>
				<Button tone="quiet" small onClick={() => chooseLanguage(language.get() === "ja" ? "en" : "ja")}>
					<span lang={language.get() === "ja" ? "en" : "ja"}>{w().language}</span>
				</Button>
			</div>
		</header>
	);
}

function Missing(props: { names: string[] }) {
	return (
		<section class="card" role="alert">
			<h1>{w().missing.title}</h1>
			<p>{w().missing.lead}</p>
			<ul>
				{props.names.map((name) => (
					<li key={name}>
						<code>{name}</code>
					</li>
				))}
			</ul>
			<p class="muted">{w().missing.hint}</p>
		</section>
	);
}

function Denied() {
	return (
		<section class="card" role="alert">
			<h1>{w().storage.title}</h1>
			<p>{w().storage.text}</p>
			<p class="muted">{w().storage.hint}</p>
			<div class="actions">
				<Button onClick={() => location.reload()}>{w().act.reload}</Button>
			</div>
		</section>
	);
}

function Body() {
	const names = lacks.use();
	const found = places.use();
	const [adding, setAdding] = useState(false);
	if (names === null || found === null)
		return (
			<div class="state" role="status">
				<span class="spinner" aria-hidden="true" />
				{w().loading}
			</div>
		);
	if (names.length) return <Missing names={names} />;
	if (found === "denied") return <Denied />;
	// It stays while the first PC is being paired: what was typed is needed again when that fails.
	if (found.length === 0 && !adding) setAdding(true);
	if (adding) return <AddView first={found.length === 0} onDone={() => setAdding(false)} />;
	return <PlacesView places={found} onAdd={() => setAdding(true)} />;
}

export function App() {
	const lang = language.use();
	const now = session.use();
	useLayoutEffect(() => {
		document.title = now ? `${now.state.get().hostName} · ${w().product}` : w().product;
	}, [lang, now]);
	return (
		<>
			{now && <SessionView key={now.place.id} session={now} />}
			<div hidden={now !== null}>
				<a class="hidden skip" href="#main">
					{w().skip}
				</a>
				<Head />
				<main id="main" class="page" tabIndex={-1}>
					<Body />
				</main>
			</div>
		</>
	);
}
