// place_dialogs: the small windows around a PC of the list.

import { useState } from "preact/hooks";

import { type Place, placeName } from "../store/places";
import { forget, rename } from "./model";
import { Dialog, DialogForm, Field, type Refusal, RefusalBox } from "./parts";
import { fill, w } from "./words";

export function PasswordDialog(props: { place: Place; refusal: Refusal | null; onClose: () => void; onGo: (password: string) => void }) {
	const [password, setPassword] = useState("");
	const [error, setError] = useState("");
	return (
		<Dialog title={fill(w().password.title, { name: placeName(props.place) })} onClose={props.onClose}>
			{props.refusal && <RefusalBox refusal={props.refusal} />}
			<DialogForm
				act={w().act.connect}
				onCancel={props.onClose}
				onSubmit={() => (password ? props.onGo(password) : setError(w().needed))}
			>
				{/* For the browser's own password store: which of several passwords it is. */}
				<input class="hidden" type="text" name="license" autocomplete="username" value={props.place.id} readOnly tabIndex={-1} aria-hidden="true" />
				<Field
					first
					label={w().password.label}
					hint={w().password.hint}
					type="password"
					name="password"
					autoComplete="current-password"
					value={password}
					onValue={setPassword}
					error={error}
				/>
			</DialogForm>
		</Dialog>
	);
}

export function RenameDialog(props: { place: Place; onClose: () => void }) {
	const [name, setName] = useState(props.place.name);
	return (
		<Dialog title={w().rename.title} onClose={props.onClose}>
			<DialogForm act={w().act.save} onCancel={props.onClose} onSubmit={() => void rename(props.place.id, name.trim()).then(props.onClose)}>
				<Field first label={w().rename.label} hint={w().rename.hint} value={name} onValue={setName} />
			</DialogForm>
		</Dialog>
	);
}

export function ForgetDialog(props: { place: Place; onClose: () => void }) {
	return (
		<Dialog title={fill(w().forget.title, { name: placeName(props.place) })} onClose={props.onClose}>
			<p class="question">{w().forget.text}</p>
			<DialogForm danger act={w().forget.go} onCancel={props.onClose} onSubmit={() => void forget(props.place.id).then(props.onClose)}>
				{null}
			</DialogForm>
		</Dialog>
	);
}

export function TabDialog(props: { name: string; onClose: () => void; onGo: () => void }) {
	return (
		<Dialog title={fill(w().tab.title, { name: props.name })} onClose={props.onClose}>
			<p class="question">{w().tab.text}</p>
			<DialogForm act={w().tab.go} onCancel={props.onClose} onSubmit={props.onGo}>
				{null}
			</DialogForm>
		</Dialog>
	);
}
