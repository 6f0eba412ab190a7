// secret: keys and passwords, shown once, with a button that copies them and a word of warning.

import { useState } from "preact/hooks";

import { w } from "../words";
import { Button } from "./basics";
import { Dialog, DialogActions, open } from "./dialog";

export function CopyLine(props: { label: string; value: string }) {
	const [copied, setCopied] = useState(false);
	const copy = async () => {
		await navigator.clipboard.writeText(props.value);
		setCopied(true);
		setTimeout(() => setCopied(false), 3000);
	};
	return (
		<div class="copy-line">
			<span class="copy-label">{props.label}</span>
			<code>{props.value}</code>
			<Button small onClick={() => void copy()} label={`${w().act.copy}: ${props.label}`}>
				{copied ? w().act.copied : w().act.copy}
			</Button>
		</div>
	);
}

export interface Secret {
	label: string;
	value: string;
}

/** Resolves when the person says it is saved. */
export function showSecrets(title: string, lead: string, secrets: Secret[]): Promise<void> {
	return open<void>((done) => (
		<Dialog title={title} keep onClose={() => done()}>
			{lead && <p>{lead}</p>}
			{secrets.map((secret) => (
				<CopyLine key={secret.label} {...secret} />
			))}
			<p class="warning">{w().secret.once}</p>
			<DialogActions>
				<Button tone="main" onClick={() => done()}>
					{w().act.saved_it}
				</Button>
			</DialogActions>
		</Dialog>
	));
}
