// audit: who administered what, and whether the record of it is whole.

import { useState } from "preact/hooks";

import { ask, download, get, may } from "../api/client";
import { useData } from "../api/data";
import { type Problem, problemOf } from "../api/problem";
import { useRows } from "../api/rows";
import { Badge, Button, Card, Empty, Facts, Page, ProblemBox, Shown, When } from "../parts/basics";
import { Filter } from "../parts/form";
import { type Column, RowCount, Table } from "../parts/table";
import { bytes, number } from "../format";
import { path, replace } from "../route";
import { w } from "../words";
import { count } from "../words/count";
import { eventText, type JournalRow, Severity, showRow, soFar, span, textOf } from "./journal_words";
import { ms } from "./license_words";

interface Verdict {
	ok: boolean;
	checked: number;
	stubs: number;
	first_bad: number;
	fault: string | null;
	checkpoints: number;
	checkpoints_met: number;
	unsigned_rows: number;
	at_ms: number;
	by?: string;
	public_key?: string;
}

interface State {
	first_ms: number;
	last_seq: number;
	retention_days: number;
	retention_counts_days: number;
	writable: boolean;
	checkpoint: { seq: number; at_ms: number; node: string; good: boolean; unsigned_rows: number } | null;
	last_verify: Verdict | null;
	rows: Record<string, number>;
	bytes: number;
	free_bytes: number;
	days_left: number | null;
}

function verdictText(verdict: Verdict): string {
	const words = w().audit;
	if (verdict.ok) return count(words.whole, verdict.checked);
	return count(words.broken, verdict.first_bad, { fault: verdict.fault ?? "" });
}

function Chain() {
	const words = w().audit;
	const data = useData((signal) => get<State>("/journal", {}, signal), []);
	const [busy, setBusy] = useState(false);
	const [problem, setProblem] = useState<Problem | null>(null);
	const verify = async () => {
		setBusy(true);
		setProblem(null);
		try {
			await ask("POST", "/audit/verify", { body: {} });
			data.again();
		} catch (error) {
			setProblem(problemOf(error));
		}
		setBusy(false);
	};
	return (
		<Card
			title={words.chain}
			actions={
				may("journal.verify") && (
					<Button tone="main" busy={busy} onClick={() => void verify()}>
						{busy ? words.verifying : words.verify}
					</Button>
				)
			}
		>
			<ProblemBox problem={problem} />
			<Shown data={data}>
				{(state) => {
					const total = Object.values(state.rows).reduce((sum, one) => sum + one, 0);
					const last = state.last_verify;
					return (
						<Facts
							rows={[
								[
									words.last_verify,
									last ? (
										<>
											<Badge mood={last.ok ? "good" : "bad"}>{last.ok ? words.good : words.bad}</Badge> {verdictText(last)} <When ms={last.at_ms} />
										</>
									) : (
										<span class="muted">{words.never_verified}</span>
									),
								],
								[
									words.checkpoint,
									state.checkpoint ? (
										<>
											<Badge mood={state.checkpoint.good ? "good" : "bad"}>{state.checkpoint.good ? words.signed : words.bad}</Badge>{" "}
											<When ms={state.checkpoint.at_ms} /> · {count(words.unsigned, state.checkpoint.unsigned_rows)}
										</>
									) : (
										<span class="muted">{w().state.none}</span>
									),
								],
								[words.rows, `${number(total)} (${bytes(state.bytes)})`],
								[words.since, <When ms={state.first_ms} />],
								[words.retention, count(words.days, state.retention_days)],
								[words.free, `${bytes(state.free_bytes)}${state.days_left === null ? "" : ` · ${count(words.days_left, state.days_left)}`}`],
								[words.writable, <Badge mood={state.writable ? "good" : "bad"}>{state.writable ? w().state.yes : w().state.no}</Badge>],
							]}
						/>
					);
				}}
			</Shown>
		</Card>
	);
}

function subject(row: JournalRow): string {
	// Every row has the node that wrote it: it is what a row is about only where nothing else is.
	for (const name of ["license", "session", "account", "token", "policy", "group", "alert", "alarm", "route", "notice", "directory", "statement", "backup", "file", "permission", "kind", "tenant", "node"])
		if (textOf(row, name)) return textOf(row, name);
	return "";
}

function columns(): Column<JournalRow>[] {
	const words = w().audit;
	return [
		{ head: words.time, width: "11rem", cell: (row) => <When ms={ms(row.at)} /> },
		{
			head: words.event,
			width: "minmax(10rem, 2fr)",
			cell: (row) => (
				<button type="button" class="link" onClick={() => void showRow(row, eventText(textOf(row, "event")))}>
					{eventText(textOf(row, "event"))}
				</button>
			),
		},
		{ head: words.by, width: "minmax(7rem, 1fr)", from: 560, cell: (row) => textOf(row, "by") },
		{ head: words.subject, width: "minmax(8rem, 1fr)", from: 760, cell: (row) => subject(row) },
		{ head: words.address, width: "9rem", from: 960, cell: (row) => textOf(row, "address") },
		{ head: words.severity, width: "6.5rem", from: 860, cell: (row) => <Severity row={row} /> },
		{ head: words.seq, width: "5.5rem", from: 1100, end: true, cell: (row) => number(row.seq) },
	];
}

export function Audit(props: { id: string; query: Record<string, string> }) {
	const words = w().audit;
	const { from = "", to = "", by = "", event = "", q = "" } = props.query;
	const wish = { ...span(from, to), by, event, q };
	const rows = useRows<JournalRow>("/journal/audit", { ...wish, order: "newest" }, []);
	const [problem, setProblem] = useState<Problem | null>(null);
	const set = (name: string) => (value: string) => replace(path("audit", "", { ...props.query, [name]: value }));
	const save = (format: string, more: Record<string, string> = {}) =>
		void download("/journal/audit", { ...wish, format, ...more }, `engawa-audit.${format}`).then(
			() => setProblem(null),
			(error: unknown) => setProblem(problemOf(error)),
		);
	return (
		<Page
			title={words.title}
			actions={
				<>
					<Button onClick={() => save("csv", { bom: "1" })}>{w().act.export_csv}</Button>
					<Button onClick={() => save("jsonl")}>{w().act.export_jsonl}</Button>
				</>
			}
		>
			<Chain />
			<div class="filters">
				<Filter label={words.from} type="date" value={from} onValue={set("from")} />
				<Filter label={words.to} type="date" value={to} onValue={set("to")} />
				<Filter label={words.by} value={by} onValue={set("by")} />
				<Filter label={w().act.search} value={q} onValue={set("q")} wide />
			</div>
			<ProblemBox problem={problem ?? rows.problem} retry={rows.again} />
			{rows.rows.length ? (
				<>
					<RowCount loaded={rows.rows.length} total={rows.total} />
					<Table label={words.title} columns={columns()} rows={rows.rows} total={soFar(rows)} need={rows.need} rowKey={(row) => String(row.seq)} />
				</>
			) : (
				!rows.loading && !rows.problem && <Empty text={from || to || by || event || q ? w().state.no_match : words.none} />
			)}
		</Page>
	);
}
