// accounts: the people of the administration: who may do what, and the help they need to get in.

import { useState } from "preact/hooks";

import { all, ask, may, me } from "../api/client";
import { useData } from "../api/data";
import type { Items } from "../api/types";
import { Ago, Badge, Button, Card, Empty, Facts, Page, Shown, When } from "../parts/basics";
import { LanguageField } from "../parts/choices";
import { confirm, Dialog, open } from "../parts/dialog";
import { ChecksField, CheckField, Filter, FormBody, TextField, useForm } from "../parts/form";
import { showSecrets } from "../parts/secret";
import { type Column, RowCount, Table } from "../parts/table";
import { say } from "../parts/toast";
import { path } from "../route";
import { fill, named, w } from "../words";

interface Account {
	name: string;
	tenant: string;
	full_name: string;
	mail: string;
	language: string;
	state: "enabled" | "disabled";
	must_change: boolean;
	roles: string[];
	directory: string;
	directory_user: string;
	totp: boolean;
	recovery_codes_left: number;
	locked_until_ms: number;
	signed_in_ms: number;
	created_ms: number;
	password_changed_ms: number;
}

export interface SignInRow {
	id: string;
	address: string;
	program?: string;
	created_ms?: number;
	started_ms?: number;
	seen_ms: number;
	end_ms?: number;
	current?: boolean;
}

const ROLES = ["operator", "admin", "helpdesk", "auditor"] as const;
const url = (name: string) => `/accounts/${encodeURIComponent(name)}`;

interface Draft {
	name: string;
	full_name: string;
	mail: string;
	language: string;
	roles: string[];
	tenant: string;
	enabled: boolean;
}

/** Who belongs to a company gives no right beyond it. */
function rolesOffered(tenant: string): { value: string; text: string }[] {
	const words = w().accounts;
	return ROLES.filter((role) => role !== "operator" || (!me.get()?.tenant && !tenant)).map((role) => ({ value: role, text: `${words.role_names[role]}: ${words.role_hints[role]}` }));
}

function Fields(props: { draft: Draft; change: (draft: Draft) => void; error: (name: string) => string | undefined; made: boolean }) {
	const words = w().accounts;
	const { draft } = props;
	const set = (name: keyof Draft) => (value: string) => props.change({ ...draft, [name]: value });
	return (
		<>
			{!props.made && <TextField label={words.name} hint={words.name_hint} value={draft.name} onValue={set("name")} error={props.error("name")} needed first maxLength={64} />}
			<div class="fields">
				<TextField label={words.full_name} value={draft.full_name} onValue={set("full_name")} error={props.error("full_name")} maxLength={128} />
				<TextField label={words.mail} type="email" value={draft.mail} onValue={set("mail")} error={props.error("mail")} maxLength={128} />
				{!props.made && !me.get()?.tenant && <TextField label={words.tenant} hint={words.tenant_hint} value={draft.tenant} onValue={set("tenant")} error={props.error("tenant")} maxLength={40} />}
				<LanguageField value={draft.language} onValue={set("language")} />
			</div>
			<ChecksField label={words.roles} options={rolesOffered(draft.tenant)} value={draft.roles} onValue={(roles) => props.change({ ...draft, roles })} error={props.error("roles")} />
			{props.made && <CheckField label={words.may_sign_in} value={draft.enabled} onValue={(enabled) => props.change({ ...draft, enabled })} />}
		</>
	);
}

function Create(props: { done: (made: { account: Account; password: string } | null) => void }) {
	const words = w().accounts;
	const [draft, setDraft] = useState<Draft>({ name: "", full_name: "", mail: "", language: "ja", roles: ["helpdesk"], tenant: me.get()?.tenant ?? "", enabled: true });
	const form = useForm(async ({ set, once }) => {
		if (!draft.name.trim()) return set("name", w().field.needed);
		const { enabled: _, tenant, ...rest } = draft;
		const body = { ...rest, name: draft.name.trim(), ...(tenant ? { tenant } : {}) };
		props.done(await ask<{ account: Account; password: string }>("POST", "/accounts", { body, once }));
	});
	return (
		<Dialog title={words.create} onClose={() => props.done(null)}>
			<FormBody form={form} act={w().act.create} onCancel={() => props.done(null)}>
				<Fields draft={draft} change={setDraft} error={form.error} made={false} />
			</FormBody>
		</Dialog>
	);
}

