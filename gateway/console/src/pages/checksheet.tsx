// checksheet: what companies ask before they sign, answered by the running product.

import { useState } from "preact/hooks";

import { ask, download, get, may } from "../api/client";
import { useData } from "../api/data";
import { type Problem, problemOf } from "../api/problem";
import { Badge, Button, Card, type Mood, Page, ProblemBox, Shown, When } from "../parts/basics";
import { Dialog, open } from "../parts/dialog";
import { Filter, FormBody, TextArea, useForm } from "../parts/form";
import { say } from "../parts/toast";
import { language } from "../settings";
import { named, w } from "../words";
import { count } from "../words/count";

interface Row {
	sheet: "saas" | "telework";
	row: string;
	kind: "P" | "O" | "D";
	question: string;
	answer: string;
	value: unknown;
	command: string;
	good: boolean | null;
	flipped?: boolean;
	statement_ms?: number;
}

interface Sheet {
	made_ms: number;
	rows: Row[];
	changed?: unknown[];
}

function moodOf(row: Row): [Mood, string] {
	const words = w().checksheet;
	if (row.good === true) return ["good", words.good];
	return row.good === false ? ["bad", words.bad] : ["calm", words.open];
}

function Statement(props: { row: Row; done: (saved: boolean) => void }) {
	const words = w().checksheet;
	const at = `/statements/${encodeURIComponent(props.row.row)}`;
	const old = useData((signal) => get<{ text?: { en?: string; ja?: string } }>(at, {}, signal), []);
	return (
		<Dialog title={props.row.question} wide onClose={() => props.done(false)}>
			<Shown data={old}>{(found) => <StatementForm at={at} ja={found.text?.ja ?? ""} en={found.text?.en ?? ""} done={props.done} />}</Shown>
			<p class="muted">{words.statement_hint}</p>
		</Dialog>
	);
}

function StatementForm(props: { at: string; ja: string; en: string; done: (saved: boolean) => void }) {
	const words = w().checksheet;
	const [ja, setJa] = useState(props.ja);
	const [en, setEn] = useState(props.en);
	const form = useForm(async () => {
		await ask("PUT", props.at, { body: { text: { ja: ja.trim(), en: en.trim() } } });
		props.done(true);
	});
	return (
		<FormBody form={form} act={w().act.save} onCancel={() => props.done(false)}>
			<TextArea label={words.text_ja} value={ja} onValue={setJa} error={form.error("text") ?? form.error("ja")} rows={4} />
			<TextArea label={words.text_en} value={en} onValue={setEn} error={form.error("en")} rows={4} />
		</FormBody>
	);
}

function Rows(props: { sheet: string; rows: Row[]; edit: (row: Row) => void }) {
	const words = w().checksheet;
	return (
		<Card title={named(words.sheets, props.sheet)} wide>
			<div class="sheet" role="region" tabIndex={0} aria-label={named(words.sheets, props.sheet)}>
				<table>
					<thead>
						<tr>
							<th scope="col">{words.number}</th>
							<th scope="col">{words.question}</th>
							<th scope="col">{words.answer}</th>
							<th scope="col">{words.state}</th>
						</tr>
					</thead>
					<tbody>
						{props.rows.map((row) => (
							<tr key={row.row}>
								<th scope="row">{row.row}</th>
								<td>
									{row.question}
									<span class="sub">{named(words.kinds, row.kind)}</span>
								</td>
								<td>
									{row.answer || <span class="muted">{words.missing}</span>}
									{row.command && (
										<span class="sub">
											<code>{row.command}</code>
										</span>
									)}
								</td>
								<td>
									<Badge mood={moodOf(row)[0]}>{moodOf(row)[1]}</Badge>
									{row.kind === "D" && may("report.write") && (
										<Button small onClick={() => props.edit(row)} label={`${words.write}: ${row.row}`}>
											{words.write}
										</Button>
									)}
								</td>
							</tr>
						))}
					</tbody>
				</table>
			</div>
		</Card>
	);
}

export function Checksheet() {
	const words = w().checksheet;
	const tongue = language.use();
	const data = useData((signal) => get<Sheet>("/reports/checksheet", { lang: tongue }, signal), [tongue]);
	const [busy, setBusy] = useState(false);
	const [problem, setProblem] = useState<Problem | null>(null);
	const [only, setOnly] = useState("");
	const verify = async () => {
		setBusy(true);
		setProblem(null);
		try {
			const found = await ask<Sheet>("POST", "/reports/checksheet/verify", { query: { lang: tongue }, body: {} });
			if (found.rows) data.put(found);
			say(found.changed?.length ? count(words.changed, found.changed.length) : words.unchanged);
		} catch (error) {
			setProblem(problemOf(error));
		}
		setBusy(false);
	};
	const edit = async (row: Row) => {
		if (await open<boolean>((done) => <Statement row={row} done={done} />)) data.again();
	};
	const save = (format: string) => void download("/reports/checksheet", { lang: tongue, format }, `engawa-checksheet.${format}`).catch((error: unknown) => setProblem(problemOf(error)));
	return (
		<Page
			title={words.title}
			lead={
				data.value && (
					<>
						{words.made} <When ms={data.value.made_ms} />
					</>
				)
			}
			actions={
				<>
					<Button tone="main" busy={busy} onClick={() => void verify()}>
						{words.verify}
					</Button>
					<Button onClick={() => save("csv")}>{w().act.export_csv}</Button>
					<Button onClick={() => save("html")}>{words.for_print}</Button>
				</>
			}
		>
			<ProblemBox problem={problem} />
			<div class="filters">
				<Filter
					label={words.show}
					value={only}
					onValue={setOnly}
					list={[
						{ value: "", text: w().state.all },
						{ value: "bad", text: words.bad },
						{ value: "open", text: words.open },
					]}
				/>
			</div>
			<Shown data={data}>
				{(sheet) => {
					const shown = sheet.rows.filter((row) => !only || (only === "bad" ? row.good === false : row.good === null));
					return ["saas", "telework"].map((name) => {
						const rows = shown.filter((row) => row.sheet === name);
						return rows.length ? <Rows key={name} sheet={name} rows={rows} edit={(row) => void edit(row)} /> : null;
					});
				}}
			</Shown>
		</Page>
	);
}
