// alerts: what has fired, the rules that watch, and where they send.

import { useState } from "preact/hooks";

import { all, ask, get, may, me } from "../api/client";
import { useData } from "../api/data";
import { useRows } from "../api/rows";
import type { Alarm } from "../api/types";
import { Ago, Badge, Button, Empty, Facts, Page, ProblemBox, Shown, Tabs, When } from "../parts/basics";
import { LanguageField } from "../parts/choices";
import { confirm, Dialog, open } from "../parts/dialog";
import { ChecksField, CheckField, Filter, FormBody, SelectField, TextArea, TextField, useForm } from "../parts/form";
import { showSecrets } from "../parts/secret";
import { type Column, RowCount, Table } from "../parts/table";
import { say } from "../parts/toast";
import { bytes, duration, number } from "../format";
import { path, replace } from "../route";
import { named, w } from "../words";
import { soFar } from "./journal_words";
import { LicenseLink } from "./license_words";
import { localText } from "./overview";

interface Rule {
	id: string;
	name: string;
	tenant: string;
	when: string;
	measure: "count" | "sum" | "state";
	threshold: number;
	window_ms: number;
	quiet_ms: number;
	routes: string[];
	state: "enabled" | "disabled";
}

interface Target {
	id: string;
	name: string;
	tenant: string;
	kind: "webhook" | "mail" | "syslog";
	language: string;
	state: "enabled" | "disabled";
	url?: string;
	server?: string;
	security?: string;
	user?: string;
	from?: string;
	to?: string[];
	target?: string;
	test_ms?: number;
	test_error?: string;
}

const MINUTE_MS = 60_000;
const kindText = (when: string) => named(w().alarm_kinds, when);

// ---- what has fired

function alarmColumns(seen: (alarm: Alarm) => void): Column<Alarm>[] {
	const words = w().alerts;
	const columns: Column<Alarm>[] = [
		{ head: words.time, width: "10.5rem", cell: (one) => <When ms={one.at_ms ?? one.fired_ms} short /> },
		{ head: words.what, width: "minmax(12rem, 3fr)", cell: (one) => localText(one.text) || kindText(one.when) },
		{ head: words.license, width: "8.5rem", from: 860, cell: (one) => (typeof one.license === "string" && one.license ? <LicenseLink id={one.license} text={one.license} /> : "–") },
		{ head: words.tenant, width: "7rem", from: 1040, cell: (one) => one.tenant || "–" },
	];
	if (may("alert.write"))
		columns.push({
			head: words.note,
			hideHead: true,
			width: "8.5rem",
			end: true,
			cell: (one) =>
				one.seen_ms ? (
					<span class="muted">
						<Ago ms={one.seen_ms} />
					</span>
				) : (
					<Button small onClick={() => seen(one)} label={`${words.note}: ${localText(one.text) || kindText(one.when)}`}>
						{words.note}
					</Button>
				),
		});
	return columns;
}

function Alarms(props: { query: Record<string, string> }) {
	const words = w().alerts;
	const { seen = "no", when = "" } = props.query;
	const rows = useRows<Alarm>("/alarms", { seen: seen === "all" ? "" : seen, when }, ["alarm"]);
	const set = (name: string) => (value: string) => replace(path("alerts", "", { ...props.query, [name]: value }));
	const take = (alarm: Alarm) =>
		void ask("POST", `/alarms/${encodeURIComponent(alarm.id)}/seen`, { body: {} }).then(() => {
			say(words.noted);
			rows.again();
		});
	return (
		<>
			<div class="filters">
				<Filter
					label={words.show}
					value={seen}
					onValue={set("seen")}
					list={[
						{ value: "no", text: words.open },
						{ value: "yes", text: words.seen },
						{ value: "all", text: w().state.all },
					]}
				/>
				<Filter label={words.kind} value={when} onValue={set("when")} list={[{ value: "", text: w().state.all }, ...Object.entries(w().alarm_kinds).map(([value, text]) => ({ value, text }))]} />
			</div>
			<ProblemBox problem={rows.problem} retry={rows.again} />
			{rows.rows.length ? (
				<>
					<RowCount loaded={rows.rows.length} total={rows.total} />
					<Table label={words.alarms} columns={alarmColumns(take)} rows={rows.rows} total={soFar(rows)} need={rows.need} rowKey={(one) => one.id} />
				</>
			) : (
				!rows.loading && !rows.problem && <Empty text={words.alarms_none} />
			)}
		</>
	);
}

