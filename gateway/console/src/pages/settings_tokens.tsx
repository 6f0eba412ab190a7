// settings_tokens: what programs sign in with.

import { useState } from "preact/hooks";

import { all, ask, may, me } from "../api/client";
import { useData } from "../api/data";
import { Button, Card, Empty, Shown, When } from "../parts/basics";
import { confirm, Dialog, open } from "../parts/dialog";
import { FormBody, SelectField, TextField, useForm } from "../parts/form";
import { showSecrets } from "../parts/secret";
import { type Column, Table } from "../parts/table";
import { named, w } from "../words";
import { fromLocal } from "./license_forms";

interface Token {
	id: string;
	name: string;
	role: string;
	tenant: string;
	by: string;
	created_ms: number;
	expires_ms: number;
}

const ROLES = ["auditor", "helpdesk", "admin", "operator"] as const;

function Create(props: { done: (token: string | null) => void }) {
	const words = w().settings;
	const own = me.get()?.tenant ?? "";
	const [name, setName] = useState("");
	const [role, setRole] = useState("auditor");
	const [tenant, setTenant] = useState(own);
	const [expires, setExpires] = useState("");
	const form = useForm(async ({ set, once }) => {
		if (!name.trim()) return set("name", w().field.needed);
		const body = { name: name.trim(), role, ...(tenant ? { tenant } : {}), ...(expires ? { expires: new Date(fromLocal(expires)).toISOString() } : {}) };
		props.done((await ask<{ token: string }>("POST", "/tokens", { body, once })).token);
	});
	return (
		<Dialog title={words.token_create} onClose={() => props.done(null)}>
			<FormBody form={form} act={w().act.create} onCancel={() => props.done(null)}>
				<TextField label={words.token_name} hint={words.token_name_hint} value={name} onValue={setName} error={form.error("name")} needed first maxLength={128} />
				<div class="fields">
					<SelectField label={w().accounts.roles} value={role} onValue={setRole} options={ROLES.filter((one) => one !== "operator" || !own).map((one) => ({ value: one, text: w().accounts.role_names[one] }))} error={form.error("role")} />
					{!own && <TextField label={w().accounts.tenant} value={tenant} onValue={setTenant} error={form.error("tenant")} maxLength={40} />}
					<TextField label={w().licenses.expires} hint={w().licenses.expires_hint} type="datetime-local" value={expires} onValue={setExpires} error={form.error("expires")} />
				</div>
			</FormBody>
		</Dialog>
	);
}

export function Tokens() {
	const words = w().settings;
	const data = useData((signal) => all<Token>("/tokens", {}, signal), [], ["token"]);
	const create = async () => {
		const token = await open<string | null>((done) => <Create done={done} />);
		if (!token) return;
		await showSecrets(words.token_made, "", [{ label: w().secret.token, value: token }]);
		data.again();
	};
	const revoke = async (token: Token) => {
		if (await confirm({ title: words.token_revoke_title, text: token.name, act: words.token_revoke, danger: true, run: () => ask("DELETE", `/tokens/${encodeURIComponent(token.id)}`) })) data.again();
	};
	const columns: Column<Token>[] = [
		{ head: words.token_name, width: "minmax(9rem, 2fr)", sort: (a, b) => a.name.localeCompare(b.name), cell: (one) => one.name },
		{ head: w().accounts.roles, width: "8rem", cell: (one) => named(w().accounts.role_names, one.role) },
		{ head: w().accounts.tenant, width: "7rem", from: 760, cell: (one) => one.tenant || w().shell.all_tenants },
		{ head: w().licenses.created, width: "10.5rem", from: 640, cell: (one) => <When ms={one.created_ms} short /> },
		{ head: w().licenses.expires, width: "10.5rem", from: 900, cell: (one) => <When ms={one.expires_ms} short none={w().state.never} /> },
	];
	if (may("token.write"))
		columns.push({
			head: words.token_revoke,
			hideHead: true,
			width: "6.5rem",
			end: true,
			cell: (one) => (
				<Button small tone="danger" onClick={() => void revoke(one)} label={`${words.token_revoke}: ${one.name}`}>
					{words.token_revoke}
				</Button>
			),
		});
	return (
		<Card title={words.tabs.tokens} wide actions={may("token.write") && <Button onClick={() => void create()}>{words.token_create}</Button>}>
			<Shown data={data}>{(tokens) => (tokens.length ? <Table label={words.tabs.tokens} columns={columns} rows={tokens} rowKey={(one) => one.id} /> : <Empty text={words.tokens_none} />)}</Shown>
		</Card>
	);
}