async function create() {
	const words = w().accounts;
	const made = await open<{ account: Account; password: string } | null>((done) => <Create done={done} />);
	if (made) await showSecrets(words.created, fill(words.created_lead, { name: made.account?.name ?? "" }), [{ label: w().secret.one_time, value: made.password }]);
}

function Edit(props: { account: Account; done: (changed: boolean) => void }) {
	const { account } = props;
	const [draft, setDraft] = useState<Draft>({ ...account, enabled: account.state === "enabled" });
	const form = useForm(async () => {
		const { full_name, mail, language, roles } = draft;
		const sameRoles = [...roles].sort().join() === [...account.roles].sort().join();
		const state = draft.enabled ? "enabled" : "disabled";
		await ask("PATCH", url(account.name), { body: { full_name, mail, language, ...(sameRoles ? {} : { roles }), ...(state === account.state ? {} : { state }) } });
		props.done(true);
	});
	return (
		<Dialog title={fill(w().accounts.edit_title, { name: account.name })} onClose={() => props.done(false)}>
			<FormBody form={form} act={w().act.save} onCancel={() => props.done(false)}>
				<Fields draft={draft} change={setDraft} error={form.error} made />
			</FormBody>
		</Dialog>
	);
}

async function reset(account: Account) {
	const words = w().accounts;
	let password = "";
	const done = await confirm({
		title: fill(words.reset_title, { name: account.name }),
		text: words.reset_text,
		act: words.reset,
		danger: true,
		run: async () => {
			password = (await ask<{ password: string }>("POST", `${url(account.name)}/password`, { body: {} })).password;
		},
	});
	if (done) await showSecrets(words.reset_done, fill(words.created_lead, { name: account.name }), [{ label: w().secret.one_time, value: password }]);
}

/** One question, one request, one word when it is done. */
async function act(account: Account, words: { title: string; text: string; act: string; done: string }, method: "POST" | "DELETE", tail: string): Promise<boolean> {
	const done = await confirm({
		title: fill(words.title, { name: account.name }),
		text: words.text,
		act: words.act,
		danger: method === "DELETE",
		run: () => ask(method, `${url(account.name)}${tail}`, method === "POST" ? { body: {} } : {}),
	});
	if (done) say(words.done);
	return done;
}

export function signInColumns(end?: (row: SignInRow) => void): Column<SignInRow>[] {
	const words = w().accounts;
	const found: Column<SignInRow>[] = [
		{ head: words.address, width: "minmax(8rem, 1fr)", cell: (row) => row.address },
		{ head: words.since, width: "11rem", from: 480, cell: (row) => <When ms={row.started_ms ?? row.created_ms} /> },
		{ head: words.seen, width: "8.5rem", cell: (row) => <Ago ms={row.seen_ms} /> },
	];
	if (end)
		found.push({
			head: w().shell.sign_out,
			hideHead: true,
			width: "8rem",
			end: true,
			cell: (row) =>
				row.current ? (
					<Badge mood="info">{words.this_one}</Badge>
				) : (
					<Button small onClick={() => end(row)}>
						{w().shell.sign_out}
					</Button>
				),
		});
	return found;
}

function AccountState(props: { account: Account }) {
	const { account } = props;
	if (account.state === "disabled") return <Badge mood="calm">{w().state.disabled}</Badge>;
	if (account.locked_until_ms > Date.now()) return <Badge mood="bad">{w().state.locked}</Badge>;
	return account.must_change ? <Badge mood="warn">{w().accounts.must_change}</Badge> : <Badge mood="good">{w().state.enabled}</Badge>;
}

function rolesText(account: Account): string {
	return account.roles.map((role) => named(w().accounts.role_names, role)).join(w().policy.and);
}