// ---- rules

function thresholdText(rule: Rule): string {
	if (rule.when === "bandwidth") return bytes(rule.threshold);
	return rule.when === "disk" ? `${number(rule.threshold)} %` : number(rule.threshold);
}

interface RuleDraft {
	when: string;
	name: string;
	tenant: string;
	threshold: string;
	minutes: string;
	quiet: string;
	routes: string[];
	enabled: boolean;
}

function RuleWindow(props: { rule: Rule | null; targets: Target[]; done: (made: boolean) => void }) {
	const words = w().alerts;
	const { rule } = props;
	const [draft, setDraft] = useState<RuleDraft>({
		when: rule?.when ?? "login_failed",
		name: rule?.name ?? "",
		tenant: rule?.tenant ?? me.get()?.tenant ?? "",
		threshold: rule ? String(rule.threshold) : "",
		minutes: rule ? String(rule.window_ms / MINUTE_MS) : "",
		quiet: rule ? String(rule.quiet_ms / MINUTE_MS) : "",
		routes: rule?.routes ?? [],
		enabled: rule?.state !== "disabled",
	});
	const set = (name: keyof RuleDraft) => (value: string) => setDraft({ ...draft, [name]: value });
	const form = useForm(async ({ once }) => {
		const body: Record<string, unknown> = { routes: draft.routes, state: draft.enabled ? "enabled" : "disabled" };
		if (draft.name) body.name = draft.name;
		if (draft.threshold) body.threshold = Number(draft.threshold);
		if (draft.minutes) body.window_ms = Math.round(Number(draft.minutes) * MINUTE_MS);
		if (draft.quiet) body.quiet_ms = Math.round(Number(draft.quiet) * MINUTE_MS);
		if (rule) await ask("PATCH", `/alerts/${encodeURIComponent(rule.id)}`, { body });
		else await ask("POST", "/alerts", { body: { ...body, when: draft.when, ...(draft.tenant ? { tenant: draft.tenant } : {}) }, once });
		props.done(true);
	});
	const targets = props.targets.filter((target) => target.tenant === draft.tenant || !draft.tenant);
	return (
		<Dialog title={rule ? kindText(rule.when) : words.rule_create} onClose={() => props.done(false)}>
			<FormBody form={form} act={rule ? w().act.save : w().act.create} onCancel={() => props.done(false)}>
				<div class="fields">
					{!rule && <SelectField label={words.kind} value={draft.when} onValue={set("when")} options={Object.entries(w().alarm_kinds).map(([value, text]) => ({ value, text }))} error={form.error("when")} />}
					<TextField label={words.name} value={draft.name} onValue={set("name")} error={form.error("name")} maxLength={128} />
					{!rule && !me.get()?.tenant && <TextField label={words.tenant} value={draft.tenant} onValue={set("tenant")} error={form.error("tenant")} maxLength={40} />}
					<TextField label={words.threshold} hint={draft.when === "bandwidth" ? words.threshold_bytes : undefined} inputMode="numeric" value={draft.threshold} onValue={set("threshold")} error={form.error("threshold")} />
					<TextField label={words.window} inputMode="decimal" value={draft.minutes} onValue={set("minutes")} error={form.error("window_ms")} />
					<TextField label={words.quiet} inputMode="decimal" value={draft.quiet} onValue={set("quiet")} error={form.error("quiet_ms")} />
				</div>
				{targets.length ? (
					<ChecksField label={words.tell} options={targets.map((target) => ({ value: target.id, text: target.name || target.id }))} value={draft.routes} onValue={(routes) => setDraft({ ...draft, routes })} error={form.error("routes")} />
				) : (
					<p class="muted">{words.targets_none}</p>
				)}
				<CheckField label={words.watch} value={draft.enabled} onValue={(enabled) => setDraft({ ...draft, enabled })} />
			</FormBody>
		</Dialog>
	);
}

