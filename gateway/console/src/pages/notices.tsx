// notices: what people are told beforehand: planned stops, the end of the service, news.

import { useState } from "preact/hooks";

import { all, ask, may } from "../api/client";
import { useData } from "../api/data";
import { Badge, Button, Empty, type Mood, Page, Shown, When } from "../parts/basics";
import { confirm, Dialog, open } from "../parts/dialog";
import { ChecksField, FormBody, SelectField, TextArea, TextField, useForm } from "../parts/form";
import { type Column, Table } from "../parts/table";
import { say } from "../parts/toast";
import { named, w } from "../words";
import { fromLocal, localInput } from "./license_forms";
import { localText } from "./overview";

interface Notice {
	id: string;
	tenant: string;
	kind: string;
	text: { en: string; ja: string };
	from_ms: number;
	to_ms: number;
	show_from_ms: number;
	places: string[];
	warnings?: (string | { en: string; ja: string })[];
}

const KINDS = ["planned_stop", "end_of_service", "news"];
const PLACES = ["console", "viewer", "agent"];
const MOODS: Record<string, Mood> = { planned_stop: "warn", end_of_service: "bad", news: "info" };
const LEAD_MS = 30 * 86_400_000;

interface Draft {
	kind: string;
	ja: string;
	en: string;
	from: string;
	to: string;
	show: string;
	tenant: string;
	places: string[];
}

function Window(props: { notice: Notice | null; done: (made: Notice | null) => void }) {
	const words = w().notices;
	const { notice } = props;
	const [draft, setDraft] = useState<Draft>({
		kind: notice?.kind ?? "planned_stop",
		ja: notice?.text.ja ?? "",
		en: notice?.text.en ?? "",
		from: localInput(notice?.from_ms ?? 0),
		to: localInput(notice?.to_ms ?? 0),
		show: localInput(notice?.show_from_ms ?? Date.now()),
		tenant: notice?.tenant ?? "",
		places: notice?.places ?? PLACES,
	});
	const set = (name: keyof Draft) => (value: string) => setDraft({ ...draft, [name]: value });
	const form = useForm(async ({ once }) => {
		const body = {
			kind: draft.kind,
			text: { ja: draft.ja.trim(), en: draft.en.trim() },
			from_ms: fromLocal(draft.from),
			to_ms: fromLocal(draft.to),
			show_from_ms: fromLocal(draft.show),
			places: draft.places,
			...(notice ? {} : { tenant: draft.tenant.trim() }),
		};
		props.done(notice ? await ask<Notice>("PATCH", `/notices/${encodeURIComponent(notice.id)}`, { body }) : await ask<Notice>("POST", "/notices", { body, once }));
	});
	const starts = fromLocal(draft.from);
	const short = draft.kind === "planned_stop" && starts > 0 && starts - (fromLocal(draft.show) || Date.now()) < LEAD_MS;
	return (
		<Dialog title={notice ? words.edit : words.create} wide onClose={() => props.done(null)}>
			<FormBody form={form} act={notice ? w().act.save : w().act.create} onCancel={() => props.done(null)}>
				<div class="fields">
					<SelectField label={words.kind} value={draft.kind} onValue={set("kind")} options={KINDS.map((kind) => ({ value: kind, text: named(words.kinds, kind) }))} />
					{!notice && <TextField label={words.tenant} hint={words.tenant_hint} value={draft.tenant} onValue={set("tenant")} error={form.error("tenant")} maxLength={40} />}
				</div>
				<TextArea label={words.text_ja} value={draft.ja} onValue={set("ja")} error={form.error("text") ?? form.error("ja")} maxLength={500} />
				<TextArea label={words.text_en} value={draft.en} onValue={set("en")} error={form.error("en")} maxLength={500} />
				<div class="fields">
					<TextField label={words.from} type="datetime-local" value={draft.from} onValue={set("from")} error={form.error("from_ms")} />
					<TextField label={words.to} type="datetime-local" value={draft.to} onValue={set("to")} error={form.error("to_ms")} />
					<TextField label={words.show_from} type="datetime-local" value={draft.show} onValue={set("show")} error={form.error("show_from_ms")} />
				</div>
				{short && (
					<p class="warning" role="status">
						{words.lead_short}
					</p>
				)}
				<ChecksField
					label={words.places}
					options={PLACES.map((place) => ({ value: place, text: named(words.place_names, place) }))}
					value={draft.places}
					onValue={(places) => setDraft({ ...draft, places })}
					error={form.error("places")}
				/>
			</FormBody>
		</Dialog>
	);
}

function stateOf(notice: Notice): [string, Mood] {
	const words = w().notices;
	const now = Date.now();
	if (notice.to_ms && notice.to_ms < now) return [words.over, "calm"];
	return notice.show_from_ms > now ? [words.later, "info"] : [words.shown, "good"];
}

export function Notices() {
	const words = w().notices;
	const data = useData((signal) => all<Notice>("/notices", {}, signal), [], ["notice"]);
	const edit = async (notice: Notice | null) => {
		const made = await open<Notice | null>((done) => <Window notice={notice} done={done} />);
		if (!made) return;
		say(notice ? words.saved : words.created);
		for (const warning of made.warnings ?? []) say(localText(warning));
		data.again();
	};
	const remove = async (notice: Notice) => {
		const done = await confirm({ title: words.remove_title, text: localText(notice.text), act: words.remove, danger: true, run: () => ask("DELETE", `/notices/${encodeURIComponent(notice.id)}`) });
		if (done) {
			say(words.removed);
			data.again();
		}
	};
	const columns: Column<Notice>[] = [
		{ head: words.kind, width: "8.5rem", cell: (one) => <Badge mood={MOODS[one.kind] ?? "info"}>{named(words.kinds, one.kind)}</Badge> },
		{ head: words.text, width: "minmax(10rem, 3fr)", cell: (one) => localText(one.text) },
		{ head: words.from, width: "10rem", from: 720, sort: (a, b) => a.from_ms - b.from_ms, cell: (one) => <When ms={one.from_ms} short /> },
		{ head: words.to, width: "10rem", from: 900, cell: (one) => <When ms={one.to_ms} short /> },
		{ head: words.state, width: "6.5rem", from: 520, cell: (one) => <Badge mood={stateOf(one)[1]}>{stateOf(one)[0]}</Badge> },
	];
	if (may("notice.write"))
		columns.push({
			head: w().act.change,
			hideHead: true,
			width: "10rem",
			end: true,
			cell: (one) => (
				<span class="actions">
					<Button small onClick={() => void edit(one)} label={`${w().act.change}: ${localText(one.text)}`}>
						{w().act.change}
					</Button>
					<Button small tone="danger" onClick={() => void remove(one)} label={`${words.remove}: ${localText(one.text)}`}>
						{words.remove}
					</Button>
				</span>
			),
		});
	return (
		<Page
			title={words.title}
			actions={
				may("notice.write") && (
					<Button tone="main" onClick={() => void edit(null)}>
						{words.create}
					</Button>
				)
			}
		>
			<Shown data={data}>
				{(notices) => (notices.length ? <Table label={words.title} columns={columns} rows={notices} rowKey={(one) => one.id} /> : <Empty text={words.none} hint={words.none_hint} />)}
			</Shown>
		</Page>
	);
}
