// route: where in the console one is: "#/licenses/lic_1?tab=devices". Links are plain links; the
// browser's history works.

import { cell } from "./cell";

export interface Route {
	page: string;
	id: string;
	query: Record<string, string>;
}

function parse(hash: string): Route {
	const [path = "", query = ""] = hash.replace(/^#\/?/, "").split("?", 2);
	const [page = "", ...rest] = path.split("/").map((part) => {
		try {
			return decodeURIComponent(part);
		} catch {
			return part;
		}
	});
	return { page, id: rest.join("/"), query: Object.fromEntries(new URLSearchParams(query)) };
}

export const route = cell<Route>(parse(location.hash));

addEventListener("hashchange", () => route.set(parse(location.hash)));

export function path(page: string, id = "", query: Record<string, string | undefined> = {}): string {
	const given = Object.entries(query).filter(([, value]) => value) as [string, string][];
	const tail = given.length ? `?${new URLSearchParams(given)}` : "";
	return `#/${page}${id ? `/${encodeURIComponent(id)}` : ""}${tail}`;
}

export function go(to: string) {
	location.hash = to;
}

/** Keeps filters in the address without a step in the history. */
export function replace(to: string) {
	history.replaceState(null, "", to);
	route.set(parse(to));
}