function Rules() {
	const words = w().alerts;
	const rules = useData((signal) => all<Rule>("/alerts", {}, signal), [], ["alert"]);
	const targets = useData((signal) => all<Target>("/routes", {}, signal), [], ["route"]);
	const edit = async (rule: Rule | null) => {
		if (await open<boolean>((done) => <RuleWindow rule={rule} targets={targets.value ?? []} done={done} />)) {
			say(words.saved);
			rules.again();
		}
	};
	const remove = async (rule: Rule) => {
		const done = await confirm({ title: words.rule_remove_title, text: `${kindText(rule.when)} ${rule.tenant}`, act: w().act.delete, danger: true, run: () => ask("DELETE", `/alerts/${encodeURIComponent(rule.id)}`) });
		if (done) rules.again();
	};
	const nameOf = (id: string) => targets.value?.find((target) => target.id === id)?.name || id;
	const columns: Column<Rule>[] = [
		{
			head: words.kind,
			width: "minmax(11rem, 2fr)",
			cell: (one) => (
				<>
					{kindText(one.when)}
					{one.name && one.name !== one.when && <span class="sub">{one.name}</span>}
				</>
			),
		},
		{ head: words.tenant, width: "7rem", from: 900, cell: (one) => one.tenant || w().shell.all_tenants },
		{ head: words.threshold, width: "7rem", end: true, from: 620, cell: (one) => thresholdText(one) },
		{ head: words.window_short, width: "7.5rem", end: true, from: 740, cell: (one) => duration(one.window_ms) },
		{ head: words.tell, width: "minmax(8rem, 1.5fr)", from: 980, cell: (one) => one.routes.map(nameOf).join(w().policy.and) || <span class="muted">{words.console_only}</span> },
		{ head: words.state, width: "6.5rem", from: 480, cell: (one) => <Badge mood={one.state === "enabled" ? "good" : "calm"}>{named(w().state, one.state)}</Badge> },
	];
	if (may("alert.write"))
		columns.push({
			head: w().act.change,
			hideHead: true,
			width: "9.5rem",
			end: true,
			cell: (one) => (
				<span class="actions">
					<Button small onClick={() => void edit(one)} label={`${w().act.change}: ${kindText(one.when)}`}>
						{w().act.change}
					</Button>
					<Button small tone="danger" onClick={() => void remove(one)} label={`${w().act.delete}: ${kindText(one.when)}`}>
						{w().act.delete}
					</Button>
				</span>
			),
		});
	return (
		<>
			{may("alert.write") && (
				<div class="filters">
					<Button tone="main" onClick={() => void edit(null)}>
						{words.rule_create}
					</Button>
				</div>
			)}
			<Shown data={rules}>{(found) => (found.length ? <Table label={words.rules} columns={columns} rows={found} rowKey={(one) => one.id} /> : <Empty text={words.rules_none} />)}</Shown>
		</>
	);
}

// ---- where they send

interface TargetDraft {
	kind: string;
	name: string;
	tenant: string;
	language: string;
	url: string;
	server: string;
	security: string;
	user: string;
	password: string;
	from: string;
	to: string;
	target: string;
	enabled: boolean;
}

function bodyOf(draft: TargetDraft): Record<string, unknown> {
	const common = { name: draft.name, language: draft.language, state: draft.enabled ? "enabled" : "disabled" };
	if (draft.kind === "webhook") return { ...common, url: draft.url };
	if (draft.kind === "syslog") return { ...common, target: draft.target };
	const to = draft.to.split(/[\s,]+/).filter(Boolean);
	return { ...common, server: draft.server, security: draft.security, user: draft.user, from: draft.from, to, ...(draft.password ? { password: draft.password } : {}) };
}

