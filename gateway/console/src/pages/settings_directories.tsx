// settings_directories: LDAP servers and OpenID providers where people prove who they are.

import { useState } from "preact/hooks";

import { all, ask, may, me } from "../api/client";
import { useData } from "../api/data";
import { type Problem, problemOf } from "../api/problem";
import { Badge, Button, Card, Empty, ProblemBox, Shown } from "../parts/basics";
import { confirm, Dialog, open } from "../parts/dialog";
import { ChecksField, CheckField, FormBody, SelectField, TextArea, TextField, useForm } from "../parts/form";
import { type Column, Table } from "../parts/table";
import { say } from "../parts/toast";
import { named, w } from "../words";

interface Ldap {
	url?: string;
	ca?: string;
	start_tls?: boolean;
	bind_dn_template?: string;
	base?: string;
	filter?: string;
	bind_dn?: string;
}

interface Oidc {
	issuer?: string;
	ca?: string;
	client_id?: string;
	claim?: string;
	domains?: string[];
	trusted_mfa?: boolean;
}

interface Directory {
	id: string;
	name: string;
	tenant: string;
	kind: "ldap" | "oidc";
	state: "enabled" | "disabled";
	use: string[];
	ldap?: Ldap;
	oidc?: Oidc;
}

type Draft = Record<string, string> & { kind: string };
const url = (id: string, tail = "") => `/directories/${encodeURIComponent(id)}${tail}`;

/** What is empty is not said: it keeps its value, or its default. */
function given(draft: Draft, names: string[]): Record<string, unknown> {
	return Object.fromEntries(names.filter((name) => draft[name]?.trim()).map((name) => [name, draft[name]?.trim()]));
}

function Window(props: { directory: Directory | null; done: (saved: boolean) => void }) {
	const words = w().settings;
	const { directory } = props;
	const [draft, setDraft] = useState<Draft>({
		kind: directory?.kind ?? "ldap",
		id: "",
		name: directory?.name ?? "",
		tenant: directory?.tenant ?? me.get()?.tenant ?? "",
		url: directory?.ldap?.url ?? "ldaps://",
		bind_dn_template: directory?.ldap?.bind_dn_template ?? "",
		base: directory?.ldap?.base ?? "",
		filter: directory?.ldap?.filter ?? "",
		bind_dn: directory?.ldap?.bind_dn ?? "",
		bind_password: "",
		issuer: directory?.oidc?.issuer ?? "https://",
		client_id: directory?.oidc?.client_id ?? "",
		client_secret: "",
		claim: directory?.oidc?.claim ?? "email",
		domains: directory?.oidc?.domains?.join("\n") ?? "",
		ca: directory?.ldap?.ca ?? directory?.oidc?.ca ?? "",
	});
	const [use, setUse] = useState(directory?.use ?? ["accounts"]);
	const [startTls, setStartTls] = useState(directory?.ldap?.start_tls ?? false);
	const [mfa, setMfa] = useState(directory?.oidc?.trusted_mfa ?? false);
	const [enabled, setEnabled] = useState(directory?.state !== "disabled");
	const ldap = draft.kind === "ldap";
	const form = useForm(async ({ once }) => {
		const body: Record<string, unknown> = { name: draft.name?.trim(), use, state: enabled ? "enabled" : "disabled" };
		if (ldap) body.ldap = { ...given(draft, ["url", "bind_dn_template", "base", "filter", "bind_dn", "bind_password", "ca"]), start_tls: startTls };
		else body.oidc = { ...given(draft, ["issuer", "client_id", "client_secret", "claim", "ca"]), domains: draft.domains?.split(/[\s,]+/).filter(Boolean), trusted_mfa: mfa };
		if (directory) await ask("PATCH", url(directory.id), { body });
		else await ask("POST", "/directories", { body: { ...body, id: draft.id?.trim(), kind: draft.kind, ...(draft.tenant ? { tenant: draft.tenant } : {}) }, once });
		props.done(true);
	});
	const text = (name: keyof typeof words.directory_fields & string, more: { hint?: string; type?: "password" | "url" } = {}) => (
		<TextField
			label={words.directory_fields[name]}
			value={draft[name] ?? ""}
			onValue={(value) => setDraft({ ...draft, [name]: value })}
			error={form.error(name) ?? form.error(`ldap.${name}`) ?? form.error(`oidc.${name}`)}
			{...more}
		/>
	);
	return (
		<Dialog title={directory ? words.directory_edit : words.directory_create} wide onClose={() => props.done(false)}>
			<FormBody form={form} act={directory ? w().act.save : w().act.create} onCancel={() => props.done(false)}>
				<div class="fields">
					{!directory && (
						<SelectField
							label={words.directory_fields.kind}
							value={draft.kind}
							onValue={(kind) => setDraft({ ...draft, kind })}
							options={[
								{ value: "ldap", text: "LDAP" },
								{ value: "oidc", text: "OpenID Connect" },
							]}
						/>
					)}
					{!directory && text("id", { hint: words.tenant_id_hint })}
					{text("name")}
					{!directory && !me.get()?.tenant && text("tenant")}
				</div>
				<div class="fields">
					{ldap ? text("url", { hint: "ldaps://ldap.example.co.jp" }) : text("issuer", { hint: "https://login.example.co.jp" })}
					{ldap && text("bind_dn_template", { hint: "uid={user},ou=people,dc=example,dc=co,dc=jp" })}
					{ldap && text("base")}
					{ldap && text("filter", { hint: "(uid={user})" })}
					{ldap && text("bind_dn")}
					{ldap && text("bind_password", { type: "password", hint: directory ? words.secret_keep : undefined })}
					{!ldap && text("client_id")}
					{!ldap && text("client_secret", { type: "password", hint: directory ? words.secret_keep : undefined })}
					{!ldap && text("claim", { hint: words.claim_hint })}
				</div>
				{!ldap && <TextArea label={words.directory_fields.domains} hint={words.domains_hint} value={draft.domains ?? ""} onValue={(domains) => setDraft({ ...draft, domains })} error={form.error("oidc.domains")} />}
				<TextArea label={words.directory_fields.ca} hint={words.ca_hint} value={draft.ca ?? ""} onValue={(ca) => setDraft({ ...draft, ca })} error={form.error("ldap.ca") ?? form.error("oidc.ca")} />
				{ldap && <CheckField label={words.start_tls} value={startTls} onValue={setStartTls} />}
				{!ldap && <CheckField label={words.trusted_mfa} hint={words.trusted_mfa_hint} value={mfa} onValue={setMfa} />}
				<ChecksField
					label={words.directory_fields.use}
					options={[{ value: "accounts", text: words.use_accounts }, ...(ldap ? [{ value: "holders", text: words.use_holders }] : [])]}
					value={use}
					onValue={setUse}
					error={form.error("use")}
				/>
				<CheckField label={words.directory_on} value={enabled} onValue={setEnabled} />
			</FormBody>
		</Dialog>
	);
}

