// sign_in: password and code, recovery code, directories; then what must be done before anything else:
// a new password, the set-up of one-time codes.

import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useState } from "preact/hooks";

import { ask, get, me } from "../api/client";
import { Problem } from "../api/problem";
import type { Directory, Me, TotpSetup } from "../api/types";
import { Button, Loading, ProblemBox } from "../parts/basics";
import { LanguageChoice } from "../parts/choices";
import { FormBody, SelectField, TextField, useForm } from "../parts/form";
import { Mark } from "../parts/icons";
import { QrCode } from "../parts/qr";
import { CopyLine } from "../parts/secret";
import { keepDirectory, language, lastDirectory } from "../settings";
import { fill, w } from "../words";
import { hintText, reasonText } from "./journal_words";

function Box(props: { title: string; lead: string; children: ComponentChildren }) {
	language.use();
	useLayoutEffect(() => {
		document.title = `${props.title} · ${w().shell.product}`;
	}, [props.title]);
	useLayoutEffect(() => document.querySelector<HTMLElement>("main [data-first]")?.focus(), []);
	return (
		<main class="sign-in" id="main">
			<div class="sign-in-box">
				<LanguageChoice />
				<header class="sign-in-head">
					<Mark />
					<h1 id="title" tabIndex={-1}>
						{props.title}
					</h1>
					<p class="muted">{props.lead}</p>
				</header>
				{props.children}
			</div>
		</main>
	);
}

/** The new me decides what is shown next. */
function enter(now: Me) {
	me.set(now);
}

function Password(props: { ldap: Directory[] }) {
	const words = w().sign_in;
	const [account, setAccount] = useState("");
	const [password, setPassword] = useState("");
	const [code, setCode] = useState("");
	const [chosen, setDirectory] = useState<string | null>(null);
	// What there is to choose from comes later than the form.
	const directory = chosen ?? props.ldap.find((one) => one.id === lastDirectory())?.id ?? "";
	const [step, setStep] = useState<"password" | "code" | "recovery">("password");
	const form = useForm(async ({ set }) => {
		if (!account.trim()) set("account", w().field.needed);
		if (!password) set("password", w().field.needed);
		if (!account.trim() || !password) return;
		try {
			const body = { account: account.trim(), password, ...(code ? { code: code.trim() } : {}), ...(directory ? { directory } : {}) };
			const now = await ask<Me>("POST", "/sign-in", { body });
			// Whoever comes from a directory comes from there tomorrow, and a wrong place counts as a wrong password.
			keepDirectory(directory);
			enter(now);
		} catch (error) {
			if (!(error instanceof Problem) || error.code !== "TOTP_NEEDED") throw error;
			setStep("code");
		}
	});
	const swap = (to: "code" | "recovery") => {
		setCode("");
		setStep(to);
	};
	return (
		<FormBody
			form={form}
			act={words.submit}
			more={
				step !== "password" && (
					<Button tone="quiet" onClick={() => swap(step === "code" ? "recovery" : "code")}>
						{step === "code" ? words.recovery : words.use_app}
					</Button>
				)
			}
		>
			{step === "password" ? (
				<>
					{props.ldap.length > 0 && (
						<SelectField
							label={words.directory}
							value={directory}
							onValue={setDirectory}
							options={[{ value: "", text: words.own }, ...props.ldap.map((one) => ({ value: one.id, text: one.name }))]}
						/>
					)}
					<TextField label={words.account} value={account} onValue={setAccount} error={form.error("account")} autoComplete="username" first />
					<TextField
						label={words.password}
						type="password"
						value={password}
						onValue={setPassword}
						error={form.error("password")}
						autoComplete="current-password"
					/>
				</>
			) : (
				<CodeField recovery={step === "recovery"} value={code} onValue={setCode} error={form.error("code")} />
			)}
		</FormBody>
	);
}

function CodeField(props: { recovery: boolean; value: string; onValue: (value: string) => void; error?: string }) {
	const words = w().sign_in;
	const [id] = useState(() => `code-${Math.random().toString(36).slice(2)}`);
	useLayoutEffect(() => document.querySelector<HTMLInputElement>(`.${id} input`)?.focus(), [props.recovery]);
	return (
		<div class={id}>
			<TextField
				label={props.recovery ? words.recovery_code : words.code}
				hint={props.recovery ? words.recovery_hint : words.code_hint}
				value={props.value}
				onValue={props.onValue}
				error={props.error}
				autoComplete="one-time-code"
				inputMode={props.recovery ? "text" : "numeric"}
			/>
		</div>
	);
}

/** The provider has said who it is; the account's own code is missing. */
function ProviderCode(props: { directory: string }) {
	const words = w().sign_in;
	const [code, setCode] = useState("");
	const [recovery, setRecovery] = useState(false);
	const form = useForm(async ({ set }) => {
		if (!code.trim()) {
			set("code", w().field.needed);
			return;
		}
		const now = await ask<Me>("POST", `/sign-in/oidc/${encodeURIComponent(props.directory)}/code`, { body: { code: code.trim() } });
		history.replaceState(null, "", "#/");
		enter(now);
	});
	const swap = () => {
		setCode("");
		setRecovery(!recovery);
	};
	return (
		<FormBody
			form={form}
			act={words.submit}
			more={
				<Button tone="quiet" onClick={swap}>
					{recovery ? words.use_app : words.recovery}
				</Button>
			}
		>
			<CodeField recovery={recovery} value={code} onValue={setCode} error={form.error("code")} />
		</FormBody>
	);
}

