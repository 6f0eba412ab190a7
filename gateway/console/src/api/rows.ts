// rows: a list of any length, loaded as far as somebody looks, kept in step with news.

import { useLayoutEffect, useRef, useState } from "preact/hooks";

import { get, passive, type Query } from "./client";
import { onNews } from "./events";
import { type Problem, problemOf } from "./problem";
import type { Items } from "./types";

/** The first page is there soon; the others come by the most that the gateway gives. */
const FIRST = 300;
const STEP = 1000;
/** Lists up to this length are simply asked for again when something changed. */
const REFRESH_MOST = 1000;
const GATHER_MS = 600;

export interface Rows<T> {
	rows: T[];
	total: number | undefined;
	problem: Problem | null;
	loading: boolean;
	/** Something changed and the list is too long to be asked for again unasked. */
	stale: boolean;
	need(index: number): void;
	again(): void;
}

interface Held<T> {
	rows: T[];
	next: string | null;
	total: number | undefined;
	wanted: number;
	end: AbortController;
	busy: boolean;
}

const fresh = <T>(): Held<T> => ({ rows: [], next: "", total: undefined, wanted: 1, end: new AbortController(), busy: false });

export function useRows<T>(path: string, query: Query, news: string[]): Rows<T> {
	const held = useRef<Held<T>>(fresh<T>());
	const [state, setState] = useState<Omit<Rows<T>, "need" | "again">>({
		rows: [],
		total: undefined,
		problem: null,
		loading: true,
		stale: false,
	});
	const key = JSON.stringify([path, query]);

	const load = async (mine: Held<T>, wish: Query) => {
		if (mine.busy) return;
		mine.busy = true;
		try {
			while (mine.next !== null && mine.rows.length < mine.wanted) {
				const page: Items<T> = await get<Items<T>>(
					path,
					{ limit: mine.next ? STEP : FIRST, ...wish, after: mine.next || undefined, count: mine.next ? undefined : 1 },
					mine.end.signal,
				);
				mine.rows = mine.rows.concat(page.items);
				mine.next = page.next;
				mine.total ??= page.total;
				if (mine.next === null) mine.total = mine.rows.length;
				if (held.current === mine) setState((old) => ({ ...old, rows: mine.rows, total: mine.total, problem: null, loading: false }));
			}
		} catch (error) {
			if (held.current === mine && !mine.end.signal.aborted)
				setState((old) => ({ ...old, problem: problemOf(error), loading: false }));
		}
		mine.busy = false;
	};

	const begin = (who: "person" | "page") => {
		const wanted = who === "page" ? held.current.rows.length : 1;
		held.current.end.abort();
		const mine = fresh<T>();
		if (who === "page") passive.add(mine.end.signal);
		mine.wanted = Math.max(1, wanted);
		held.current = mine;
		setState((old) => ({ ...old, loading: true, stale: false }));
		void load(mine, query);
	};

	useLayoutEffect(() => {
		begin("person");
		return () => held.current.end.abort();
	}, [key]);

	const types = news.join(" ");
	useLayoutEffect(() => {
		let timer = 0;
		const end = onNews(types.split(" "), () => {
			if (held.current.rows.length > REFRESH_MOST) {
				setState((old) => ({ ...old, stale: true }));
				return;
			}
			timer ||= window.setTimeout(() => {
				timer = 0;
				begin("page");
			}, GATHER_MS);
		});
		return () => {
			end();
			clearTimeout(timer);
		};
	}, [types, key]);

	return {
		...state,
		need(index) {
			const mine = held.current;
			if (mine.next === null || index <= mine.wanted) {
				if (!mine.busy && mine.next !== null && mine.rows.length < index) void load(mine, query);
				return;
			}
			mine.wanted = index;
			void load(mine, query);
		},
		again: () => begin("person"),
	};
}