function AccountPage(props: { name: string }) {
	const words = w().accounts;
	const data = useData((signal) => ask<Account>("GET", url(props.name), { signal }), [props.name], ["account"]);
	const signs = useData((signal) => ask<Items<SignInRow>>("GET", `${url(props.name)}/sign-ins`, { signal }), [props.name], ["account"]);
	const account = data.value;
	const writes = may("account.write");
	const again = () => {
		data.again();
		signs.again();
	};
	return (
		<Page
			title={account ? account.full_name || account.name : props.name}
			back={{ href: path("accounts"), text: words.title }}
			lead={account && <AccountState account={account} />}
			actions={
				account &&
				writes && (
					<>
						<Button onClick={async () => (await open<boolean>((done) => <Edit account={account} done={done} />)) && again()}>{words.edit}</Button>
						<Button onClick={() => void reset(account).then(again)}>{words.reset}</Button>
						{account.locked_until_ms > Date.now() && <Button onClick={() => void act(account, words.unlock, "POST", "/unlock").then(again)}>{words.unlock.act}</Button>}
						{account.totp && <Button onClick={() => void act(account, words.totp_remove, "DELETE", "/totp").then(again)}>{words.totp_remove.act}</Button>}
						{account.name !== me.get()?.name && (
							<Button tone="danger" onClick={async () => (await act(account, words.remove, "DELETE", "")) && (location.hash = path("accounts"))}>
								{w().act.delete}
							</Button>
						)}
					</>
				)
			}
		>
			<Shown data={data}>
				{(one) => (
					<Card>
						<Facts
							rows={[
								[words.name, <code>{one.name}</code>],
								[words.full_name, one.full_name],
								[words.mail, one.mail],
								[words.tenant, one.tenant],
								[words.roles, rolesText(one)],
								[words.totp, one.totp ? w().licenses.totp_on : w().licenses.totp_off],
								[words.directory, one.directory && `${one.directory} (${one.directory_user || one.name})`],
								[words.last_sign_in, <When ms={one.signed_in_ms} none={words.never} />],
								[words.password_changed, <When ms={one.password_changed_ms} />],
								[words.created_at, <When ms={one.created_ms} />],
							]}
						/>
					</Card>
				)}
			</Shown>
			<Card
				title={words.sign_ins}
				actions={
					account &&
					writes &&
					!!signs.value?.items.length && (
						<Button small tone="danger" onClick={() => void act(account, words.sign_out_all, "DELETE", "/sign-ins").then(again)}>
							{words.sign_out_all.act}
						</Button>
					)
				}
			>
				<Shown data={signs}>
					{(found) => (found.items.length ? <Table label={words.sign_ins} columns={signInColumns()} rows={found.items} rowKey={(row) => row.id} /> : <Empty text={words.sign_ins_none} />)}
				</Shown>
			</Card>
		</Page>
	);
}

function columns(): Column<Account>[] {
	const words = w().accounts;
	return [
		{
			head: words.name,
			width: "minmax(9rem, 1.5fr)",
			sort: (a, b) => a.name.localeCompare(b.name),
			cell: (one) => (
				<>
					<a href={path("accounts", one.name)}>{one.full_name || one.name}</a>
					{one.full_name && <span class="sub">{one.name}</span>}
				</>
			),
		},
		{ head: words.roles, width: "minmax(7rem, 1fr)", cell: (one) => rolesText(one) },
		{ head: words.tenant, width: "minmax(6rem, 1fr)", from: 760, cell: (one) => one.tenant || w().shell.all_tenants },
		{ head: words.totp, width: "8rem", from: 900, cell: (one) => (one.totp ? <Badge mood="good">{w().state.yes}</Badge> : <Badge mood="warn">{w().state.no}</Badge>) },
		{ head: words.last_sign_in, width: "9rem", from: 640, sort: (a, b) => a.signed_in_ms - b.signed_in_ms, cell: (one) => <Ago ms={one.signed_in_ms} none={words.never} /> },
		{ head: words.state, width: "8.5rem", from: 480, cell: (one) => <AccountState account={one} /> },
	];
}

function List() {
	const words = w().accounts;
	const [search, setSearch] = useState("");
	const data = useData((signal) => all<Account>("/accounts", {}, signal), [me.get()?.tenant], ["account"]);
	const wish = search.trim().toLowerCase();
	const matches = (one: Account) => [one.name, one.full_name, one.mail, one.tenant].some((text) => text.toLowerCase().includes(wish));
	return (
		<Page
			title={words.title}
			actions={
				may("account.write") && (
					<Button tone="main" onClick={() => void create().then(data.again)}>
						{words.create}
					</Button>
				)
			}
		>
			<div class="filters">
				<Filter label={w().act.search} value={search} onValue={setSearch} wide />
			</div>
			<Shown data={data}>
				{(accounts) => {
					const rows = wish ? accounts.filter(matches) : accounts;
					return rows.length ? (
						<>
							<RowCount loaded={rows.length} />
							<Table label={words.title} columns={columns()} rows={rows} rowKey={(one) => one.name} />
						</>
					) : (
						<Empty text={wish ? w().state.no_match : words.none} />
					);
				}}
			</Shown>
		</Page>
	);
}

export function Accounts(props: { id: string }) {
	return props.id ? <AccountPage name={props.id} /> : <List />;
}
