// settings_security: what the sign-in of a company's people asks for.

import { useState } from "preact/hooks";

import { ask, get, may, me } from "../api/client";
import { useData } from "../api/data";
import { Card, Shown } from "../parts/basics";
import { CheckField, Filter, FormBody, TextArea, TextField, useForm } from "../parts/form";
import { say } from "../parts/toast";
import { w } from "../words";

interface Rules {
	totp_required: boolean;
	password: { min_length: number; min_classes: number; max_age_ms: number; history: number; common: boolean };
	addresses: string[];
	idle_ms: number;
	absolute_ms: number;
	lockout: { failures: number; lock_ms: number };
	tenant: string;
}

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

function RulesForm(props: { rules: Rules; tenant: string; saved: () => void }) {
	const words = w().settings;
	const { rules } = props;
	const [totp, setTotp] = useState(rules.totp_required);
	const [common, setCommon] = useState(rules.password.common);
	const [addresses, setAddresses] = useState(rules.addresses.join("\n"));
	const [numbers, setNumbers] = useState<Record<string, string>>({
		min_length: String(rules.password.min_length),
		min_classes: String(rules.password.min_classes),
		max_age: String(rules.password.max_age_ms / DAY_MS),
		history: String(rules.password.history),
		failures: String(rules.lockout.failures),
		lock: String(rules.lockout.lock_ms / MINUTE_MS),
		idle: String(rules.idle_ms / MINUTE_MS),
		absolute: String(rules.absolute_ms / HOUR_MS),
	});
	const form = useForm(async () => {
		const n = (name: string, unit = 1) => Math.round(Number(numbers[name]) * unit);
		const body = {
			totp_required: totp,
			password: { min_length: n("min_length"), min_classes: n("min_classes"), max_age_ms: n("max_age", DAY_MS), history: n("history"), common },
			addresses: addresses.split(/[\s,]+/).filter(Boolean),
			idle_ms: n("idle", MINUTE_MS),
			absolute_ms: n("absolute", HOUR_MS),
			lockout: { failures: n("failures"), lock_ms: n("lock", MINUTE_MS) },
		};
		await ask("PATCH", "/security", { query: { tenant: props.tenant }, body });
		say(words.saved);
		props.saved();
	});
	const field = (name: keyof typeof words.rules & string, ...errors: string[]) => (
		<TextField label={words.rules[name]} inputMode="decimal" value={numbers[name] ?? ""} onValue={(value) => setNumbers({ ...numbers, [name]: value })} error={errors.map(form.error).find(Boolean)} />
	);
	return (
		<FormBody form={form} act={w().act.save}>
			<fieldset disabled={!may("account.write")} class="bare">
				<h3>{words.password_rules}</h3>
				<div class="fields">
					{field("min_length", "password.min_length", "min_length")}
					{field("min_classes", "password.min_classes", "min_classes")}
					{field("max_age", "password.max_age_ms", "max_age_ms")}
					{field("history", "password.history", "history")}
				</div>
				<CheckField label={words.common} value={common} onValue={setCommon} />
				<h3>{words.second_step}</h3>
				<CheckField label={words.totp_required} hint={words.totp_required_hint} value={totp} onValue={setTotp} />
				<h3>{words.lockout}</h3>
				<div class="fields">
					{field("failures", "lockout.failures", "failures")}
					{field("lock", "lockout.lock_ms", "lock_ms")}
				</div>
				<h3>{words.length}</h3>
				<div class="fields">
					{field("idle", "idle_ms")}
					{field("absolute", "absolute_ms")}
				</div>
				<h3>{words.addresses}</h3>
				<TextArea label={words.addresses} hint={words.addresses_hint} value={addresses} onValue={setAddresses} error={form.error("addresses")} />
			</fieldset>
		</FormBody>
	);
}

export function Security() {
	const words = w().settings;
	const own = me.get()?.tenant ?? "";
	const [tenant, setTenant] = useState(own);
	const data = useData((signal) => get<Rules>("/security", { tenant }, signal), [tenant]);
	return (
		<Card title={words.tabs.security}>
			{!own && (
				<div class="filters">
					<Filter label={words.of_tenant} value={tenant} onValue={setTenant} placeholder={w().shell.all_tenants} />
				</div>
			)}
			<Shown data={data}>{(rules) => <RulesForm key={`${tenant} ${JSON.stringify(rules)}`} rules={rules} tenant={tenant} saved={data.again} />}</Shown>
		</Card>
	);
}
