// clip_panel: both clipboards by hand, for browsers and phones that do not hand theirs out.

import { useState } from "preact/hooks";

import { Button, Dialog } from "./parts";
import type { Session } from "./session";
import { w } from "./words";

export function ClipPanel(props: { session: Session; onClose: () => void }) {
	const { session } = props;
	const words = w().clipboard;
	const { clipTooLong } = session.state.use();
	const [text, setText] = useState("");
	const [said, setSaid] = useState("");
	const { clipboard } = session;
	const give = async () => setSaid((await clipboard.give(text)) ? words.sent : clipTooLong ? words.too_long : words.not_sent);
	const take = async () => setSaid((await clipboard.put()) ? words.copied : words.not_sent);
	return (
		<Dialog title={words.title} onClose={props.onClose}>
			<div class="field">
				<label for="clip-office">{words.office}</label>
				<textarea id="clip-office" readOnly rows={3} value={clipboard.mayCome ? clipboard.office : ""} placeholder={clipboard.mayCome ? words.none : words.no_in} />
			</div>
			<div class="actions">
				<Button small disabled={!clipboard.mayCome || !clipboard.office} onClick={() => void take()}>
					{w().act.copy}
				</Button>
			</div>
			<div class="field">
				<label for="clip-here">{words.here}</label>
				<textarea
					id="clip-here"
					data-first
					rows={3}
					value={text}
					disabled={!clipboard.mayGo}
					placeholder={clipboard.mayGo ? undefined : words.no_out}
					onInput={(event) => setText(event.currentTarget.value)}
				/>
			</div>
			<div class="actions">
				<Button small tone="main" disabled={!clipboard.mayGo || !text} onClick={() => void give()}>
					{w().act.send}
				</Button>
			</div>
			<p role="status">{said}</p>
		</Dialog>
	);
}