export function SignIn() {
	const words = w().sign_in;
	const [directories, setDirectories] = useState<Directory[]>([]);
	const [problem, setProblem] = useState<Problem | null>(null);
	useEffect(() => {
		get<{ directories: Directory[] }>("/sign-in/ways")
			.then((ways) => setDirectories(ways.directories))
			.catch((error: Problem) => setProblem(error));
	}, []);
	const oidc = directories.filter((one) => one.kind === "oidc");
	const vouched = /^#\/sign-in\?code=TOTP_NEEDED&directory=([a-z0-9_-]{1,40})$/.exec(location.hash);
	const failed = /^#\/sign-in\?code=([A-Z_]{1,40})/.exec(location.hash)?.[1];
	if (vouched?.[1])
		return (
			<Box title={words.title} lead={words.lead}>
				<ProviderCode directory={vouched[1]} />
			</Box>
		);
	return (
		<Box title={words.title} lead={words.lead}>
			<ProblemBox problem={problem} />
			{failed && <ProblemBox title={words.failed} problem={new Problem({ code: failed, message: reasonText(failed), hint: hintText(failed) }, 0)} />}
			<Password ldap={directories.filter((one) => one.kind === "ldap")} />
			{oidc.length > 0 && (
				<>
					<p class="or">{words.or}</p>
					{oidc.map((one) => (
						<a key={one.id} class="button" href={`/api/v1/sign-in/oidc/${encodeURIComponent(one.id)}`}>
							{fill(words.with_directory, { name: one.name })}
						</a>
					))}
				</>
			)}
		</Box>
	);
}

/** `done` after it was changed. */
export function NewPassword(props: { done: () => Promise<void> }) {
	const words = w().sign_in;
	const [old, setOld] = useState("");
	const [fresh, setFresh] = useState("");
	const [again, setAgain] = useState("");
	const form = useForm(async ({ set }) => {
		if (!old) set("old", w().field.needed);
		if (!fresh) set("new", w().field.needed);
		else if (fresh !== again) set("again", w().field.differs);
		if (!old || !fresh || fresh !== again) return;
		await ask("POST", "/me/password", { body: { old, new: fresh } });
		await props.done();
	});
	return (
		<FormBody form={form} act={words.change_password}>
			<input type="text" class="hidden" autoComplete="username" value={me.get()?.name} readOnly tabIndex={-1} aria-hidden="true" />
			<TextField label={words.old_password} type="password" value={old} onValue={setOld} error={form.error("old")} autoComplete="current-password" first />
			<TextField label={words.new_password} type="password" value={fresh} onValue={setFresh} error={form.error("new")} autoComplete="new-password" />
			<TextField label={words.repeat_password} type="password" value={again} onValue={setAgain} error={form.error("again")} autoComplete="new-password" />
		</FormBody>
	);
}

export function RecoveryCodes(props: { codes: string[]; done: () => void }) {
	const words = w().sign_in;
	const save = () => {
		const url = URL.createObjectURL(new Blob([`${props.codes.join("\n")}\n`], { type: "text/plain" }));
		const link = document.createElement("a");
		link.href = url;
		link.download = "engawa-recovery-codes.txt";
		link.click();
		URL.revokeObjectURL(url);
	};
	return (
		<div class="stack">
			<p>{words.recovery_lead}</p>
			<ul class="codes">
				{props.codes.map((code) => (
					<li key={code}>{code}</li>
				))}
			</ul>
			<p class="warning">{w().secret.once}</p>
			<div class="dialog-actions">
				<Button onClick={save}>{words.recovery_download}</Button>
				<Button tone="main" onClick={props.done}>
					{w().act.saved_it}
				</Button>
			</div>
		</div>
	);
}

/** Set-up of one-time codes: secret and QR code, a first code, recovery codes. */
export function TotpSetUp(props: { done: () => Promise<void> }) {
	const words = w().sign_in;
	const [setup, setSetup] = useState<TotpSetup | null>(null);
	const [problem, setProblem] = useState<Problem | null>(null);
	const [codes, setCodes] = useState<string[] | null>(null);
	const [code, setCode] = useState("");
	useEffect(() => {
		ask<TotpSetup>("POST", "/me/totp", { body: {} }).then(setSetup, setProblem);
	}, []);
	const form = useForm(async ({ set }) => {
		if (!code.trim()) return set("code", w().field.needed);
		const answer = await ask<{ recovery_codes: string[] }>("POST", "/me/totp/confirm", { body: { code: code.trim() } });
		setCodes(answer.recovery_codes);
	});
	if (codes) return <RecoveryCodes codes={codes} done={() => void props.done()} />;
	if (!setup) return problem ? <ProblemBox problem={problem} /> : <Loading />;
	return (
		<div class="stack">
			<p>{words.totp_scan}</p>
			<QrCode qr={setup.qr} label={words.totp_qr} />
			<CopyLine label={words.totp_manual} value={setup.secret} />
			<FormBody form={form} act={words.totp_confirm}>
				<TextField label={words.totp_code} value={code} onValue={setCode} error={form.error("code")} autoComplete="one-time-code" inputMode="numeric" />
			</FormBody>
		</div>
	);
}

async function look() {
	enter(await get<Me>("/me"));
}

/** What an account must do first. */
export function MustDo(props: { what: string }) {
	const words = w().sign_in;
	if (props.what === "password")
		return (
			<Box title={words.new_password_title} lead={words.new_password_lead}>
				<NewPassword done={look} />
			</Box>
		);
	return (
		<Box title={words.totp_title} lead={words.totp_lead}>
			<TotpSetUp done={look} />
		</Box>
	);
}
