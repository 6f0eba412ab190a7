// hosts: the register of office PCs: whose, where, with which software, and when last seen.

import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";

import { all, ask, get, may } from "../api/client";
import { useData } from "../api/data";
import type { Host } from "../api/types";
import { Ago, Button, Card, Empty, Facts, Page, Shown, When } from "../parts/basics";
import { confirm } from "../parts/dialog";
import { Filter } from "../parts/form";
import { type Column, RowCount, Table } from "../parts/table";
import { say } from "../parts/toast";
import { bytes, number } from "../format";
import { path, replace } from "../route";
import { fill, named, w } from "../words";
import { LicenseLink, ms, Online } from "./license_words";

function text(host: Host, name: string): string {
	const value = host.inventory?.[name];
	return typeof value === "string" || typeof value === "number" ? String(value) : "";
}

function systemOf(host: Host): string {
	return [text(host, "os"), text(host, "os_version")].filter(Boolean).join(" ");
}

export function hostName(host: Host): string {
	return host.name || text(host, "computer") || host.license;
}

export async function unbind(license: string, holder: string): Promise<boolean> {
	const words = w().licenses;
	const done = await confirm({
		title: fill(words.unbind_title, { holder }),
		text: fill(words.unbind_text, { id: license }),
		act: words.unbind,
		danger: true,
		run: () => ask("POST", `/licenses/${encodeURIComponent(license)}/unbind`, { body: {} }),
	});
	if (done) say(words.unbound);
	return done;
}

/** Everything the PC says of itself; names and values are its own. */
export function Inventory(props: { host: Host }) {
	const words = w().inventory;
	const entries = Object.entries(props.host.inventory ?? {});
	if (!entries.length) return <Empty text={w().hosts.inventory_none} />;
	const show = (name: string, value: unknown): ComponentChildren => {
		if (name === "booted" && typeof value === "string") return <When ms={ms(value)} />;
		if (name.endsWith("_bytes") && typeof value === "number") return bytes(value);
		if (typeof value === "number") return number(value, 2);
		if (typeof value === "boolean") return value ? w().state.yes : w().state.no;
		return typeof value === "string" ? value : JSON.stringify(value);
	};
	return <Facts rows={entries.map(([name, value]) => [named(words, name), show(name, value)])} />;
}

function HostPage(props: { id: string }) {
	const words = w().hosts;
	const data = useData((signal) => get<Host>(`/hosts/${encodeURIComponent(props.id)}`, {}, signal), [props.id], ["host"]);
	const host = data.value;
	return (
		<Page
			title={host ? hostName(host) : words.title}
			back={{ href: path("hosts"), text: words.title }}
			lead={host && <Online online={host.online} />}
			actions={
				host &&
				may("host.write") && (
					<Button
						tone="danger"
						onClick={async () => {
							if (await unbind(host.license, host.holder ?? host.license)) location.hash = path("hosts");
						}}
					>
						{w().licenses.unbind}
					</Button>
				)
			}
		>
			<Shown data={data}>
				{(one) => (
					<>
						<Card>
							<Facts
								rows={[
									[words.holder, <LicenseLink id={one.license} text={one.holder} />],
									[words.license, <code>{one.license}</code>],
									[words.address, one.address],
									[words.node, one.online && one.node],
									[words.program, one.program],
									[words.seen, <When ms={one.seen_ms || ms(one.seen)} />],
									[words.bound, <When ms={one.bound_ms || ms(one.bound)} />],
									[words.device, <code>{one.device_id}</code>],
								]}
							/>
						</Card>
						<Card title={words.inventory}>
							<Inventory host={one} />
						</Card>
					</>
				)}
			</Shown>
		</Page>
	);
}

function columns(): Column<Host>[] {
	const words = w().hosts;
	return [
		{
			head: words.name,
			width: "minmax(9rem, 2fr)",
			sort: (a, b) => hostName(a).localeCompare(hostName(b)),
			cell: (one) => <a href={path("hosts", one.license)}>{hostName(one)}</a>,
		},
		{ head: words.holder, width: "minmax(7rem, 1.5fr)", from: 520, sort: (a, b) => (a.holder ?? "").localeCompare(b.holder ?? ""), cell: (one) => one.holder },
		{ head: words.system, width: "minmax(8rem, 2fr)", from: 860, sort: (a, b) => systemOf(a).localeCompare(systemOf(b)), cell: (one) => systemOf(one) || "–" },
		{ head: words.program, width: "8rem", from: 1000, sort: (a, b) => (a.program ?? "").localeCompare(b.program ?? ""), cell: (one) => one.program || "–" },
		{ head: words.address, width: "10rem", from: 1150, cell: (one) => one.address || "–" },
		{ head: words.seen, width: "8.5rem", from: 700, sort: (a, b) => (a.seen_ms || ms(a.seen)) - (b.seen_ms || ms(b.seen)), cell: (one) => <Ago ms={one.seen_ms || ms(one.seen)} /> },
		{ head: words.state, width: "7.5rem", sort: (a, b) => Number(a.online) - Number(b.online), cell: (one) => <Online online={one.online} /> },
	];
}

function HostList(props: { query: Record<string, string> }) {
	const words = w().hosts;
	const state = props.query.state ?? "";
	const [search, setSearch] = useState(props.query.q ?? "");
	const data = useData((signal) => all<Host>("/hosts", { state }, signal, 50000), [state], ["host"]);
	const wish = search.trim().toLowerCase();
	const matches = (one: Host) => [hostName(one), one.holder, one.license, systemOf(one), one.program, one.address].some((part) => part?.toLowerCase().includes(wish));
	return (
		<Page title={words.title}>
			<div class="filters">
				<Filter label={words.search} value={search} onValue={setSearch} wide />
				<Filter
					label={words.state}
					value={state}
					onValue={(value) => replace(path("hosts", "", { state: value }))}
					list={[
						{ value: "", text: w().licenses.online_any },
						{ value: "online", text: w().state.online },
						{ value: "offline", text: w().state.offline },
					]}
				/>
			</div>
			<Shown data={data}>
				{(hosts) => {
					const rows = wish ? hosts.filter(matches) : hosts;
					if (!rows.length) return wish || state ? <Empty text={w().state.no_match} /> : <Empty text={words.none} hint={words.none_hint} />;
					return (
						<>
							<RowCount loaded={rows.length} />
							<Table label={words.title} columns={columns()} rows={rows} rowKey={(one) => one.license} />
						</>
					);
				}}
			</Shown>
		</Page>
	);
}

export function Hosts(props: { id: string; query: Record<string, string> }) {
	return props.id ? <HostPage id={props.id} /> : <HostList query={props.query} />;
}
