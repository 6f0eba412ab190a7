// gate: what a request waits for: a new sign-in after the old one ended, or a confirmation that it is
// still the same person. The page below stays as it is, with what was typed.

import { useState } from "preact/hooks";

import { ask, type Gate, gate, me } from "../api/client";
import type { Me } from "../api/types";
import { w } from "../words";
import { Button } from "./basics";
import { Dialog } from "./dialog";
import { FormBody, TextField, useForm } from "./form";

function Expired(props: { gate: Gate }) {
	const words = w().gate;
	const who = me.get();
	const [password, setPassword] = useState("");
	const [code, setCode] = useState("");
	const form = useForm(async () => {
		const now = await ask<Me>("POST", "/sign-in", {
			body: { account: who?.name, password, ...(code ? { code } : {}), ...(who?.directory ? { directory: who.directory } : {}) },
		});
		me.set(now);
		props.gate.done(true);
	});
	const leave = () => {
		props.gate.done(false);
		me.set(null);
	};
	return (
		<Dialog title={words.expired} keep onClose={leave}>
			<p>{words.expired_text}</p>
			<FormBody form={form} act={w().sign_in.submit} more={<Button onClick={leave}>{words.leave}</Button>}>
				<TextField label={w().sign_in.account} value={who?.name ?? ""} onValue={() => undefined} autoComplete="username" />
				<TextField
					label={words.password}
					type="password"
					value={password}
					onValue={setPassword}
					error={form.error("password")}
					autoComplete="current-password"
					first
				/>
				{(who?.totp || code || form.problem?.code.startsWith("TOTP")) && (
					<TextField label={words.code} value={code} onValue={setCode} error={form.error("code")} autoComplete="one-time-code" inputMode="text" />
				)}
			</FormBody>
		</Dialog>
	);
}

function StepUp(props: { gate: Gate }) {
	const words = w().gate;
	const who = me.get();
	const [way, setWay] = useState<"password" | "code">("password");
	const [value, setValue] = useState("");
	const form = useForm(async () => {
		await ask("POST", "/me/step-up", { body: { [way]: value } });
		props.gate.done(true);
	});
	const other = way === "password" ? "code" : "password";
	return (
		<Dialog title={words.step_up} onClose={() => props.gate.done(false)}>
			<p>{words.step_up_text}</p>
			<FormBody form={form} act={words.confirm} onCancel={() => props.gate.done(false)}>
				<TextField
					key={way}
					label={way === "password" ? words.password : words.code}
					type={way === "password" ? "password" : "text"}
					value={value}
					onValue={setValue}
					error={form.error(way)}
					autoComplete={way === "password" ? "current-password" : "one-time-code"}
					first
				/>
				{who?.totp && (
					<Button
						tone="quiet"
						small
						onClick={() => {
							setValue("");
							setWay(other);
						}}
					>
						{other === "code" ? words.with_code : words.with_password}
					</Button>
				)}
			</FormBody>
		</Dialog>
	);
}

export function GateDialog() {
	const now = gate.use();
	if (!now) return null;
	return now.kind === "expired" ? <Expired gate={now} /> : <StepUp gate={now} />;
}
