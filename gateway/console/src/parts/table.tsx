// table: rows of any number. Only what can be seen is in the page; columns go when there is no room
// for them (the row's own page shows everything). The arrow keys move between rows.

import type { ComponentChildren } from "preact";
import { useCallback, useLayoutEffect, useRef, useState } from "preact/hooks";

import { language } from "../settings";
import { fill, w } from "../words";
import { count } from "../words/count";

const ROW_PX = 46;
/** So many rows are drawn as they are; more scroll in a window of their own. */
const PLAIN_ROWS = 120;
const AROUND = 12;
/** Below this width (CSS px) the buttons of a row stand in a line of their own. */
const NARROW_PX = 520;

export interface Column<T> {
	head: string;
	cell: (row: T) => ComponentChildren;
	/** CSS grid track: "2fr", "9rem". */
	width?: string;
	/** Shown where the table is at least so wide (CSS px). */
	from?: number;
	end?: boolean;
	sort?: (a: T, b: T) => number;
	/** Nothing to read out in the head, as over buttons. */
	hideHead?: boolean;
}

export interface TableProps<T> {
	label: string;
	columns: Column<T>[];
	rows: T[];
	rowKey: (row: T) => string;
	/** How many there are when not all are loaded; `need` is told which are looked at. */
	total?: number;
	need?: (index: number) => void;
	selected?: ReadonlySet<string>;
	onSelect?: (selected: Set<string>) => void;
	rowName?: (row: T) => string;
	mood?: (row: T) => "" | "dim" | "warn";
}

function useWidth() {
	const element = useRef<HTMLDivElement>(null);
	const [width, setWidth] = useState(0);
	useLayoutEffect(() => {
		const at = element.current;
		if (!at) return undefined;
		setWidth(at.clientWidth);
		const observer = new ResizeObserver(() => setWidth(at.clientWidth));
		observer.observe(at);
		return () => observer.disconnect();
	}, []);
	return { element, width };
}

/** Which rows are in the window now. */
function useWindow(all: number, big: boolean) {
	const body = useRef<HTMLDivElement>(null);
	const [range, setRange] = useState<[number, number]>([0, 40]);
	const look = useCallback(() => {
		const at = body.current;
		if (!at) return;
		const first = Math.max(0, Math.floor(at.scrollTop / ROW_PX) - AROUND);
		const end = Math.ceil((at.scrollTop + at.clientHeight) / ROW_PX) + AROUND;
		setRange((old) => (old[0] === first && old[1] === end ? old : [first, end]));
	}, []);
	useLayoutEffect(look, [all, big]);
	return { body, look, from: big ? range[0] : 0, to: big ? Math.min(all, range[1]) : all };
}

const FOCUSABLE = "a[href], button, input";

/** Up, down, page and ends, between the same place of each row. */
function useArrows(all: number, body: { current: HTMLDivElement | null }, big: boolean) {
	const wish = useRef<{ row: number; place: number } | null>(null);
	useLayoutEffect(() => {
		const to = wish.current;
		const row = to && body.current?.querySelector(`[data-row="${to.row}"]`);
		if (!row) return;
		wish.current = null;
		const places = row.querySelectorAll<HTMLElement>(FOCUSABLE);
		(places[to.place] ?? places[0])?.focus();
	});
	return (event: KeyboardEvent, draw: () => void) => {
		const target = event.target as HTMLElement;
		const row = target.closest<HTMLElement>("[data-row]");
		if (!row || target.matches("input:not([type=checkbox]), select, textarea")) return;
		// Keys may come faster than rows are drawn: the next counts from where the last one leads.
		const at = wish.current?.row ?? Number(row.dataset.row);
		const page = Math.max(1, Math.floor((body.current?.clientHeight ?? 0) / ROW_PX) - 1);
		const steps: Record<string, number> = {
			ArrowDown: at + 1,
			ArrowUp: at - 1,
			PageDown: at + page,
			PageUp: at - page,
			Home: 0,
			End: all - 1,
		};
		const to = steps[event.key];
		if (to === undefined) return;
		event.preventDefault();
		const next = Math.min(all - 1, Math.max(0, to));
		const place = wish.current?.place ?? [...row.querySelectorAll(FOCUSABLE)].indexOf(target);
		wish.current = { row: next, place };
		const box = body.current;
		if (big && box) {
			if (next * ROW_PX < box.scrollTop) box.scrollTop = next * ROW_PX;
			const bottom = (next + 1) * ROW_PX - box.clientHeight;
			if (bottom > box.scrollTop) box.scrollTop = bottom;
		}
		draw();
	};
}

/** On a phone columns share what room there is, in the proportion of the widths they ask for. */
function share(width: string | undefined): string {
	return `minmax(0, ${Number.parseFloat(/[\d.]+/.exec(width ?? "")?.[0] ?? "0") || 8}fr)`;
}

