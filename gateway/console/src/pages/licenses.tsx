// licenses: the list of all licenses, however many, with filters that the gateway applies.

import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";

import { download, may, me } from "../api/client";
import { problemOf, type Problem } from "../api/problem";
import { useRows } from "../api/rows";
import type { License } from "../api/types";
import { Button, Empty, Loading, Page, ProblemBox, When } from "../parts/basics";
import { Filter } from "../parts/form";
import { type Column, RowCount, Table } from "../parts/table";
import { path, replace } from "../route";
import { w } from "../words";
import { BulkBar, type Chosen } from "./license_bulk";
import { createLicense } from "./license_forms";
import { importLicenses } from "./license_import";
import { LicensePage } from "./license_page";
import { Labels, LicenseState, Online } from "./license_words";

/** Typing is over when nothing came for so long. */
const TYPING_MS = 250;
const FILTERS = ["q", "state", "group", "label", "online", "tenant"] as const;
type Wish = Partial<Record<(typeof FILTERS)[number], string>>;

function columns(): Column<License>[] {
	const words = w().licenses;
	const list: Column<License>[] = [
		{
			head: words.holder,
			width: "minmax(8rem, 2fr)",
			cell: (one) => (
				<a href={path("licenses", one.id)}>
					{one.holder}
				</a>
			),
		},
		{ head: words.id, width: "9.5rem", from: 560, cell: (one) => <code>{one.id}</code> },
		{ head: words.group, width: "minmax(5rem, 1fr)", from: 760, cell: (one) => one.group || <span class="muted">–</span> },
		{ head: words.labels, width: "minmax(6rem, 1.2fr)", from: 1060, cell: (one) => <Labels labels={one.labels} /> },
		{ head: words.expires, width: "9.5rem", from: 900, cell: (one) => <When ms={one.expires_ms} short none={w().state.never} /> },
		{ head: words.connection, width: "7rem", from: 660, cell: (one) => <Online online={one.online} /> },
		{ head: words.state, width: "6.5rem", cell: (one) => <LicenseState license={one} /> },
	];
	if (!me.get()?.tenant) list.splice(2, 0, { head: words.tenant, width: "8rem", from: 1200, cell: (one) => one.tenant || <span class="muted">–</span> });
	return list;
}

function useTyped(value: string, apply: (value: string) => void): [string, (value: string) => void] {
	const [typed, setTyped] = useState(value);
	const given = useRef(value);
	const latest = useRef(apply);
	latest.current = apply;
	useLayoutEffect(() => {
		// Its own value comes back while somebody types on.
		if (value === given.current) return;
		given.current = value;
		setTyped(value);
	}, [value]);
	useEffect(() => {
		if (typed === value) return undefined;
		const timer = setTimeout(() => {
			given.current = typed;
			// Of now, not of when it was typed: another field may have been applied meanwhile.
			latest.current(typed);
		}, TYPING_MS);
		return () => clearTimeout(timer);
	}, [typed]);
	return [typed, setTyped];
}

function Filters(props: { wish: Wish; change: (wish: Wish) => void }) {
	const words = w().licenses;
	const states = w().state;
	const { wish } = props;
	const set = (name: keyof Wish) => (value: string) => props.change({ ...wish, [name]: value });
	const [q, setQ] = useTyped(wish.q ?? "", set("q"));
	const [group, setGroup] = useTyped(wish.group ?? "", set("group"));
	const [label, setLabel] = useTyped(wish.label ?? "", set("label"));
	const [tenant, setTenant] = useTyped(wish.tenant ?? "", set("tenant"));
	const used = FILTERS.some((name) => wish[name]);
	return (
		<div class="filters" role="search">
			<Filter label={words.search} value={q} onValue={setQ} wide />
			<Filter
				label={words.state}
				value={wish.state ?? ""}
				onValue={set("state")}
				list={[
					{ value: "", text: words.state_any },
					{ value: "enabled", text: states.enabled },
					{ value: "disabled", text: states.disabled },
					{ value: "expired", text: states.expired },
				]}
			/>
			<Filter
				label={words.connection}
				value={wish.online ?? ""}
				onValue={set("online")}
				list={[
					{ value: "", text: words.online_any },
					{ value: "1", text: states.online },
					{ value: "0", text: states.offline },
				]}
			/>
			<Filter label={words.group} value={group} onValue={setGroup} />
			<Filter label={words.label} placeholder={words.label_hint} value={label} onValue={setLabel} />
			{!me.get()?.tenant && <Filter label={words.tenant} value={tenant} onValue={setTenant} />}
			{used && (
				<Button tone="quiet" onClick={() => props.change({})}>
					{w().act.clear}
				</Button>
			)}
		</div>
	);
}

