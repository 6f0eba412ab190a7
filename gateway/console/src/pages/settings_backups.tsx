// settings_backups: backups and whether they can be restored; the keys that seal what is stored.

import { useState } from "preact/hooks";

import { all, ask, may } from "../api/client";
import { useData } from "../api/data";
import { type Problem, problemOf } from "../api/problem";
import { Ago, Badge, Button, Card, Empty, type Mood, ProblemBox, Shown, When } from "../parts/basics";
import { confirm } from "../parts/dialog";
import { type Column, Table } from "../parts/table";
import { say } from "../parts/toast";
import { bytes, number } from "../format";
import { fill, named, w } from "../words";

interface Backup {
	id: string;
	node: string;
	note: string;
	state: string;
	made_ms: number;
	bytes?: number;
	documents?: number;
	rows?: number;
	error?: string;
	drill?: { state?: string; good?: boolean; at_ms?: number; error?: string } | null;
	drill_ms?: number;
	drill_good?: boolean;
}

interface Key {
	id: string;
	tenant: string;
	generation: number;
	created_ms: number;
	destroyed_ms: number;
}

const MOODS: Record<string, Mood> = { done: "good", failed: "bad", running: "info", waiting: "info" };

function Drill(props: { backup: Backup }) {
	const words = w().settings;
	const { backup } = props;
	const at = backup.drill?.at_ms ?? backup.drill_ms;
	const good = backup.drill?.good ?? backup.drill_good;
	if (!at) return <span class="muted">{words.not_tried}</span>;
	return (
		<>
			<Badge mood={good ? "good" : "bad"}>{good ? words.restored : words.failed}</Badge> <Ago ms={at} />
		</>
	);
}

function Keys() {
	const words = w().settings;
	const data = useData((signal) => all<Key>("/keys", {}, signal), [], ["key"]);
	const rotate = async (key: Key) => {
		const done = await confirm({ title: fill(words.rotate_title, { name: key.tenant }), text: words.rotate_text, act: words.rotate, run: () => ask("POST", `/keys/${encodeURIComponent(key.tenant)}/rotate`, { body: {} }) });
		if (!done) return;
		say(words.rotated);
		data.again();
	};
	const columns: Column<Key>[] = [
		{ head: w().accounts.tenant, width: "minmax(8rem, 1fr)", cell: (one) => (one.tenant === "~operator" ? w().policies.of_service : one.tenant) },
		{ head: words.generation, width: "7rem", end: true, cell: (one) => number(one.generation) },
		{ head: w().licenses.created, width: "11rem", from: 480, cell: (one) => <When ms={one.created_ms} /> },
		{ head: words.destroyed, width: "11rem", from: 760, cell: (one) => <When ms={one.destroyed_ms} /> },
	];
	if (may("tenant.write"))
		columns.push({
			head: words.rotate,
			hideHead: true,
			width: "8rem",
			end: true,
			cell: (one) =>
				one.destroyed_ms ? null : (
					<Button small onClick={() => void rotate(one)} label={`${words.rotate}: ${one.tenant}`}>
						{words.rotate}
					</Button>
				),
		});
	return (
		<Card title={words.keys} wide>
			<p class="muted">{words.keys_lead}</p>
			<Shown data={data}>{(keys) => (keys.length ? <Table label={words.keys} columns={columns} rows={keys} rowKey={(one) => one.id} /> : <Empty />)}</Shown>
		</Card>
	);
}

export function Backups() {
	const words = w().settings;
	const data = useData((signal) => all<Backup>("/backups", {}, signal), [], ["backup"]);
	const [problem, setProblem] = useState<Problem | null>(null);
	const act = (work: Promise<unknown>, told: string) =>
		void work.then(
			() => {
				setProblem(null);
				say(told);
				setTimeout(data.again, 1500);
			},
			(error: unknown) => setProblem(problemOf(error)),
		);
	const remove = async (backup: Backup) => {
		if (await confirm({ title: words.backup_remove_title, text: backup.id, act: w().act.delete, danger: true, run: () => ask("DELETE", `/backups/${encodeURIComponent(backup.id)}`) })) data.again();
	};
	const columns: Column<Backup>[] = [
		{ head: words.made, width: "11rem", cell: (one) => <When ms={one.made_ms} /> },
		{
			head: w().licenses.state,
			width: "minmax(7rem, 1fr)",
			cell: (one) => (
				<>
					<Badge mood={MOODS[one.state] ?? "calm"}>{named(words.backup_states, one.state)}</Badge>
					{one.error && <span class="sub">{one.error}</span>}
				</>
			),
		},
		{ head: words.size, width: "6.5rem", end: true, from: 620, cell: (one) => (one.bytes === undefined ? "–" : bytes(one.bytes)) },
		{ head: words.contents, width: "minmax(9rem, 1fr)", from: 900, cell: (one) => (one.documents === undefined ? "–" : fill(words.contents_text, { documents: number(one.documents), rows: number(one.rows ?? 0) })) },
		{ head: words.drill_last, width: "minmax(8rem, 1fr)", from: 740, cell: (one) => <Drill backup={one} /> },
		{
			head: w().act.change,
			hideHead: true,
			width: "13rem",
			end: true,
			from: 520,
			cell: (one) => (
				<span class="actions">
					{one.state === "done" && (
						<Button small onClick={() => act(ask("POST", `/backups/${encodeURIComponent(one.id)}/drill`, { body: {} }), words.drill_began)} label={`${words.drill}: ${one.id}`}>
							{words.drill}
						</Button>
					)}
					<Button small tone="danger" onClick={() => void remove(one)} label={`${w().act.delete}: ${one.id}`}>
						{w().act.delete}
					</Button>
				</span>
			),
		},
	];
	return (
		<>
			<Card title={words.tabs.backups} wide actions={<Button onClick={() => act(ask("POST", "/backups", { body: {} }), words.backup_began)}>{words.backup_now}</Button>}>
				<ProblemBox problem={problem} />
				<Shown data={data}>{(backups) => (backups.length ? <Table label={words.tabs.backups} columns={columns} rows={backups} rowKey={(one) => one.id} /> : <Empty text={words.backups_none} />)}</Shown>
			</Card>
			{may("tenant.read") && <Keys />}
		</>
	);
}