function TargetWindow(props: { target: Target | null; done: (made: { secret?: string } | null) => void }) {
	const words = w().alerts;
	const { target } = props;
	const [draft, setDraft] = useState<TargetDraft>({
		kind: target?.kind ?? "mail",
		name: target?.name ?? "",
		tenant: target?.tenant ?? me.get()?.tenant ?? "",
		language: target?.language ?? "ja",
		url: target?.url ?? "https://",
		server: target?.server ?? "",
		security: target?.security ?? "starttls",
		user: target?.user ?? "",
		password: "",
		from: target?.from ?? "",
		to: target?.to?.join("\n") ?? "",
		target: target?.target ?? "tls://",
		enabled: target?.state !== "disabled",
	});
	const set = (name: keyof TargetDraft) => (value: string) => setDraft({ ...draft, [name]: value });
	const form = useForm(async ({ once }) => {
		const body = bodyOf(draft);
		if (target) props.done(await ask<{ secret?: string }>("PATCH", `/routes/${encodeURIComponent(target.id)}`, { body }));
		else props.done(await ask<{ secret?: string }>("POST", "/routes", { body: { ...body, kind: draft.kind, ...(draft.tenant ? { tenant: draft.tenant } : {}) }, once }));
	});
	const text = (name: keyof TargetDraft & string, more: { hint?: string; type?: "email" | "password" | "url" } = {}) => (
		<TextField label={named(words.target_fields, name)} value={draft[name] as string} onValue={set(name)} error={form.error(name)} {...more} />
	);
	return (
		<Dialog title={target ? words.target_edit : words.target_create} onClose={() => props.done(null)}>
			<FormBody form={form} act={target ? w().act.save : w().act.create} onCancel={() => props.done(null)}>
				<div class="fields">
					{!target && <SelectField label={words.target_kind} value={draft.kind} onValue={set("kind")} options={Object.entries(words.target_kinds).map(([value, label]) => ({ value, text: label }))} />}
					{text("name")}
					{!target && !me.get()?.tenant && text("tenant")}
					<LanguageField value={draft.language} onValue={set("language")} />
				</div>
				{draft.kind === "webhook" && text("url", { type: "url", hint: words.webhook_hint })}
				{draft.kind === "syslog" && text("target", { hint: words.syslog_hint })}
				{draft.kind === "mail" && (
					<>
						<div class="fields">
							{text("server", { hint: words.server_hint })}
							<SelectField label={named(words.target_fields, "security")} value={draft.security} onValue={set("security")} options={["starttls", "tls", "none"].map((value) => ({ value, text: named(words.securities, value) }))} error={form.error("security")} />
							{text("user")}
							{text("password", { type: "password", hint: target ? words.password_keep : undefined })}
							{text("from", { type: "email" })}
						</div>
						<TextArea label={named(words.target_fields, "to")} hint={words.to_hint} value={draft.to} onValue={set("to")} error={form.error("to")} />
					</>
				)}
				<CheckField label={words.send} value={draft.enabled} onValue={(enabled) => setDraft({ ...draft, enabled })} />
			</FormBody>
		</Dialog>
	);
}

