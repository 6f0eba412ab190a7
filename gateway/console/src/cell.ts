// cell: one value that many parts of the page look at; whoever uses it is drawn again when it changes.

import { useLayoutEffect, useState } from "preact/hooks";

export interface Cell<T> {
	get(): T;
	set(value: T): void;
	use(): T;
	watch(act: (value: T) => void): () => void;
}

export function cell<T>(first: T): Cell<T> {
	let value = first;
	const watchers = new Set<(value: T) => void>();
	const watch = (act: (value: T) => void) => {
		watchers.add(act);
		return () => void watchers.delete(act);
	};
	return {
		get: () => value,
		set(next) {
			if (Object.is(next, value)) return;
			value = next;
			for (const act of [...watchers]) act(next);
		},
		use() {
			const [, draw] = useState(0);
			const shown = value;
			useLayoutEffect(() => {
				const again = () => draw((n) => n + 1);
				// It may have changed between the drawing and now.
				if (!Object.is(value, shown)) again();
				return watch(again);
			}, []);
			return value;
		},
		watch,
	};
}
