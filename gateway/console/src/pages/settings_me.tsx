// settings_me: who is signed in: name, language, password, one-time codes, other places where one is signed in.

import { useState } from "preact/hooks";

import { ask, get, me } from "../api/client";
import { useData } from "../api/data";
import type { Items, Me, TotpSetup } from "../api/types";
import { Badge, Button, Card, Empty, Facts, Shown } from "../parts/basics";
import { confirm, Dialog, open } from "../parts/dialog";
import { FormBody, TextField, useForm } from "../parts/form";
import { QrCode } from "../parts/qr";
import { CopyLine, showSecrets } from "../parts/secret";
import { Table } from "../parts/table";
import { say } from "../parts/toast";
import { chooseLanguage, language } from "../settings";
import { LanguageChoice, ThemeChoice } from "../parts/choices";
import { named, w } from "../words";
import { count } from "../words/count";
import { type SignInRow, signInColumns } from "./accounts";

async function look() {
	me.set(await get<Me>("/me"));
}

function NameForm() {
	const words = w().settings;
	const who = me.use() as Me;
	const [name, setName] = useState(who.full_name);
	const [mail, setMail] = useState(who.mail);
	const form = useForm(async () => {
		me.set({ ...who, ...(await ask<Partial<Me>>("PATCH", "/me", { body: { full_name: name, mail, language: language.get() } })) });
		chooseLanguage(language.get());
		say(words.saved);
	});
	return (
		<FormBody form={form} act={w().act.save}>
			<div class="fields">
				<TextField label={w().accounts.full_name} value={name} onValue={setName} error={form.error("full_name")} maxLength={128} autoComplete="name" />
				<TextField label={w().accounts.mail} type="email" value={mail} onValue={setMail} error={form.error("mail")} maxLength={128} autoComplete="email" />
			</div>
			<div class="fields">
				<LanguageChoice />
				<ThemeChoice />
			</div>
		</FormBody>
	);
}

function PasswordForm() {
	const words = w().sign_in;
	const [old, setOld] = useState("");
	const [next, setNext] = useState("");
	const [again, setAgain] = useState("");
	const form = useForm(async ({ set }) => {
		if (next !== again) return set("again", w().field.differs);
		await ask("POST", "/me/password", { body: { old, new: next } });
		for (const clear of [setOld, setNext, setAgain]) clear("");
		await look();
		say(w().settings.password_changed);
	});
	return (
		<FormBody form={form} act={words.change_password}>
			<div class="fields">
				<TextField label={words.old_password} type="password" value={old} onValue={setOld} error={form.error("old")} autoComplete="current-password" />
				<TextField label={words.new_password} type="password" value={next} onValue={setNext} error={form.error("new")} autoComplete="new-password" />
				<TextField label={words.repeat_password} type="password" value={again} onValue={setAgain} error={form.error("again")} autoComplete="new-password" />
			</div>
		</FormBody>
	);
}

function TotpWindow(props: { setup: TotpSetup; done: (codes: string[] | null) => void }) {
	const words = w().sign_in;
	const [code, setCode] = useState("");
	const form = useForm(async () => {
		const made = await ask<{ recovery_codes: string[] }>("POST", "/me/totp/confirm", { body: { code: code.trim() } });
		props.done(made.recovery_codes);
	});
	return (
		<Dialog title={words.totp_title} keep onClose={() => props.done(null)}>
			<p>{words.totp_scan}</p>
			<QrCode qr={props.setup.qr} label={words.totp_qr} />
			<CopyLine label={words.totp_manual} value={props.setup.secret} />
			<FormBody form={form} act={words.totp_confirm} onCancel={() => props.done(null)}>
				<TextField label={words.totp_code} inputMode="numeric" value={code} onValue={setCode} error={form.error("code")} first maxLength={6} autoComplete="one-time-code" />
			</FormBody>
		</Dialog>
	);
}

function showCodes(codes: string[]): Promise<void> {
	const words = w().sign_in;
	return showSecrets(words.recovery_title, words.recovery_lead, [{ label: words.recovery_code, value: codes.join("  ") }]);
}

async function setUp() {
	const setup = await ask<TotpSetup>("POST", "/me/totp", { body: {} });
	const codes = await open<string[] | null>((done) => <TotpWindow setup={setup} done={done} />);
	if (codes) await showCodes(codes);
	await look();
}

async function remove() {
	const words = w().settings;
	if (await confirm({ title: words.totp_remove_title, text: words.totp_remove_text, act: words.totp_remove, danger: true, run: () => ask("DELETE", "/me/totp") })) await look();
}

async function newCodes() {
	const words = w().settings;
	let codes: string[] = [];
	const run = async () => {
		codes = (await ask<{ recovery_codes: string[] }>("POST", "/me/recovery-codes", { body: {} })).recovery_codes;
	};
	if (await confirm({ title: words.codes_title, text: words.codes_text, act: words.codes_new, run })) await showCodes(codes);
	await look();
}

function Codes() {
	const words = w().settings;
	const who = me.use() as Me;
	return (
		<Card
			title={w().accounts.totp}
			actions={
				who.totp ? (
					<>
						<Button onClick={() => void newCodes()}>{words.codes_new}</Button>
						<Button tone="danger" onClick={() => void remove()}>
							{words.totp_remove}
						</Button>
					</>
				) : (
					<Button tone="main" onClick={() => void setUp()}>
						{words.totp_set}
					</Button>
				)
			}
		>
			{who.totp ? (
				<p>
					<Badge mood="good">{w().licenses.totp_on}</Badge> {count(words.codes_left, who.recovery_codes_left)}
				</p>
			) : (
				<p class="muted">{words.totp_none}</p>
			)}
		</Card>
	);
}

export function Own() {
	const words = w().settings;
	const who = me.use();
	const signs = useData((signal) => get<Items<SignInRow>>("/me/sign-ins", {}, signal), []);
	const end = (row: SignInRow) =>
		void ask("DELETE", `/me/sign-ins/${encodeURIComponent(row.id)}`).then(() => {
			say(words.signed_out);
			signs.again();
		});
	if (!who) return null;
	return (
		<>
			<Card title={words.me}>
				<Facts
					rows={[
						[w().accounts.name, <code>{who.name}</code>],
						[w().accounts.roles, who.roles.map((role) => named(w().accounts.role_names, role)).join(w().policy.and)],
						[w().accounts.tenant, who.tenant || w().shell.all_tenants],
						...(who.directory ? [[w().sign_in.directory, who.directory] as [string, string]] : []),
					]}
				/>
				<NameForm />
			</Card>
			{/* Who signed in elsewhere changes the password there. */}
			{!who.directory && (
				<Card title={w().sign_in.change_password}>
					<PasswordForm />
				</Card>
			)}
			<Codes />
			<Card title={w().accounts.sign_ins}>
				<Shown data={signs}>{(found) => (found.items.length ? <Table label={w().accounts.sign_ins} columns={signInColumns(end)} rows={found.items} rowKey={(row) => row.id} /> : <Empty />)}</Shown>
			</Card>
		</>
	);
}
