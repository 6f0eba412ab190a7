// license_forms: windows that make and change licenses.

import { useState } from "preact/hooks";

import { ask, me } from "../api/client";
import type { License, LicenseSecrets, TotpSetup } from "../api/types";
import { confirm, Dialog, open } from "../parts/dialog";
import { FormBody, TextArea, TextField, useForm } from "../parts/form";
import { QrCode } from "../parts/qr";
import { CopyLine, type Secret, showSecrets } from "../parts/secret";
import { say } from "../parts/toast";
import { fill, w } from "../words";

function labelsText(labels: Record<string, string>): string {
	return Object.entries(labels)
		.map(([name, value]) => (value ? `${name}=${value}` : name))
		.join("\n");
}

function labelsOf(text: string): Record<string, string> {
	const labels: Record<string, string> = {};
	for (const line of text.split("\n")) {
		const [name = "", ...rest] = line.split("=");
		if (name.trim()) labels[name.trim()] = rest.join("=").trim();
	}
	return labels;
}

/** datetime-local has no zone: it is this browser's. */
export function localInput(at: number): string {
	if (!at) return "";
	const date = new Date(at - new Date(at).getTimezoneOffset() * 60000);
	return date.toISOString().slice(0, 16);
}

export function fromLocal(text: string): number {
	return text ? new Date(text).getTime() : 0;
}

interface Draft {
	holder: string;
	tenant: string;
	group: string;
	labels: string;
	note: string;
	expires: string;
}

const FIELDS = ["holder", "group", "labels", "note", "expires_ms"] as const;

function bodyOf(draft: Draft) {
	return {
		holder: draft.holder.trim(),
		group: draft.group.trim(),
		labels: labelsOf(draft.labels),
		note: draft.note,
		expires_ms: fromLocal(draft.expires),
	};
}

function Fields(props: { draft: Draft; change: (draft: Draft) => void; error: (name: string) => string | undefined; tenant?: boolean }) {
	const words = w().licenses;
	const { draft } = props;
	const set = (name: keyof Draft) => (value: string) => props.change({ ...draft, [name]: value });
	return (
		<>
			<TextField label={words.holder} value={draft.holder} onValue={set("holder")} error={props.error("holder")} needed first maxLength={256} />
			<div class="fields">
				{props.tenant && <TextField label={words.tenant} value={draft.tenant} onValue={set("tenant")} error={props.error("tenant")} maxLength={40} />}
				<TextField label={words.group} value={draft.group} onValue={set("group")} error={props.error("group")} maxLength={64} />
				<TextField
					label={words.expires}
					hint={words.expires_hint}
					type="datetime-local"
					value={draft.expires}
					onValue={set("expires")}
					error={props.error("expires_ms") ?? props.error("expires")}
				/>
			</div>
			<TextArea label={words.labels} hint={words.labels_hint} value={draft.labels} onValue={set("labels")} error={props.error("labels")} />
			<TextArea label={words.note} hint={words.note_hint} value={draft.note} onValue={set("note")} error={props.error("note")} rows={2} maxLength={512} />
		</>
	);
}

function CreateDialog(props: { done: (made: LicenseSecrets | null) => void }) {
	const words = w().licenses;
	const operator = !me.get()?.tenant;
	const [draft, change] = useState<Draft>({ holder: "", tenant: "", group: "", labels: "", note: "", expires: "" });
	const form = useForm(async ({ set, once }) => {
		if (!draft.holder.trim()) return set("holder", w().field.needed);
		const body = { ...bodyOf(draft), ...(operator && draft.tenant ? { tenant: draft.tenant.trim() } : {}) };
		props.done(await ask<LicenseSecrets>("POST", "/licenses", { body, once }));
	});
	return (
		<Dialog title={words.create_title} onClose={() => props.done(null)}>
			<p class="muted">{words.create_lead}</p>
			<FormBody form={form} act={w().act.create} onCancel={() => props.done(null)}>
				<Fields draft={draft} change={change} error={form.error} tenant={operator} />
			</FormBody>
		</Dialog>
	);
}

function secretsOf(license: LicenseSecrets): Secret[] {
	const words = w().secret;
	return [
		...(license.key ? [{ label: words.key, value: license.key }] : []),
		...(license.password ? [{ label: words.password, value: license.password }] : []),
	];
}

