// policies: what sessions may do, level by level: the service, a tenant, a group. A level can only narrow what the
// one above left, and an office PC's own file narrows everything again.

import { useState } from "preact/hooks";

import { all, ask, may, me } from "../api/client";
import { useData } from "../api/data";
import type { PolicyBody } from "../api/types";
import { Badge, Button, Card, Empty, Page, Shown } from "../parts/basics";
import { confirm, Dialog, open } from "../parts/dialog";
import { ChecksField, FormBody, SelectField, TextArea, TextField, useForm } from "../parts/form";
import { say } from "../parts/toast";
import { fill, w } from "../words";
import { PolicyFacts } from "./policy_words";

interface Level {
	id: string;
	level: "default" | "tenant" | "group";
	tenant: string;
	group: string;
	set: boolean;
	policy: PolicyBody;
}

interface Group {
	name: string;
	tenant: string;
	note: string;
	licenses?: number;
}

const MINUTE_MS = 60_000;
const RIGHTS = ["view", "control", "clip_to_host", "clip_to_viewer", "file_to_host", "file_to_viewer"];
const DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const FLAGS = ["consent", "watermark", "lock_at_end"] as const;
type Choice = "" | "yes" | "no";

interface Range {
	days: string[];
	from: string;
	to: string;
}

interface Draft {
	rights: string[] | null;
	kinds: string[] | null;
	flags: Record<string, Choice>;
	numbers: Record<string, string>;
	zone: string;
	hours: Range[];
	addresses: string;
}

/** Minutes, KiB and counts as people give them; what is empty narrows nothing. */
const NUMBERS: [name: string, unit: number][] = [
	["max_session_ms", MINUTE_MS],
	["idle_ms", MINUTE_MS],
	["grace_ms", 1000],
	["clip_max_bytes", 1024],
	["file_max_bytes", 1024],
	["devices_max", 1],
	["rate_max_bytes", 1024],
];

function draftOf(policy: PolicyBody): Draft {
	const list = (name: string) => (Array.isArray(policy[name]) ? (policy[name] as string[]) : null);
	const numbers = NUMBERS.map(([name, unit]) => [name, typeof policy[name] === "number" ? String((policy[name] as number) / unit) : ""]);
	return {
		rights: list("rights"),
		kinds: list("viewer_kinds"),
		flags: Object.fromEntries(FLAGS.map((name) => [name, policy[name] === undefined ? "" : policy[name] ? "yes" : "no"])),
		numbers: Object.fromEntries(numbers),
		zone: (policy.zone as string) ?? "",
		hours: (policy.hours as Range[] | undefined) ?? [],
		addresses: list("addresses")?.join("\n") ?? "",
	};
}

/** Members that this form does not know stay as they are. */
function policyOf(draft: Draft, before: PolicyBody): PolicyBody {
	const body: PolicyBody = { ...before };
	const set = (name: string, value: unknown) => {
		if (value === undefined || value === null) delete body[name];
		else body[name] = value;
	};
	set("rights", draft.rights);
	set("viewer_kinds", draft.kinds);
	for (const name of FLAGS) set(name, draft.flags[name] ? draft.flags[name] === "yes" : undefined);
	for (const [name, unit] of NUMBERS) set(name, draft.numbers[name]?.trim() ? Math.round(Number(draft.numbers[name]) * unit) : undefined);
	set("hours", draft.hours.length ? draft.hours : undefined);
	set("zone", draft.hours.length && draft.zone.trim() ? draft.zone.trim() : undefined);
	const addresses = draft.addresses.split(/[\s,]+/).filter(Boolean);
	set("addresses", addresses.length ? addresses : undefined);
	return body;
}

function Limited(props: { label: string; options: { value: string; text: string }[]; value: string[] | null; onValue: (value: string[] | null) => void; error?: string }) {
	const words = w().policies;
	return (
		<>
			<SelectField
				label={props.label}
				value={props.value ? "some" : "all"}
				onValue={(value) => props.onValue(value === "some" ? props.options.map((option) => option.value) : null)}
				options={[
					{ value: "all", text: words.not_limited },
					{ value: "some", text: words.only_these },
				]}
			/>
			{props.value && <ChecksField label={props.label} options={props.options} value={props.value} onValue={props.onValue} error={props.error} />}
		</>
	);
}