function LicenseList(props: { query: Record<string, string> }) {
	const words = w().licenses;
	const wish: Wish = Object.fromEntries(FILTERS.map((name) => [name, props.query[name] ?? ""]));
	const list = useRows<License>("/licenses", wish, ["license"]);
	const [selected, setSelected] = useState<Set<string>>(new Set());
	const [whole, setWhole] = useState(false);
	const [problem, setProblem] = useState<Problem | null>(null);
	const key = JSON.stringify(wish);
	const write = may("license.write");

	useLayoutEffect(() => {
		setSelected(new Set());
		setWhole(false);
	}, [key]);

	const used = Object.fromEntries(Object.entries(wish).filter(([, value]) => value)) as Record<string, string>;
	const matching = list.total ?? list.rows.length;
	const chosen: Chosen = {
		ids: [...selected],
		filter: whole ? used : undefined,
		size: whole ? matching : selected.size,
		names: list.rows.filter((one) => selected.has(one.id)).map((one) => one.holder),
	};
	const save = async () => {
		setProblem(null);
		try {
			await download("/licenses", { ...wish, format: "csv", bom: 1 }, "licenses.csv");
		} catch (error) {
			setProblem(problemOf(error));
		}
	};
	const actions = (
		<>
			<Button onClick={() => void save()}>{w().act.export_csv}</Button>
			{write && <Button onClick={() => void importLicenses(wish.tenant ?? "").then((made) => made && list.again())}>{words.import}</Button>}
			{write && (
				<Button tone="main" onClick={() => void createLicense().then((made) => made && list.again())}>
					{words.create}
				</Button>
			)}
		</>
	);
	return (
		<Page title={words.title} actions={actions}>
			<Filters wish={wish} change={(next) => replace(path("licenses", "", next))} />
			<ProblemBox problem={problem} />
			<ProblemBox problem={list.problem} retry={list.again} />
			<div class="list-line">
				{(list.rows.length > 0 || !list.loading) && <RowCount loaded={list.rows.length} total={list.total} />}
				{list.stale && (
					<Button small onClick={list.again}>
						{w().act.refresh}
					</Button>
				)}
			</div>
			<BulkBar
				chosen={chosen}
				matching={matching}
				onAll={() => setWhole(true)}
				onClear={() => {
					setSelected(new Set());
					setWhole(false);
				}}
				onDone={() => {
					setSelected(new Set());
					setWhole(false);
					list.again();
				}}
			/>
			{list.rows.length > 0 ? (
				<Table
					key={key}
					label={words.title}
					columns={columns()}
					rows={list.rows}
					total={list.total}
					need={list.need}
					rowKey={(one) => one.id}
					rowName={(one) => one.holder}
					selected={write ? selected : undefined}
					onSelect={
						write
							? (next) => {
									setSelected(next);
									setWhole(false);
								}
							: undefined
					}
				/>
			) : list.loading ? (
				<Loading />
			) : (
				!list.problem && <Empty text={Object.keys(used).length ? w().state.no_match : undefined} />
			)}
		</Page>
	);
}

export function Licenses(props: { id: string; query: Record<string, string> }) {
	return props.id ? <LicensePage id={props.id} tab={props.query.tab ?? "overview"} /> : <LicenseList query={props.query} />;
}