export function Table<T>(props: TableProps<T>) {
	language.use();
	const { element, width } = useWidth();
	const [sorting, setSorting] = useState<{ at: number; down: boolean } | null>(null);
	const [, draw] = useState(0);
	const columns = props.columns.filter((column) => !column.from || width >= column.from);
	const all = Math.max(props.total ?? 0, props.rows.length);
	const big = all > PLAIN_ROWS;
	const view = useWindow(all, big);
	const arrows = useArrows(all, view.body, big);

	useLayoutEffect(() => {
		if (view.to > props.rows.length) props.need?.(view.to);
	}, [view.to, props.rows.length]);

	const order = sorting && props.columns[sorting.at]?.sort;
	const rows = order ? [...props.rows].sort((a, b) => (sorting.down ? order(b, a) : order(a, b))) : props.rows;
	const select = props.onSelect && props.selected ? { set: props.onSelect, now: props.selected } : null;
	const narrow = width > 0 && width < NARROW_PX;
	const below = (column: Column<T>) => Boolean(column.hideHead) && !big && narrow;
	const beside = columns.filter((column) => !below(column));
	const template = [...(select ? ["2.25rem"] : []), ...beside.map((column) => (narrow ? share(column.width) : (column.width ?? "minmax(0, 1fr)")))].join(" ");

	const toggle = (key: string, on: boolean) => {
		const next = new Set(select?.now);
		if (on) next.add(key);
		else next.delete(key);
		select?.set(next);
	};
	const everything = rows.length > 0 && rows.every((row) => select?.now.has(props.rowKey(row)));

	const line = (row: T, index: number) => {
		const key = props.rowKey(row);
		const chosen = select?.now.has(key);
		return (
			<div
				key={key}
				role="row"
				class={`row${chosen ? " chosen" : ""} ${props.mood?.(row) ?? ""}`}
				aria-rowindex={index + 2}
				data-row={index}
				style={big ? { top: `${index * ROW_PX}px` } : undefined}
			>
				{select && (
					<div role="cell" class="cell">
						<input
							type="checkbox"
							checked={chosen}
							aria-label={fill(w().act.select, { name: props.rowName?.(row) ?? key })}
							onChange={(event) => toggle(key, event.currentTarget.checked)}
						/>
					</div>
				)}
				{columns.map((column) => (
					<div key={column.head} role="cell" class={`cell${below(column) ? " below" : column.end ? " end" : ""}`}>
						{column.cell(row)}
					</div>
				))}
			</div>
		);
	};

	const drawn = [];
	for (let index = view.from; index < view.to; index++) {
		const row = rows[index];
		if (row !== undefined) drawn.push(line(row, index));
		else drawn.push(<div key={`wait-${index}`} class="row waiting" aria-hidden="true" style={{ top: `${index * ROW_PX}px` }} />);
	}

	return (
		<div
			ref={element}
			class={`table${big ? " big" : ""}`}
			role="table"
			aria-label={props.label}
			aria-rowcount={all + 1}
			style={{ "--columns": template }}
			onKeyDown={(event) => arrows(event, () => draw((n) => n + 1))}
		>
			<div role="rowgroup" class="table-head">
				<div role="row" class="row head" aria-rowindex={1}>
					{select && (
						<div role="columnheader" class="cell">
							<input
								type="checkbox"
								checked={everything}
								aria-label={w().act.select_all}
								onChange={(event) => select.set(new Set(event.currentTarget.checked ? rows.map(props.rowKey) : []))}
							/>
						</div>
					)}
					{columns.map((column) => {
						const at = props.columns.indexOf(column);
						const sorted = sorting?.at === at ? (sorting.down ? "descending" : "ascending") : undefined;
						return (
							<div key={column.head} role="columnheader" class={`cell${below(column) ? " below" : column.end ? " end" : ""}`} aria-sort={sorted}>
								{column.sort ? (
									<button type="button" class="sort" onClick={() => setSorting(sorted === "descending" ? null : { at, down: sorted === "ascending" })}>
										{column.head}
										<span aria-hidden="true">{sorted === "ascending" ? " ▲" : sorted === "descending" ? " ▼" : ""}</span>
									</button>
								) : (
									<span class={column.hideHead ? "hidden" : undefined}>{column.head}</span>
								)}
							</div>
						);
					})}
				</div>
			</div>
			<div
				ref={view.body}
				role="rowgroup"
				class="table-body"
				tabIndex={big ? 0 : undefined}
				aria-label={big ? props.label : undefined}
				onScroll={big ? view.look : undefined}
			>
				{big ? <div role="presentation" class="table-space" style={{ height: `${all * ROW_PX}px` }}>{drawn}</div> : drawn}
			</div>
		</div>
	);
}

export function RowCount(props: { loaded: number; total?: number }) {
	const all = Math.max(props.total ?? 0, props.loaded);
	const text = count(w().state.rows, all);
	return (
		<p class="row-count" aria-live="polite">
			{text}
		</p>
	);
}
