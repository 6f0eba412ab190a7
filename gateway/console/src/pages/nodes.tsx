// nodes: the gateways of the cluster: what they carry, and sending their sessions elsewhere before work on them.

import { useEffect } from "preact/hooks";

import { all, ask, may } from "../api/client";
import { useData } from "../api/data";
import { Ago, Badge, Button, Card, Empty, Page, Shown, Tabs, When } from "../parts/basics";
import { confirm } from "../parts/dialog";
import { type Column, RowCount, Table } from "../parts/table";
import { say } from "../parts/toast";
import { number } from "../format";
import { path } from "../route";
import { language } from "../settings";
import { fill, w } from "../words";
import { limitsJa } from "../words/limits";

interface Node {
	id: string;
	address: string;
	version: string;
	started_ms: number;
	seen_ms: number;
	draining: boolean;
	away: boolean;
	degraded_mode?: string;
	sessions: number;
	hosts: number;
	viewers: number;
}

interface Limit {
	name: string;
	value: string;
	default: string;
	change: string;
	help: string;
}

const LOOK_MS = 10000;

async function drain(node: Node) {
	const words = w().nodes;
	const done = await confirm({
		title: fill(words.drain_title, { id: node.id }),
		text: words.drain_text,
		act: words.drain,
		danger: true,
		run: () => ask("POST", `/nodes/${encodeURIComponent(node.id)}/drain`, { body: {} }),
	});
	if (done) say(words.drained);
}

async function undrain(node: Node) {
	const words = w().nodes;
	const done = await confirm({
		title: fill(words.undrain_title, { id: node.id }),
		text: words.undrain_text,
		act: words.undrain,
		run: () => ask("POST", `/nodes/${encodeURIComponent(node.id)}/undrain`, { body: {} }),
	});
	if (done) say(words.undrained);
}

function State(props: { node: Node }) {
	const { node } = props;
	if (node.away) return <Badge mood="bad">{w().nodes.away}</Badge>;
	return node.draining ? <Badge mood="warn">{w().state.draining}</Badge> : <Badge mood="good">{w().nodes.serving}</Badge>;
}

function columns(): Column<Node>[] {
	const words = w().nodes;
	const found: Column<Node>[] = [
		{
			head: words.node,
			width: "minmax(6rem, 1.5fr)",
			cell: (one) => (
				<>
					{one.id}
					{one.address && <span class="sub">{one.address}</span>}
					{one.degraded_mode === "cache" && <span class="sub">{words.cache}</span>}
				</>
			),
		},
		{ head: words.state, width: "5.5rem", cell: (one) => <State node={one} /> },
		{ head: words.hosts, width: "6rem", end: true, from: 520, cell: (one) => number(one.hosts) },
		{ head: words.sessions, width: "6.5rem", end: true, from: 440, cell: (one) => number(one.sessions) },
		{ head: words.version, width: "5.5rem", from: 760, cell: (one) => one.version },
		{ head: words.started, width: "10.5rem", from: 1100, cell: (one) => <When ms={one.started_ms} /> },
		{ head: words.seen, width: "7.5rem", from: 900, cell: (one) => <Ago ms={one.seen_ms} /> },
	];
	if (may("node.write"))
		found.push({
			head: words.drain,
			hideHead: true,
			width: "6.5rem",
			end: true,
			cell: (one) =>
				one.draining ? (
					<Button small label={`${words.undrain}: ${one.id}`} onClick={() => void undrain(one)}>
						{words.undrain}
					</Button>
				) : (
					<Button small tone="danger" label={`${words.drain}: ${one.id}`} onClick={() => void drain(one)}>
						{words.drain}
					</Button>
				),
		});
	return found;
}

function Meaning(props: { limit: Limit }) {
	const ja = language.get() === "ja" && limitsJa[props.limit.name];
	return ja ? <span>{ja}</span> : <span lang="en">{props.limit.help}</span>;
}

function Limits() {
	const words = w().nodes;
	const data = useData((signal) => all<Limit>("/limits", {}, signal), []);
	const shown: Column<Limit>[] = [
		{ head: words.limit, width: "minmax(10rem, 1fr)", cell: (one) => <code>{one.name}</code> },
		{ head: words.value, width: "minmax(6rem, 1fr)", cell: (one) => one.value || "–" },
		{ head: words.standard, width: "minmax(6rem, 1fr)", from: 680, cell: (one) => one.default || "–" },
		{ head: words.help, width: "minmax(12rem, 3fr)", from: 860, cell: (one) => <Meaning limit={one} /> },
	];
	return (
		<Shown data={data}>
			{(limits) => (
				<>
					<RowCount loaded={limits.length} />
					<Table label={words.limits} columns={shown} rows={limits} rowKey={(one) => one.name} />
				</>
			)}
		</Shown>
	);
}

function List() {
	const words = w().nodes;
	const data = useData((signal) => all<Node>("/nodes", {}, signal), [], ["node"]);
	useEffect(() => {
		const timer = setInterval(data.look, LOOK_MS);
		return () => clearInterval(timer);
	}, []);
	return (
		<Card wide>
			<Shown data={data}>
				{(nodes) => (nodes.length ? <Table label={words.title} columns={columns()} rows={nodes} rowKey={(one) => one.id} /> : <Empty text={words.none} />)}
			</Shown>
		</Card>
	);
}

export function Nodes(props: { id: string }) {
	const words = w().nodes;
	return (
		<Page title={words.title}>
			<Tabs
				label={words.title}
				now={props.id === "limits" ? "limits" : "list"}
				tabs={[
					{ id: "list", text: words.title, href: path("nodes") },
					{ id: "limits", text: words.limits, href: path("nodes", "limits") },
				]}
			/>
			{props.id === "limits" ? <Limits /> : <List />}
		</Page>
	);
}