export function Directories() {
	const words = w().settings;
	const data = useData((signal) => all<Directory>("/directories", {}, signal), [], ["directory"]);
	const [problem, setProblem] = useState<Problem | null>(null);
	const edit = async (directory: Directory | null) => {
		if (await open<boolean>((done) => <Window directory={directory} done={done} />)) {
			say(words.saved);
			data.again();
		}
	};
	const test = (directory: Directory) =>
		void ask("POST", url(directory.id, "/test"), { body: {} }).then(
			() => {
				setProblem(null);
				say(words.directory_answers);
			},
			(error: unknown) => setProblem(problemOf(error)),
		);
	const remove = async (directory: Directory) => {
		const done = await confirm({ title: words.directory_remove_title, text: `${directory.name || directory.id}: ${words.directory_remove_text}`, act: w().act.delete, danger: true, run: () => ask("DELETE", url(directory.id)) });
		if (done) data.again();
	};
	const columns: Column<Directory>[] = [
		{
			head: words.directory_fields.name,
			width: "minmax(8rem, 1fr)",
			cell: (one) => (
				<>
					{one.name || one.id}
					<span class="sub">{one.kind === "ldap" ? "LDAP" : "OpenID Connect"}</span>
				</>
			),
		},
		{ head: words.directory_fields.url, width: "minmax(10rem, 2fr)", from: 720, cell: (one) => <span class="break">{one.ldap?.url ?? one.oidc?.issuer ?? ""}</span> },
		{ head: w().accounts.tenant, width: "7rem", from: 960, cell: (one) => one.tenant || w().shell.all_tenants },
		{ head: w().licenses.state, width: "6.5rem", from: 560, cell: (one) => <Badge mood={one.state === "enabled" ? "good" : "calm"}>{named(w().state, one.state)}</Badge> },
	];
	if (may("directory.write"))
		columns.push({
			head: w().act.change,
			hideHead: true,
			width: "15rem",
			end: true,
			cell: (one) => (
				<span class="actions">
					<Button small onClick={() => test(one)} label={`${w().alerts.test}: ${one.id}`}>
						{w().alerts.test}
					</Button>
					<Button small onClick={() => void edit(one)} label={`${w().act.change}: ${one.id}`}>
						{w().act.change}
					</Button>
					<Button small tone="danger" onClick={() => void remove(one)} label={`${w().act.delete}: ${one.id}`}>
						{w().act.delete}
					</Button>
				</span>
			),
		});
	return (
		<Card title={words.tabs.directories} wide actions={may("directory.write") && <Button onClick={() => void edit(null)}>{words.directory_create}</Button>}>
			<ProblemBox problem={problem} />
			<Shown data={data}>{(found) => (found.length ? <Table label={words.tabs.directories} columns={columns} rows={found} rowKey={(one) => one.id} /> : <Empty text={words.directories_none} hint={words.directories_hint} />)}</Shown>
		</Card>
	);
}