function Targets() {
	const words = w().alerts;
	const data = useData((signal) => all<Target>("/routes", {}, signal), [], ["route"]);
	const edit = async (target: Target | null) => {
		const made = await open<{ secret?: string } | null>((done) => <TargetWindow target={target} done={done} />);
		if (!made) return;
		if (made.secret) await showSecrets(words.target_made, words.target_secret, [{ label: named(words.target_fields, "secret"), value: made.secret }]);
		say(words.saved);
		data.again();
	};
	const remove = async (target: Target) => {
		const done = await confirm({ title: words.target_remove_title, text: target.name || target.id, act: w().act.delete, danger: true, run: () => ask("DELETE", `/routes/${encodeURIComponent(target.id)}`) });
		if (done) data.again();
	};
	const [problem, setProblem] = useState<{ target: string; text: string } | null>(null);
	const test = async (target: Target) => {
		setProblem(null);
		const answer = await ask<{ error?: string; took_ms?: number; ok?: boolean }>("POST", `/routes/${encodeURIComponent(target.id)}/test`, { body: {} }).catch((error: Error) => ({ error: error.message }));
		if (answer.error) setProblem({ target: target.name || target.id, text: answer.error });
		else say(words.test_sent);
		data.again();
	};
	const where = (one: Target) => one.url ?? one.target ?? one.to?.join(w().policy.and) ?? "";
	const columns: Column<Target>[] = [
		{
			head: words.target_name,
			width: "minmax(8rem, 1fr)",
			cell: (one) => (
				<>
					{one.name || one.id}
					<span class="sub">{named(words.target_kinds, one.kind)}</span>
				</>
			),
		},
		{ head: words.where, width: "minmax(10rem, 2fr)", from: 620, cell: (one) => <span class="break">{where(one)}</span> },
		{ head: words.tenant, width: "7rem", from: 980, cell: (one) => one.tenant || w().shell.all_tenants },
		{
			head: words.last_test,
			width: "minmax(8rem, 1fr)",
			from: 780,
			cell: (one) =>
				one.test_ms ? (
					<>
						<Badge mood={one.test_error ? "bad" : "good"}>{one.test_error ? words.failed : words.worked}</Badge> <Ago ms={one.test_ms} />
					</>
				) : (
					<span class="muted">{w().state.none}</span>
				),
		},
	];
	if (may("alert.write"))
		columns.push({
			head: w().act.change,
			hideHead: true,
			width: "14rem",
			end: true,
			cell: (one) => (
				<span class="actions">
					<Button small onClick={() => void test(one)} label={`${words.test}: ${one.name}`}>
						{words.test}
					</Button>
					<Button small onClick={() => void edit(one)} label={`${w().act.change}: ${one.name}`}>
						{w().act.change}
					</Button>
					<Button small tone="danger" onClick={() => void remove(one)} label={`${w().act.delete}: ${one.name}`}>
						{w().act.delete}
					</Button>
				</span>
			),
		});
	return (
		<>
			{may("alert.write") && (
				<div class="filters">
					<Button tone="main" onClick={() => void edit(null)}>
						{words.target_create}
					</Button>
				</div>
			)}
			{problem && (
				<div class="problem" role="alert">
					<p class="problem-title">
						{words.test_failed}: {problem.target}
					</p>
					<p>{problem.text}</p>
				</div>
			)}
			<Shown data={data}>{(found) => (found.length ? <Table label={words.targets} columns={columns} rows={found} rowKey={(one) => one.id} /> : <Empty text={words.targets_none} hint={words.targets_hint} />)}</Shown>
		</>
	);
}

function AlarmPage(props: { id: string }) {
	const words = w().alerts;
	const data = useData((signal) => get<Alarm & Record<string, unknown>>(`/alarms/${encodeURIComponent(props.id)}`, {}, signal), [props.id], ["alarm"]);
	return (
		<Page title={data.value ? kindText(data.value.when) : words.title} back={{ href: path("alerts"), text: words.title }}>
			<Shown data={data}>
				{(alarm) => <Facts rows={Object.entries(alarm).map(([name, value]) => [named(w().journal, name), <span class="break">{typeof value === "string" ? value : JSON.stringify(value)}</span>])} />}
			</Shown>
		</Page>
	);
}

export function Alerts(props: { id: string; query: Record<string, string> }) {
	const words = w().alerts;
	if (props.id && props.id !== "rules" && props.id !== "targets") return <AlarmPage id={props.id} />;
	return (
		<Page title={words.title}>
			<Tabs
				label={words.title}
				now={props.id || "alarms"}
				tabs={[
					{ id: "alarms", text: words.alarms, href: path("alerts") },
					{ id: "rules", text: words.rules, href: path("alerts", "rules") },
					{ id: "targets", text: words.targets, href: path("alerts", "targets") },
				]}
			/>
			{props.id === "rules" ? <Rules /> : props.id === "targets" ? <Targets /> : <Alarms query={props.query} />}
		</Page>
	);
}
