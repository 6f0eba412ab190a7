// license_bulk: one act on many licenses, each named as far as there is room.

import { useState } from "preact/hooks";

import { ask, may } from "../api/client";
import { Button } from "../parts/basics";
import { confirm, Dialog, open } from "../parts/dialog";
import { FormBody, TextField, useForm } from "../parts/form";
import { say } from "../parts/toast";
import { fill, w } from "../words";
import { count } from "../words/count";

interface Answer {
	done: number;
	failed: { id: string; code: string; message: string }[];
}

type Act = "enable" | "disable" | "delete" | "change";
/** What the act is about: these licenses, or all that match. */
export interface Chosen {
	ids: string[];
	filter?: Record<string, string>;
	size: number;
	names: string[];
}

const NAMED = 5;

async function run(act: Act, chosen: Chosen, change?: Record<string, unknown>) {
	const which = chosen.filter ? { filter: chosen.filter } : { ids: chosen.ids };
	const answer = await ask<Answer>("POST", "/licenses/bulk", { body: { act, ...which, ...(change ? { change } : {}) }, once: crypto.randomUUID() });
	const words = w().licenses;
	say(count(words.bulk_done, answer.done));
	if (answer.failed.length) say(`${count(words.bulk_failed, answer.failed.length)}: ${answer.failed[0]?.message ?? ""}`);
}

function namesOf(chosen: Chosen): string {
	const words = w().licenses;
	const more = chosen.size - Math.min(NAMED, chosen.names.length);
	const shown = chosen.names.slice(0, NAMED);
	return [...shown, ...(more > 0 ? [count(words.and_more, more)] : [])].join(", ");
}

function sure(act: "enable" | "disable" | "delete", chosen: Chosen): Promise<boolean> {
	const words = w().licenses;
	const titles = { enable: words.bulk_enable, disable: words.bulk_disable, delete: words.bulk_delete };
	const texts = { enable: "{names}", disable: words.bulk_disable_text, delete: words.bulk_delete_text };
	return confirm({
		title: count(titles[act], chosen.size),
		text: fill(texts[act], { names: namesOf(chosen) }),
		act: w().act[act],
		danger: act !== "enable",
		run: () => run(act, chosen),
	});
}

function GroupDialog(props: { chosen: Chosen; done: (did: boolean) => void }) {
	const words = w().licenses;
	const [group, setGroup] = useState("");
	const form = useForm(async () => {
		await run("change", props.chosen, { group: group.trim() });
		props.done(true);
	});
	return (
		<Dialog title={count(words.bulk_group_title, props.chosen.size)} onClose={() => props.done(false)}>
			<p class="muted">{namesOf(props.chosen)}</p>
			<FormBody form={form} act={w().act.change} onCancel={() => props.done(false)}>
				<TextField label={words.group} value={group} onValue={setGroup} error={form.error("group")} first maxLength={64} />
			</FormBody>
		</Dialog>
	);
}

export function BulkBar(props: { chosen: Chosen; matching: number; onAll: () => void; onDone: () => void; onClear: () => void }) {
	const words = w().licenses;
	const { chosen } = props;
	if (!chosen.size || !may("license.write")) return null;
	const act = (did: Promise<boolean>) => void did.then((done) => done && props.onDone());
	return (
		<div class="bulk" role="region" aria-label={words.bulk}>
			<strong>{count(w().state.selected, chosen.size)}</strong>
			{!chosen.filter && props.matching > chosen.size && (
				<Button small tone="quiet" onClick={props.onAll}>
					{count(words.filter_all, props.matching)}
				</Button>
			)}
			<Button small onClick={() => act(sure("enable", chosen))}>
				{w().act.enable}
			</Button>
			<Button small onClick={() => act(sure("disable", chosen))}>
				{w().act.disable}
			</Button>
			<Button small onClick={() => act(open<boolean>((done) => <GroupDialog chosen={chosen} done={done} />))}>
				{words.bulk_group}
			</Button>
			<Button small tone="danger" onClick={() => act(sure("delete", chosen))}>
				{w().act.delete}
			</Button>
			<Button small tone="quiet" onClick={props.onClear}>
				{w().act.cancel}
			</Button>
		</div>
	);
}
