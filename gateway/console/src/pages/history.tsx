// history: who signed in, who was connected, and how much was carried: charts and rows, for one license, one
// tenant or all.

import { useState } from "preact/hooks";

import { download, get, me } from "../api/client";
import { useData } from "../api/data";
import { type Problem, problemOf } from "../api/problem";
import { useRows } from "../api/rows";
import type { Usage } from "../api/types";
import { Badge, Button, Card, Empty, Page, ProblemBox, Shown, Tabs, When } from "../parts/basics";
import { Chart } from "../parts/chart";
import { Segments } from "../parts/choices";
import { Filter } from "../parts/form";
import { type Column, RowCount, Table } from "../parts/table";
import { bytes, duration, number } from "../format";
import { path, replace } from "../route";
import { w } from "../words";
import { type JournalRow, numberOf, reasonText, showRow, soFar, span, textOf } from "./journal_words";
import { LicenseLink, ms } from "./license_words";

const DAY_MS = 86_400_000;
type Kind = "usage" | "sessions" | "logins";
type Step = "hour" | "day" | "month";

interface Top {
	license: string;
	holder: string;
	bytes_to_viewer: number;
	bytes_to_host: number;
	sessions: number;
	session_ms: number;
}

/** Wide times in few points: what a chart can show. */
const SPAN_MS: Record<Step, number> = { hour: 2 * DAY_MS, day: 31 * DAY_MS, month: 366 * DAY_MS };

function usageQuery(query: Record<string, string>, step: Step) {
	const { license = "", tenant = "", from = "", to = "" } = query;
	const given = span(from, to);
	const now = Date.now();
	return {
		license,
		tenant,
		step,
		from: given.from ?? new Date((to ? Date.parse(given.to as string) : now) - SPAN_MS[step]).toISOString(),
		to: given.to ?? new Date(now).toISOString(),
	};
}

function Sums(props: { sums: Usage["sums"] }) {
	const words = w().history;
	const { sums } = props;
	return (
		<div class="figures">
			{[
				[words.to_home, bytes(sums.bytes_to_viewer)],
				[words.to_office, bytes(sums.bytes_to_host)],
				[words.sessions, number(sums.sessions)],
				[words.time, duration(sums.session_ms)],
			].map(([name, value]) => (
				<div class="figure" key={name}>
					<span>{name}</span>
					<strong>{value}</strong>
				</div>
			))}
		</div>
	);
}

function UsageCharts(props: { query: Record<string, string> }) {
	const words = w().history;
	const step = (["hour", "day", "month"].includes(props.query.step ?? "") ? props.query.step : "day") as Step;
	const wish = usageQuery(props.query, step);
	const needs = [step, props.query.license, props.query.tenant, props.query.from, props.query.to];
	const data = useData((signal) => get<Usage>("/usage", wish, signal), needs);
	const top = useData((signal) => get<{ items: Top[] }>("/usage/top", { tenant: wish.tenant, from: wish.from, to: wish.to, limit: 20 }, signal), needs);
	const columns: Column<Top>[] = [
		{ head: words.holder, width: "minmax(8rem, 2fr)", cell: (row) => <LicenseLink id={row.license} text={row.holder || row.license} /> },
		{ head: words.to_home, width: "8rem", end: true, sort: (a, b) => a.bytes_to_viewer - b.bytes_to_viewer, cell: (row) => bytes(row.bytes_to_viewer) },
		{ head: words.to_office, width: "8rem", end: true, from: 560, sort: (a, b) => a.bytes_to_host - b.bytes_to_host, cell: (row) => bytes(row.bytes_to_host) },
		{ head: words.sessions, width: "7rem", end: true, from: 640, sort: (a, b) => a.sessions - b.sessions, cell: (row) => number(row.sessions) },
		{ head: words.time, width: "8rem", end: true, from: 760, sort: (a, b) => a.session_ms - b.session_ms, cell: (row) => duration(row.session_ms) },
	];
	return (
		<>
			<Segments
				label={words.step}
				now={step}
				options={[
					["hour", words.hour],
					["day", words.day],
					["month", words.month],
				]}
				onChange={(value) => replace(path("history", "usage", { ...props.query, step: value }))}
			/>
			<Shown data={data}>
				{(usage) =>
					usage.sums.sessions || usage.points.length ? (
						<>
							<Sums sums={usage.sums} />
							<Card title={words.carried} wide>
								<Chart
									label={words.carried}
									times={usage.points.map((point) => point[0])}
									series={[
										{ label: words.to_home, values: usage.points.map((point) => point[1]), color: "--chart-1", fill: true },
										{ label: words.to_office, values: usage.points.map((point) => point[2]), color: "--chart-2" },
									]}
									format={(value) => bytes(value)}
								/>
							</Card>
							<Card title={words.sessions} wide>
								<Chart
									label={words.sessions}
									times={usage.points.map((point) => point[0])}
									series={[{ label: words.sessions, values: usage.points.map((point) => point[3]), color: "--chart-1", fill: true }]}
									format={(value) => number(value)}
									height={160}
								/>
							</Card>
						</>
					) : (
						<Empty text={words.no_usage} />
					)
				}
			</Shown>
			{!props.query.license && !data.problem && (
				<Card title={words.top} wide>
					<Shown data={top}>
						{(found) => (found.items.length ? <Table label={words.top} columns={columns} rows={found.items} rowKey={(row) => row.license} /> : <Empty text={words.no_usage} />)}
					</Shown>
				</Card>
			)}
		</>
	);
}

