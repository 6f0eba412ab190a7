// settings_tenants: the companies: their limits, the end of a contract, what is exported and what was erased.

import { useState } from "preact/hooks";

import { all, ask, download, get, may } from "../api/client";
import { useData } from "../api/data";
import { problemOf, type Problem } from "../api/problem";
import { Badge, Button, Card, Empty, Facts, type Mood, ProblemBox, Shown, When } from "../parts/basics";
import { confirm, Dialog, open } from "../parts/dialog";
import { FormBody, TextField, useForm } from "../parts/form";
import { type Column, Table } from "../parts/table";
import { say } from "../parts/toast";
import { number } from "../format";
import { fill, named, w } from "../words";

interface Tenant {
	id: string;
	name: string;
	note: string;
	state: "enabled" | "disabled" | "ended";
	retention_days: number;
	licenses_max: number;
	sessions_max: number;
	rate_max_bytes?: number;
	licenses: number;
	purge_days: number | null;
	purge_after_ms?: number;
	created_ms: number;
}

const MOODS: Record<string, Mood> = { enabled: "good", disabled: "calm", ended: "bad" };
const url = (id: string, tail = "") => `/tenants/${encodeURIComponent(id)}${tail}`;

function Window(props: { tenant: Tenant | null; done: (saved: boolean) => void }) {
	const words = w().settings;
	const { tenant } = props;
	const [draft, setDraft] = useState({
		id: tenant?.id ?? "",
		name: tenant?.name ?? "",
		note: tenant?.note ?? "",
		retention_days: String(tenant?.retention_days || ""),
		licenses_max: String(tenant?.licenses_max || ""),
		sessions_max: String(tenant?.sessions_max || ""),
		rate_max_bytes: String((tenant?.rate_max_bytes ?? 0) / 1024 || ""),
	});
	const set = (name: keyof typeof draft) => (value: string) => setDraft({ ...draft, [name]: value });
	const form = useForm(async ({ once }) => {
		const body: Record<string, unknown> = { name: draft.name.trim(), note: draft.note };
		for (const name of ["retention_days", "licenses_max", "sessions_max"] as const) if (tenant || draft[name]) body[name] = Number(draft[name] || 0);
		if (tenant || draft.rate_max_bytes) body.rate_max_bytes = Math.round(Number(draft.rate_max_bytes || 0) * 1024);
		if (tenant) await ask("PATCH", url(tenant.id), { body });
		else await ask("POST", "/tenants", { body: { ...body, id: draft.id.trim() }, once });
		props.done(true);
	});
	const text = (name: keyof typeof draft, hint?: string) => (
		<TextField label={words.tenant_fields[name]} hint={hint} value={draft[name]} onValue={set(name)} error={form.error(name)} inputMode={name.includes("max") || name.endsWith("days") ? "numeric" : undefined} />
	);
	return (
		<Dialog title={tenant ? fill(words.tenant_edit, { name: tenant.name || tenant.id }) : words.tenant_create} onClose={() => props.done(false)}>
			<FormBody form={form} act={tenant ? w().act.save : w().act.create} onCancel={() => props.done(false)}>
				{!tenant && text("id", words.tenant_id_hint)}
				{text("name")}
				{text("note")}
				<div class="fields">
					{text("licenses_max", words.no_limit_hint)}
					{text("sessions_max", words.no_limit_hint)}
					{text("rate_max_bytes", words.no_limit_hint)}
					{text("retention_days", words.standard_hint)}
				</div>
			</FormBody>
		</Dialog>
	);
}

/** Who ends a contract types the company's id: it cannot be undone. */
function EndWindow(props: { tenant: Tenant; act: "end" | "purge"; done: (did: boolean) => void }) {
	const words = w().settings;
	const [typed, setTyped] = useState("");
	const form = useForm(async ({ set }) => {
		if (typed !== props.tenant.id) return set("confirm", words.type_id);
		const body = { confirm: typed };
		await (props.act === "end" ? ask("DELETE", url(props.tenant.id), { body }) : ask("POST", url(props.tenant.id, "/purge"), { body }));
		props.done(true);
	});
	const text = props.act === "end" ? words.end : words.purge;
	return (
		<Dialog title={fill(text.title, { name: props.tenant.name || props.tenant.id })} onClose={() => props.done(false)}>
			<p class="question">{text.text}</p>
			<FormBody form={form} act={text.act} danger onCancel={() => props.done(false)}>
				<TextField label={fill(words.confirm_id, { id: props.tenant.id })} value={typed} onValue={setTyped} error={form.error("confirm")} first />
			</FormBody>
		</Dialog>
	);
}

