// add_view: a PC is added: license key, password and, the one time, the pairing code. What can be seen to be wrong
// is told at its field, before anything is sent.

import { useEffect, useState } from "preact/hooks";

import { licenseKey } from "../base/license_key";
import { type Reason, ReasonError, reason } from "../base/reason";
import { ticket as parseTicket } from "../e2e/ticket";
import { language } from "../../../gateway/console/src/settings";
import { placeFor, placeName } from "../store/places";
import { deviceName } from "./device_name";
import { connect, ended, places } from "./model";
import { Button, Field, RefusalBox } from "./parts";
import { gatewaysOfPage, isOffline } from "./served";
import { TabDialog } from "./place_dialogs";
import { fill, w } from "./words";

const NAME_MOST = 128;

function refused(act: () => unknown): Reason | null {
	try {
		act();
		return null;
	} catch (error) {
		return error instanceof ReasonError ? error.reason : reason("BAD_VALUE");
	}
}

function gatewaysOf(text: string): string[] | null {
	const found = text.split(/[\s,、]+/).filter(Boolean);
	return found.length && found.every((one) => /^(\[[0-9A-Fa-f:]+\]|[^\s:/?#@]+)(:\d{1,5})?$/.test(one)) ? found : null;
}

export interface AddViewProps {
	/** There is no list to go back to. */
	first: boolean;
	onDone: () => void;
}

export function AddView(props: AddViewProps) {
	const lang = language.use();
	const [key, setKey] = useState("");
	const [password, setPassword] = useState("");
	const [code, setCode] = useState("");
	const [name, setName] = useState(deviceName);
	const [gateways, setGateways] = useState("");
	const [errors, setErrors] = useState<Record<string, string>>({});
	const [busy, setBusy] = useState(false);
	const [elsewhere, setElsewhere] = useState<(() => void) | null>(null);
	// The page knows its gateways; the offline file asks for them. Whoever is faster than the answer waits for it.
	const [listed] = useState(() => gatewaysOfPage().then((found) => found.join(", ")));
	useEffect(() => void listed.then((found) => setGateways((typed) => typed || found)), []);
	const last = ended.use();
	const words = w().add;
	const found = places.use();
	const known = refused(() => licenseKey(key)) === null ? licenseKey(key).id : "";
	const before = Array.isArray(found) ? found.find((place) => place.id === known && place.pin) : undefined;

	const check = (gateways: string): Record<string, string> => {
		const wrong: Record<string, string> = {};
		const say = (field: string, why: Reason | null) => {
			if (why) wrong[field] = why[lang].message;
		};
		say("key", refused(() => licenseKey(key)));
		say("code", refused(() => parseTicket(code)));
		if (!password) wrong.password = w().needed;
		if (!gatewaysOf(gateways)) wrong.gateways = words.gateway_bad;
		return wrong;
	};

	const go = async (gateways: string, takeOver: boolean) => {
		setBusy(true);
		ended.set(null);
		const place = await placeFor(licenseKey(key), gatewaysOf(gateways) ?? [], [...name].slice(0, NAME_MOST / 4).join("") || deviceName());
		const alone = await connect(place, { password, totp: "", ticket: code, takeOver });
		setBusy(false);
		if (!alone) setElsewhere(() => () => void go(gateways, true));
		// Once it was paired the list is where to go on, whatever ended the session.
		else if (ended.get()?.wasUp ?? true) props.onDone();
	};

	const submit = async (event: Event) => {
		event.preventDefault();
		const form = event.currentTarget as HTMLElement;
		const known = gateways || (await listed);
		const wrong = check(known);
		setErrors(wrong);
		if (Object.keys(wrong).length === 0) void go(known, false);
		else requestAnimationFrame(() => form.querySelector<HTMLElement>("[aria-invalid]")?.focus());
	};

	return (
		<section class="card">
			<h1>{words.title}</h1>
			<p class="muted">{props.first ? w().list.empty_hint : words.lead}</p>
			{last?.why && <RefusalBox refusal={last} />}
			<form noValidate onSubmit={(event) => void submit(event)} onInput={() => setErrors({})}>
				<Field code first label={words.key} hint={words.key_hint} name="license" autoComplete="username" value={key} onValue={setKey} error={errors.key} />
				<Field label={words.password} type="password" name="password" autoComplete="current-password" value={password} onValue={setPassword} error={errors.password} />
				<Field code label={words.ticket} hint={words.ticket_hint} value={code} onValue={setCode} error={errors.code} />
				{before && <p class="note">{fill(words.again_text, { name: placeName(before) })}</p>}
				<details open={isOffline || Boolean(errors.gateways)}>
					<summary>{words.more}</summary>
					<div class="stack">
						<Field label={words.name} hint={words.name_hint} value={name} onValue={setName} />
						<Field label={words.gateway} hint={words.gateway_hint} value={gateways} onValue={setGateways} error={errors.gateways} />
					</div>
				</details>
				<footer class="dialog-actions">
					{!props.first && <Button onClick={props.onDone}>{w().act.cancel}</Button>}
					<Button type="submit" tone="main" busy={busy}>
						{w().act.pair}
					</Button>
				</footer>
			</form>
			{elsewhere && (
				<TabDialog
					name={before ? placeName(before) : known}
					onClose={() => setElsewhere(null)}
					onGo={() => {
						setElsewhere(null);
						elsewhere();
					}}
				/>
			)}
		</section>
	);
}