function HoursField(props: { hours: Range[]; zone: string; change: (hours: Range[], zone: string) => void; error: (name: string) => string | undefined }) {
	const words = w().policies;
	const put = (index: number, range: Range) => props.change(props.hours.map((one, at) => (at === index ? range : one)), props.zone);
	const add = () => props.change([...props.hours, { days: DAYS.slice(0, 5), from: "09:00", to: "18:00" }], props.zone || Intl.DateTimeFormat().resolvedOptions().timeZone);
	return (
		<fieldset class="field">
			<legend>{w().policy.members.hours}</legend>
			{!props.hours.length && <p class="hint">{words.always}</p>}
			{props.hours.map((range, index) => (
				<div class="range" key={String(index)}>
					<ChecksField label={words.days} options={DAYS.map((day) => ({ value: day, text: w().policy.day_names[day as "mon"] }))} value={range.days} onValue={(days) => put(index, { ...range, days: DAYS.filter((day) => days.includes(day)) })} />
					<div class="fields">
						<TextField label={words.from} placeholder="09:00" value={range.from} onValue={(from) => put(index, { ...range, from })} />
						<TextField label={words.to} placeholder="18:00" value={range.to} onValue={(to) => put(index, { ...range, to })} />
					</div>
					<Button small onClick={() => props.change(props.hours.filter((_, at) => at !== index), props.zone)}>
						{words.range_remove}
					</Button>
				</div>
			))}
			{props.error("hours") && <p class="field-error">{props.error("hours")}</p>}
			<Button small onClick={add}>
				{words.range_add}
			</Button>
			{props.hours.length > 0 && <TextField label={w().policy.members.zone} hint="Asia/Tokyo" value={props.zone} onValue={(zone) => props.change(props.hours, zone)} error={props.error("zone")} maxLength={64} />}
		</fieldset>
	);
}

export function PolicyWindow(props: { title: string; policy: PolicyBody; save: (policy: PolicyBody) => Promise<unknown>; done: (saved: boolean) => void }) {
	const words = w().policies;
	const names = w().policy;
	const [draft, setDraft] = useState(() => draftOf(props.policy));
	const form = useForm(async ({ set }) => {
		const wrong = NUMBERS.find(([name]) => draft.numbers[name]?.trim() && !Number.isFinite(Number(draft.numbers[name])));
		if (wrong) return set(wrong[0], w().field.number);
		await props.save(policyOf(draft, props.policy));
		props.done(true);
	});
	const number = (name: keyof typeof words.units & string) => (
		<TextField
			label={`${names.members[name as "idle_ms"]} (${words.units[name]})`}
			inputMode="decimal"
			value={draft.numbers[name] ?? ""}
			onValue={(value) => setDraft({ ...draft, numbers: { ...draft.numbers, [name]: value } })}
			error={form.error(name)}
		/>
	);
	return (
		<Dialog title={props.title} wide onClose={() => props.done(false)}>
			<p class="muted">{words.narrows}</p>
			<FormBody form={form} act={w().act.save} onCancel={() => props.done(false)}>
				<Limited label={names.members.rights} options={RIGHTS.map((value) => ({ value, text: names.right_names[value as "view"] }))} value={draft.rights} onValue={(rights) => setDraft({ ...draft, rights })} error={form.error("rights")} />
				<Limited
					label={names.members.viewer_kinds}
					options={["native", "web"].map((value) => ({ value, text: names.kind_names[value as "web"] }))}
					value={draft.kinds}
					onValue={(kinds) => setDraft({ ...draft, kinds })}
					error={form.error("viewer_kinds")}
				/>
				<div class="fields">
					{FLAGS.map((name) => (
						<SelectField
							key={name}
							label={names.members[name]}
							value={draft.flags[name] ?? ""}
							onValue={(value) => setDraft({ ...draft, flags: { ...draft.flags, [name]: value as Choice } })}
							options={[
								{ value: "", text: words.not_set },
								{ value: "yes", text: words.demanded },
								{ value: "no", text: words.not_demanded },
							]}
						/>
					))}
				</div>
				<div class="fields">
					{number("max_session_ms")}
					{number("idle_ms")}
					{number("grace_ms")}
					{number("clip_max_bytes")}
					{number("file_max_bytes")}
					{number("devices_max")}
					{number("rate_max_bytes")}
				</div>
				<HoursField hours={draft.hours} zone={draft.zone} change={(hours, zone) => setDraft({ ...draft, hours, zone })} error={form.error} />
				<TextArea label={names.members.addresses} hint={words.addresses_hint} value={draft.addresses} onValue={(addresses) => setDraft({ ...draft, addresses })} error={form.error("addresses")} />
			</FormBody>
		</Dialog>
	);
}

function url(level: { level: string; tenant: string; group: string }): { path: string; query: Record<string, string> } {
	if (level.level === "default") return { path: "/policies/default", query: {} };
	if (level.level === "tenant") return { path: `/policies/tenant/${encodeURIComponent(level.tenant)}`, query: {} };
	return { path: `/policies/group/${encodeURIComponent(level.group)}`, query: { tenant: level.tenant } };
}

