// data: what a part of the page shows, from the API: loading, there, or a Problem; asked again when
// news of these types come. What was there stays shown meanwhile.

import { useCallback, useLayoutEffect, useRef, useState } from "preact/hooks";

import { passive } from "./client";
import { onNews } from "./events";
import { type Problem, problemOf } from "./problem";

export interface Data<T> {
	value: T | undefined;
	problem: Problem | null;
	loading: boolean;
	/** As somebody asked for it; `look` is the same by the page itself. */
	again(): void;
	look(): void;
	/** Shows this meanwhile, for what was just changed here. */
	put(value: T): void;
}

/** Bursts of news cost one look; a second look waits for the first. */
const GATHER_MS = 400;

export function useData<T>(
	load: (signal: AbortSignal) => Promise<T>,
	needs: readonly unknown[],
	news: string[] = [],
): Data<T> {
	const [state, setState] = useState<{ value?: T; problem: Problem | null; loading: boolean }>({
		problem: null,
		loading: true,
	});
	const latest = useRef(load);
	latest.current = load;
	const running = useRef<AbortController | null>(null);

	const look = useCallback(async (who: "person" | "page") => {
		running.current?.abort();
		const end = new AbortController();
		if (who === "page") passive.add(end.signal);
		running.current = end;
		setState((old) => ({ ...old, loading: true }));
		try {
			const value = await latest.current(end.signal);
			if (!end.signal.aborted) setState({ value, problem: null, loading: false });
		} catch (error) {
			if (!end.signal.aborted) setState((old) => ({ ...old, problem: problemOf(error), loading: false }));
		}
	}, []);

	useLayoutEffect(() => {
		setState({ problem: null, loading: true });
		void look("person");
		return () => running.current?.abort();
	}, needs);

	const types = news.join(" ");
	useLayoutEffect(() => {
		if (!types) return undefined;
		let timer = 0;
		const end = onNews(types.split(" "), () => {
			if (timer) return;
			timer = window.setTimeout(() => {
				timer = 0;
				void look("page");
			}, GATHER_MS);
		});
		return () => {
			end();
			clearTimeout(timer);
		};
	}, [types]);

	return {
		...state,
		value: state.value,
		again: () => void look("person"),
		look: () => void look("page"),
		put: (value) => setState({ value, problem: null, loading: false }),
	};
}