function sessionRowColumns(): Column<JournalRow>[] {
	const words = w().history;
	return [
		{
			head: words.started,
			width: "11rem",
			cell: (row) => (
				<button type="button" class="link" onClick={() => void showRow(row, words.session_row)}>
					<When ms={ms(textOf(row, "started") || row.at)} />
				</button>
			),
		},
		{ head: words.holder, width: "minmax(7rem, 1.5fr)", cell: (row) => <LicenseLink id={textOf(row, "license")} text={textOf(row, "holder") || textOf(row, "license")} /> },
		{ head: words.host, width: "minmax(7rem, 1fr)", from: 720, cell: (row) => textOf(row, "host") },
		{ head: words.from_where, width: "minmax(8rem, 1fr)", from: 860, cell: (row) => textOf(row, "viewer_address") },
		{ head: words.length, width: "7rem", from: 560, end: true, cell: (row) => duration(Math.max(0, ms(textOf(row, "ended")) - ms(textOf(row, "started")))) },
		{ head: words.data, width: "7rem", from: 640, end: true, cell: (row) => bytes(numberOf(row, "bytes_to_viewer") + numberOf(row, "bytes_to_host")) },
		{ head: words.reason, width: "minmax(9rem, 1.5fr)", from: 980, cell: (row) => reasonText(textOf(row, "reason")) },
	];
}

function loginColumns(): Column<JournalRow>[] {
	const words = w().history;
	return [
		{
			head: words.when,
			width: "11rem",
			cell: (row) => (
				<button type="button" class="link" onClick={() => void showRow(row, words.login_row)}>
					<When ms={ms(row.at)} />
				</button>
			),
		},
		{ head: words.license, width: "minmax(8rem, 1fr)", cell: (row) => <LicenseLink id={row.license as string} text={textOf(row, "holder") || textOf(row, "license")} /> },
		{
			head: words.result,
			width: "minmax(9rem, 2fr)",
			cell: (row) => {
				const why = reasonText(textOf(row, "reason"));
				return why ? (
					<>
						<Badge mood="warn">{words.refused}</Badge> {why}
					</>
				) : (
					<Badge mood="good">{words.let_in}</Badge>
				);
			},
		},
		{ head: words.side, width: "7rem", from: 720, cell: (row) => (textOf(row, "side") === "host" ? words.side_host : words.side_viewer) },
		{ head: words.device, width: "minmax(7rem, 1fr)", from: 860, cell: (row) => textOf(row, "name") || textOf(row, "device") },
		{ head: words.address, width: "9.5rem", from: 620, cell: (row) => textOf(row, "address") },
	];
}

function JournalRows(props: { kind: "sessions" | "logins"; query: Record<string, string> }) {
	const words = w().history;
	const { license = "", tenant = "", from = "", to = "", q = "" } = props.query;
	const wish = { license, tenant, q, ...span(from, to) };
	const rows = useRows<JournalRow>(`/journal/${props.kind}`, { ...wish, order: "newest" }, []);
	const [problem, setProblem] = useState<Problem | null>(null);
	const save = (format: string, more: Record<string, string> = {}) =>
		void download(`/journal/${props.kind}`, { ...wish, format, ...more }, `engawa-${props.kind}.${format}`).then(
			() => setProblem(null),
			(error: unknown) => setProblem(problemOf(error)),
		);
	return (
		<>
			<div class="filters">
				<Filter label={w().act.search} value={q} onValue={(value) => replace(path("history", props.kind, { ...props.query, q: value }))} wide />
				<Button onClick={() => save("csv", { bom: "1" })}>{w().act.export_csv}</Button>
				<Button onClick={() => save("jsonl")}>{w().act.export_jsonl}</Button>
			</div>
			<ProblemBox problem={problem ?? rows.problem} retry={rows.again} />
			{rows.rows.length ? (
				<>
					<RowCount loaded={rows.rows.length} total={rows.total} />
					<Table
						label={props.kind === "sessions" ? words.tab_sessions : words.tab_logins}
						columns={props.kind === "sessions" ? sessionRowColumns() : loginColumns()}
						rows={rows.rows}
						total={soFar(rows)}
						need={rows.need}
						rowKey={(row) => String(row.seq)}
					/>
				</>
			) : (
				!rows.loading && !rows.problem && <Empty text={license || tenant || from || to || q ? w().state.no_match : words.none} />
			)}
		</>
	);
}

export function History(props: { id: string; query: Record<string, string> }) {
	const words = w().history;
	const kind: Kind = props.id === "sessions" || props.id === "logins" ? props.id : "usage";
	const { license = "", tenant = "", from = "", to = "" } = props.query;
	const set = (name: string) => (value: string) => replace(path("history", kind, { ...props.query, [name]: value.trim() }));
	const tab = (id: Kind, text: string) => ({ id, text, href: path("history", id, props.query) });
	return (
		<Page title={words.title}>
			<Tabs label={words.title} now={kind} tabs={[tab("usage", words.tab_usage), tab("sessions", words.tab_sessions), tab("logins", words.tab_logins)]} />
			<div class="filters">
				<Filter label={words.license} value={license} onValue={set("license")} placeholder="lic_…" />
				{!me.get()?.tenant && <Filter label={words.tenant} value={tenant} onValue={set("tenant")} />}
				<Filter label={words.from} type="date" value={from} onValue={set("from")} />
				<Filter label={words.to} type="date" value={to} onValue={set("to")} />
			</div>
			{from && to && from > to ? (
				<Empty text={words.dates_crossed} />
			) : kind === "usage" ? (
				<UsageCharts query={props.query} />
			) : (
				<JournalRows key={kind} kind={kind} query={props.query} />
			)}
		</Page>
	);
}