function titleOf(level: { level: string; tenant: string; group: string }): string {
	const words = w().policies;
	if (level.level === "default") return words.of_service;
	return level.level === "tenant" ? fill(words.of_tenant, { name: level.tenant }) : fill(words.of_group, { name: level.group });
}

function mayChange(level: { level: string; tenant: string }): boolean {
	return may("policy.write") && (level.level !== "default" || !me.get()?.tenant);
}

function LevelCard(props: { level: Level; again: () => void }) {
	const words = w().policies;
	const { level } = props;
	const where = url(level);
	const edit = async () => {
		const save = (policy: PolicyBody) => ask("PUT", where.path, { query: where.query, body: policy });
		if (await open<boolean>((done) => <PolicyWindow title={titleOf(level)} policy={level.policy} save={save} done={done} />)) {
			say(words.saved);
			props.again();
		}
	};
	const remove = async () => {
		const done = await confirm({ title: fill(words.remove_title, { name: titleOf(level) }), text: words.remove_text, act: words.remove, danger: true, run: () => ask("DELETE", where.path, { query: where.query }) });
		if (done) props.again();
	};
	return (
		<Card
			title={
				<>
					{titleOf(level)} {!level.set && <Badge mood="calm">{words.nothing_set}</Badge>}
				</>
			}
			actions={
				mayChange(level) && (
					<>
						<Button small onClick={() => void edit()} label={`${w().act.change}: ${titleOf(level)}`}>
							{w().act.change}
						</Button>
						{level.set && (
							<Button small tone="danger" onClick={() => void remove()} label={`${words.remove}: ${titleOf(level)}`}>
								{words.remove}
							</Button>
						)}
					</>
				)
			}
		>
			{Object.keys(level.policy).length ? <PolicyFacts policy={level.policy} /> : <p class="muted">{w().licenses.policy_none}</p>}
		</Card>
	);
}

function GroupWindow(props: { tenant: string; done: (made: boolean) => void }) {
	const words = w().policies;
	const [name, setName] = useState("");
	const [note, setNote] = useState("");
	const [tenant, setTenant] = useState(props.tenant);
	const form = useForm(async ({ set, once }) => {
		if (!name.trim()) return set("name", w().field.needed);
		await ask("POST", "/groups", { body: { name: name.trim(), note, ...(tenant ? { tenant } : {}) }, once });
		props.done(true);
	});
	return (
		<Dialog title={words.group_create} onClose={() => props.done(false)}>
			<FormBody form={form} act={w().act.create} onCancel={() => props.done(false)}>
				<TextField label={words.group_name} value={name} onValue={setName} error={form.error("name")} needed first maxLength={64} />
				{!props.tenant && <TextField label={w().licenses.tenant} value={tenant} onValue={setTenant} error={form.error("tenant")} maxLength={40} />}
				<TextField label={w().licenses.note} value={note} onValue={setNote} error={form.error("note")} maxLength={512} />
			</FormBody>
		</Dialog>
	);
}

/** Every level there is, set or not: the service, the tenants, the groups. */
async function load(signal: AbortSignal): Promise<Level[]> {
	const own = me.get()?.tenant ?? "";
	const [set, groups, tenants] = await Promise.all([
		all<Level>("/policies", {}, signal),
		all<Group>("/groups", {}, signal),
		own || !may("tenant.read") ? Promise.resolve([{ id: own }]) : all<{ id: string }>("/tenants", {}, signal),
	]);
	const empty = (level: Level["level"], tenant: string, group: string): Level => {
		const id = [level, tenant, group].filter(Boolean).join("/");
		return set.find((one) => one.level === level && one.tenant === tenant && one.group === group) ?? { id, level, tenant, group, set: false, policy: {} };
	};
	return [empty("default", "", ""), ...tenants.filter((one) => one.id).map((one) => empty("tenant", one.id, "")), ...groups.map((one) => empty("group", one.tenant, one.name))];
}

export function Policies() {
	const words = w().policies;
	const data = useData(load, [me.get()?.tenant], ["policy", "group", "tenant"]);
	const addGroup = async () => {
		if (await open<boolean>((done) => <GroupWindow tenant={me.get()?.tenant ?? ""} done={done} />)) data.again();
	};
	return (
		<Page title={words.title} actions={may("group.write") && <Button onClick={() => void addGroup()}>{words.group_create}</Button>}>
			<p class="muted">{words.lead}</p>
			<Shown data={data}>{(levels) => (levels.length ? levels.map((level) => <LevelCard key={level.id} level={level} again={data.again} />) : <Empty />)}</Shown>
		</Page>
	);
}
