// sessions: who is connected now, and the way to end it.

import { useEffect, useState } from "preact/hooks";

import { all, ask, may, me } from "../api/client";
import { useData } from "../api/data";
import type { Session } from "../api/types";
import { Bytes, Button, Empty, Page, Shown, When } from "../parts/basics";
import { confirm } from "../parts/dialog";
import { Filter } from "../parts/form";
import { type Column, RowCount, Table } from "../parts/table";
import { say } from "../parts/toast";
import { duration } from "../format";
import { fill, w } from "../words";
import { LicenseLink, ms, SessionState } from "./license_words";

/** Bytes move without news: looked at again so often. */
const LOOK_MS = 15000;

export async function endSession(session: Session) {
	const words = w().sessions;
	const done = await confirm({
		title: fill(words.kill_title, { holder: session.holder }),
		text: fill(words.kill_text, { host: session.host }),
		act: words.kill,
		danger: true,
		run: () => ask("DELETE", `/sessions/${encodeURIComponent(session.id)}`),
	});
	if (done) say(words.killed);
}

/** Time that goes on while one looks. */
export function Lasting(props: { since: number }) {
	const [now, setNow] = useState(Date.now());
	useEffect(() => {
		const timer = setInterval(() => setNow(Date.now()), 1000);
		return () => clearInterval(timer);
	}, []);
	return <span class="number">{duration(Math.max(0, now - props.since))}</span>;
}

export function sessionColumns(): Column<Session>[] {
	const words = w().sessions;
	const columns: Column<Session>[] = [
		{
			head: words.holder,
			width: "minmax(8rem, 2fr)",
			sort: (a, b) => a.holder.localeCompare(b.holder),
			cell: (one) => (
				<>
					<LicenseLink id={one.license} text={one.holder} />
					{one.purpose === "pairing" && <span class="sub">{words.purpose_pairing}</span>}
				</>
			),
		},
		{ head: words.host, width: "minmax(7rem, 1.5fr)", from: 520, cell: (one) => one.host },
		{
			head: words.viewer,
			width: "minmax(8rem, 1.5fr)",
			from: 900,
			cell: (one) => (
				<>
					{one.viewer_address}
					<span class="sub">{one.viewer}</span>
				</>
			),
		},
		{ head: words.started, width: "10.5rem", from: 1000, sort: (a, b) => ms(a.started) - ms(b.started), cell: (one) => <When ms={ms(one.started)} /> },
		{ head: words.length, width: "7rem", from: 420, cell: (one) => <Lasting since={ms(one.started)} /> },
		{ head: words.carried, width: "6.5rem", from: 640, end: true, sort: (a, b) => carried(a) - carried(b), cell: (one) => <Bytes value={carried(one)} /> },
		{ head: words.state, width: "7rem", from: 740, cell: (one) => <SessionState session={one} /> },
	];
	if (may("node.read")) columns.push({ head: words.node, width: "8rem", from: 1200, cell: (one) => one.node });
	if (may("session.end"))
		columns.push({
			head: words.kill,
			hideHead: true,
			width: "5.5rem",
			end: true,
			cell: (one) => (
				<Button small tone="danger" label={`${words.kill}: ${one.holder}`} onClick={() => void endSession(one)}>
					{words.kill}
				</Button>
			),
		});
	return columns;
}

function carried(session: Session): number {
	return session.bytes_to_viewer + session.bytes_to_host;
}

export function Sessions() {
	const words = w().sessions;
	const [search, setSearch] = useState("");
	const data = useData((signal) => all<Session>("/sessions", {}, signal), [me.get()?.tenant], ["session"]);
	useEffect(() => {
		const timer = setInterval(data.look, LOOK_MS);
		return () => clearInterval(timer);
	}, []);
	const wish = search.trim().toLowerCase();
	const matches = (one: Session) => [one.holder, one.license, one.host, one.viewer, one.viewer_address].some((text) => text?.toLowerCase().includes(wish));
	return (
		<Page title={words.title}>
			<Shown data={data}>
				{(sessions) => {
					const rows = wish ? sessions.filter(matches) : sessions;
					if (!sessions.length) return <Empty text={words.none} hint={words.none_hint} />;
					return (
						<>
							<div class="filters">
								<Filter label={words.search} value={search} onValue={setSearch} wide />
							</div>
							<RowCount loaded={rows.length} />
							{rows.length ? <Table label={words.title} columns={sessionColumns()} rows={rows} rowKey={(one) => one.id} /> : <Empty text={w().state.no_match} />}
						</>
					);
				}}
			</Shown>
		</Page>
	);
}
