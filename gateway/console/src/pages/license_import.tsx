// license_import: many licenses from a CSV file: a preview, each wrong line with its error, and only
// then the act. Keys and passwords come once and are saved as a file.

import { useState } from "preact/hooks";

import { lines } from "../api/client";
import { type Problem, problemOf } from "../api/problem";
import { Button, ProblemBox } from "../parts/basics";
import { Dialog, DialogActions, open } from "../parts/dialog";
import { FileField } from "../parts/form";
import { Table } from "../parts/table";
import { w } from "../words";
import { count } from "../words/count";

interface Line {
	line?: number;
	id?: string;
	key?: string;
	password?: string;
	holder?: string;
	field?: string;
	code?: string;
	message?: string;
	done?: number;
	good?: number;
	refused?: number;
	applied?: boolean;
}

const BAD_SHOWN = 500;

interface Result {
	made: Line[];
	bad: Line[];
	good: number;
	refused: number;
	applied: boolean;
}

/** "+09:00": days in the file are days where the person sits. */
function offset(): string {
	const minutes = -new Date().getTimezoneOffset();
	const two = (value: number) => String(Math.floor(value)).padStart(2, "0");
	return `${minutes < 0 ? "-" : "+"}${two(Math.abs(minutes) / 60)}:${two(Math.abs(minutes) % 60)}`;
}

async function send(csv: string, query: Record<string, string | undefined>, once: string): Promise<Result> {
	const result: Result = { made: [], bad: [], good: 0, refused: 0, applied: false };
	await lines<Line>("POST", "/licenses/import", { query: { ...query, offset: offset() }, body: csv, type: "text/csv", once }, (line) => {
		if (line.done !== undefined) {
			result.good = line.good ?? line.done;
			result.refused = line.refused ?? 0;
			result.applied = line.applied ?? false;
		} else if (line.code) {
			if (result.bad.length < BAD_SHOWN) result.bad.push(line);
		} else {
			result.made.push(line);
		}
	});
	return result;
}

function Errors(props: { bad: Line[]; all: number }) {
	const words = w().licenses;
	return (
		<>
			<Table
				label={words.import_error}
				rows={props.bad}
				rowKey={(one) => String(one.line)}
				columns={[
					{ head: words.import_line, width: "4rem", cell: (one) => one.line },
					{ head: words.import_field, width: "7rem", cell: (one) => one.field },
					{ head: words.import_error, cell: (one) => one.message },
				]}
			/>
			{props.all > props.bad.length && <p class="muted">{count(words.import_too_many, props.bad.length)}</p>}
		</>
	);
}

/** Spreadsheets run what begins like a formula: an apostrophe keeps it text. */
function csvCell(text: string): string {
	const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
	return `"${safe.replaceAll('"', '""')}"`;
}

function saveSecrets(made: Line[]) {
	const rows = [["line", "id", "key", "password"], ...made.map((one) => [String(one.line ?? ""), one.id ?? "", one.key ?? "", one.password ?? ""])];
	const text = `\ufeff${rows.map((row) => row.map(csvCell).join(",")).join("\r\n")}\r\n`;
	const url = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
	const link = document.createElement("a");
	link.href = url;
	link.download = "engawa-licenses.csv";
	link.click();
	URL.revokeObjectURL(url);
}

function Made(props: { result: Result; done: () => void }) {
	const words = w().licenses;
	const [saved, setSaved] = useState(false);
	return (
		<Dialog title={count(words.import_done, props.result.made.length)} keep onClose={props.done}>
			<p class="warning">{words.import_secrets}</p>
			<DialogActions>
				<Button
					tone="main"
					autoFocus
					onClick={() => {
						saveSecrets(props.result.made);
						setSaved(true);
					}}
				>
					{words.import_save}
				</Button>
				<Button disabled={!saved} onClick={props.done}>
					{w().act.saved_it}
				</Button>
			</DialogActions>
		</Dialog>
	);
}

function Preview(props: { csv: string }) {
	const words = w().licenses;
	const all = props.csv.split(/\r?\n/).filter((line) => line.trim());
	return (
		<div class="stack">
			<h3>{count(words.import_preview, Math.max(0, all.length - 1))}</h3>
			<pre class="preview" tabIndex={0}>
				{all.slice(0, 6).join("\n")}
				{all.length > 6 ? "\n…" : ""}
			</pre>
		</div>
	);
}

function ImportDialog(props: { tenant: string; done: (result: Result | null) => void }) {
	const words = w().licenses;
	const [csv, setCsv] = useState("");
	const [checked, setChecked] = useState<Result | null>(null);
	const [problem, setProblem] = useState<Problem | null>(null);
	const [busy, setBusy] = useState(false);
	const [once] = useState(() => crypto.randomUUID());

	const run = async (query: Record<string, string>) => {
		setBusy(true);
		setProblem(null);
		try {
			const result = await send(csv, { ...query, tenant: props.tenant || undefined }, query.dry_run ? "" : once);
			if (result.applied) props.done(result);
			else setChecked(result);
		} catch (error) {
			setProblem(problemOf(error));
		}
		setBusy(false);
	};
	const take = async (file: File | undefined) => {
		setChecked(null);
		setProblem(null);
		setCsv(file ? (await file.text()).replace(/^\ufeff/, "") : "");
	};
	return (
		<Dialog title={words.import_title} wide onClose={() => props.done(null)}>
			<p>{words.import_lead}</p>
			<FileField label={words.import_file} act={words.import_choose} accept=".csv,text/csv" onFile={(file) => void take(file)} />
			{csv && <Preview csv={csv} />}
			{checked && (
				<div class="stack" aria-live="polite">
					<p>{count(words.import_good, checked.good)}</p>
					{checked.refused > 0 && <p class="field-error">{count(words.import_bad, checked.refused)}</p>}
					{checked.bad.length > 0 && <Errors bad={checked.bad} all={checked.refused} />}
				</div>
			)}
			<ProblemBox problem={problem} />
			<DialogActions>
				<Button onClick={() => props.done(null)}>{w().act.cancel}</Button>
				{!checked && (
					<Button tone="main" disabled={!csv} busy={busy} onClick={() => void run({ dry_run: "1", take: "all" })}>
						{busy ? words.import_checking : words.import_check}
					</Button>
				)}
				{checked && checked.refused > 0 && checked.good > 0 && (
					<Button busy={busy} onClick={() => void run({ take: "good" })}>
						{words.import_only_good}
					</Button>
				)}
				{checked && checked.refused === 0 && checked.good > 0 && (
					<Button tone="main" busy={busy} onClick={() => void run({ take: "all" })}>
						{words.import_all}
					</Button>
				)}
			</DialogActions>
		</Dialog>
	);
}

/** True when licenses were made. */
export async function importLicenses(tenant: string): Promise<boolean> {
	const result = await open<Result | null>((done) => <ImportDialog tenant={tenant} done={done} />);
	if (!result?.applied) return false;
	await open<void>((done) => <Made result={result} done={() => done()} />);
	return true;
}