export async function createLicense(): Promise<License | null> {
	const made = await open<LicenseSecrets | null>((done) => <CreateDialog done={done} />);
	if (!made) return null;
	const words = w().licenses;
	await showSecrets(words.created_title, fill(words.created_lead, { holder: made.holder }), secretsOf(made));
	return made;
}

function EditDialog(props: { license: License; done: (changed: License | null) => void }) {
	const words = w().licenses;
	const { license } = props;
	const [draft, change] = useState<Draft>({
		holder: license.holder,
		tenant: license.tenant,
		group: license.group,
		labels: labelsText(license.labels),
		note: license.note,
		expires: localInput(license.expires_ms),
	});
	const form = useForm(async ({ set }) => {
		if (!draft.holder.trim()) return set("holder", w().field.needed);
		// Only what is different goes out: what another changed meanwhile is not changed back.
		const now: Record<string, unknown> = bodyOf(draft);
		if (draft.expires === localInput(license.expires_ms)) now.expires_ms = license.expires_ms;
		const body: Record<string, unknown> = {};
		for (const name of FIELDS) if (JSON.stringify(now[name]) !== JSON.stringify(license[name])) body[name] = now[name];
		if (!Object.keys(body).length) return props.done(null);
		props.done(await ask<License>("PATCH", `/licenses/${encodeURIComponent(license.id)}`, { body }));
	});
	return (
		<Dialog title={words.edit_title} onClose={() => props.done(null)}>
			<FormBody form={form} act={w().act.save} onCancel={() => props.done(null)}>
				<Fields draft={draft} change={change} error={form.error} />
			</FormBody>
		</Dialog>
	);
}

export async function editLicense(license: License): Promise<License | null> {
	const changed = await open<License | null>((done) => <EditDialog license={license} done={done} />);
	if (changed) say(w().licenses.saved);
	return changed;
}

/** A new key or password: asked for by name, then shown once. */
export async function renew(license: License, what: "rotate" | "password") {
	const words = w().licenses;
	const rotate = what === "rotate";
	let made: LicenseSecrets | null = null;
	const done = await confirm({
		title: fill(rotate ? words.rotate_title : words.reset_title, { holder: license.holder }),
		text: fill(rotate ? words.rotate_text : words.reset_text, { id: license.id }),
		act: rotate ? words.rotate : words.reset,
		danger: true,
		run: async () => {
			made = await ask<LicenseSecrets>("POST", `/licenses/${encodeURIComponent(license.id)}/${what}`, { body: {}, once: crypto.randomUUID() });
		},
	});
	if (done && made) await showSecrets(rotate ? words.rotated : words.reset_done, license.holder, secretsOf(made));
}

function CodesDialog(props: { license: License; setup: TotpSetup; done: (did: boolean) => void }) {
	const words = w().licenses;
	const [code, setCode] = useState("");
	const form = useForm(async ({ set }) => {
		if (!code.trim()) return set("code", w().field.needed);
		await ask("POST", `/licenses/${encodeURIComponent(props.license.id)}/totp/confirm`, { body: { code: code.trim() } });
		props.done(true);
	});
	return (
		<Dialog title={fill(words.totp_set_title, { holder: props.license.holder })} onClose={() => props.done(false)}>
			<p>{fill(words.totp_set_text, { holder: props.license.holder })}</p>
			<QrCode qr={props.setup.qr} label={w().sign_in.totp_qr} />
			<CopyLine label={w().sign_in.totp_manual} value={props.setup.secret} />
			<p class="warning">{w().secret.once}</p>
			<FormBody form={form} act={words.totp_set} onCancel={() => props.done(false)}>
				<TextField
					label={w().sign_in.totp_code}
					value={code}
					onValue={setCode}
					error={form.error("code")}
					autoComplete="off"
					inputMode="numeric"
					first
				/>
			</FormBody>
		</Dialog>
	);
}

export async function setLicenseTotp(license: License) {
	const setup = await ask<TotpSetup>("POST", `/licenses/${encodeURIComponent(license.id)}/totp`, { body: {} });
	if (await open<boolean>((done) => <CodesDialog license={license} setup={setup} done={done} />)) say(w().licenses.saved);
}