async function proof(tenant: Tenant) {
	const words = w().settings;
	const found = await get<Record<string, unknown>>(url(tenant.id, "/proof"));
	await open<void>((done) => (
		<Dialog title={words.proof} wide onClose={() => done()}>
			<Facts rows={Object.entries(found).map(([name, value]) => [named(w().journal, name), <span class="break">{typeof value === "string" ? value : JSON.stringify(value)}</span>])} />
		</Dialog>
	));
}

export function Tenants() {
	const words = w().settings;
	const data = useData((signal) => all<Tenant>("/tenants", {}, signal), [], ["tenant"]);
	const [problem, setProblem] = useState<Problem | null>(null);
	const guard = (work: Promise<unknown>) =>
		void work.then(
			() => {
				setProblem(null);
				data.again();
			},
			(error: unknown) => setProblem(problemOf(error)),
		);
	const edit = (tenant: Tenant | null) => guard(open<boolean>((done) => <Window tenant={tenant} done={done} />).then((saved) => saved && say(words.saved)));
	const end = (tenant: Tenant, act: "end" | "purge") => guard(open<boolean>((done) => <EndWindow tenant={tenant} act={act} done={done} />));
	const toggle = (tenant: Tenant) => {
		const on = tenant.state === "disabled";
		guard(
			confirm({
				title: fill(on ? words.enable_title : words.disable_title, { name: tenant.name || tenant.id }),
				text: on ? words.enable_text : words.disable_text,
				act: on ? w().act.enable : w().act.disable,
				danger: !on,
				run: () => ask("PATCH", url(tenant.id), { body: { state: on ? "enabled" : "disabled" } }),
			}),
		);
	};
	const columns: Column<Tenant>[] = [
		{
			head: words.tenant_fields.name,
			width: "minmax(9rem, 2fr)",
			sort: (a, b) => a.id.localeCompare(b.id),
			cell: (one) => (
				<>
					{one.name || one.id}
					<span class="sub">{one.id}</span>
				</>
			),
		},
		{
			head: w().licenses.state,
			width: "9rem",
			cell: (one) => (
				<>
					<Badge mood={MOODS[one.state] ?? "calm"}>{named(words.tenant_states, one.state)}</Badge>
					{one.state === "ended" && one.purge_after_ms ? (
						<span class="sub">
							{words.erased_on} <When ms={one.purge_after_ms} short />
						</span>
					) : null}
				</>
			),
		},
		{ head: w().pages.licenses, width: "7rem", end: true, from: 620, cell: (one) => (one.licenses_max ? `${number(one.licenses)} / ${number(one.licenses_max)}` : number(one.licenses)) },
		{ head: w().licenses.created, width: "10.5rem", from: 1000, cell: (one) => <When ms={one.created_ms} short /> },
	];
	if (may("tenant.write"))
		columns.push({
			head: w().act.change,
			hideHead: true,
			width: "22rem",
			from: 700,
			end: true,
			cell: (one) => (
				<span class="actions">
					<Button small onClick={() => guard(download(url(one.id, "/export"), {}, `${one.id}.tar`, "POST"))} label={`${words.export}: ${one.id}`}>
						{words.export}
					</Button>
					{one.state === "ended" ? (
						<>
							<Button small onClick={() => guard(proof(one))}>
								{words.proof}
							</Button>
							<Button small tone="danger" onClick={() => end(one, "purge")} label={`${words.purge.act}: ${one.id}`}>
								{words.purge.act}
							</Button>
						</>
					) : (
						<>
							<Button small onClick={() => edit(one)} label={`${w().act.change}: ${one.id}`}>
								{w().act.change}
							</Button>
							<Button small onClick={() => toggle(one)} label={`${one.state === "disabled" ? w().act.enable : w().act.disable}: ${one.id}`}>
								{one.state === "disabled" ? w().act.enable : w().act.disable}
							</Button>
							<Button small tone="danger" onClick={() => end(one, "end")} label={`${words.end.act}: ${one.id}`}>
								{words.end.act}
							</Button>
						</>
					)}
				</span>
			),
		});
	return (
		<Card title={words.tabs.tenants} wide actions={may("tenant.write") && <Button onClick={() => edit(null)}>{words.tenant_create}</Button>}>
			<ProblemBox problem={problem} />
			<Shown data={data}>{(tenants) => (tenants.length ? <Table label={words.tabs.tenants} columns={columns} rows={tenants} rowKey={(one) => one.id} /> : <Empty text={words.tenants_none} hint={words.tenants_hint} />)}</Shown>
		</Card>
	);
}
