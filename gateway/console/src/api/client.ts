// client: the one way to the REST API. Says who is there (cookie and CSRF value), asks again after a
// sign-in or a confirmation that the gateway wanted, and turns refusals into Problems.

import { cell } from "../cell";
import { language } from "../settings";
import { GIVEN_UP, Problem, unreachable } from "./problem";
import type { Items, Me } from "./types";

export type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
export type Query = Record<string, string | number | undefined>;

export interface Wish {
	query?: Query;
	/** JSON, or text that is sent as `type`. */
	body?: unknown;
	type?: string;
	/** The same value again means the same act: a creation is not done twice. */
	once?: string;
	signal?: AbortSignal;
}

/** Looks of the page, not of a person: they do not keep a sign-in alive. */
export const passive = new WeakSet<AbortSignal>();

/** undefined: not known yet; null: nobody is signed in. */
export const me = cell<Me | null | undefined>(undefined);

/** What a request may have to wait for; parts/gate.tsx shows it and calls `done`. */
export interface Gate {
	kind: "expired" | "step_up";
	done(passed: boolean): void;
}
export const gate = cell<Gate | null>(null);

let waiting: Promise<boolean> | null = null;

/** Requests that fail together wait for one dialog together. */
function pass(kind: Gate["kind"]): Promise<boolean> {
	waiting ??= new Promise<boolean>((resolve) => {
		gate.set({
			kind,
			done(passed) {
				waiting = null;
				gate.set(null);
				resolve(passed);
			},
		});
	});
	return waiting;
}

export function address(path: string, query: Query = {}): string {
	const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== "");
	const tail = new URLSearchParams(given.map(([name, value]) => [name, String(value)]));
	return `/api/v1${path}${given.length ? `?${tail}` : ""}`;
}

async function send(method: Method, path: string, wish: Wish): Promise<Response> {
	const headers: Record<string, string> = { "Accept-Language": language.get() };
	const who = me.get();
	if (method !== "GET" && who) headers["X-Engawa-CSRF"] = who.csrf;
	if (wish.once) headers["Idempotency-Key"] = wish.once;
	if (wish.signal && passive.has(wish.signal)) headers["X-Engawa-Background"] = "1";
	if (wish.body !== undefined) headers["Content-Type"] = wish.type ?? "application/json";
	const body = wish.body === undefined || wish.type ? (wish.body as string | undefined) : JSON.stringify(wish.body);
	try {
		return await fetch(address(path, wish.query), {
			method,
			headers,
			body,
			signal: wish.signal,
			credentials: "same-origin",
			cache: "no-store",
			redirect: "error",
		});
	} catch (error) {
		if (error instanceof DOMException && error.name === "AbortError") throw error;
		throw unreachable();
	}
}

async function refusal(response: Response): Promise<Problem> {
	try {
		return new Problem((await response.json()) as Record<string, unknown>, response.status);
	} catch {
		return new Problem({ title: response.statusText }, response.status);
	}
}

/** The answer when it is a good one; waits for a sign-in or a confirmation where that would help. */
export async function fetchApi(method: Method, path: string, wish: Wish = {}): Promise<Response> {
	for (let tries = 0; ; tries++) {
		const response = await send(method, path, wish);
		if (response.ok) return response;
		const problem = await refusal(response);
		const kind =
			problem.code === "UNAUTHENTICATED" && me.get() && path !== "/sign-in"
				? "expired"
				: problem.code === "STEP_UP_NEEDED"
					? "step_up"
					: null;
		if (!kind || tries > 2) throw problem;
		if (!(await pass(kind))) throw new Problem({ code: GIVEN_UP }, response.status);
	}
}

export async function ask<T>(method: Method, path: string, wish: Wish = {}): Promise<T> {
	const response = await fetchApi(method, path, wish);
	if (response.status === 204) return undefined as T;
	const type = response.headers.get("Content-Type") ?? "";
	return (type.includes("json") ? await response.json() : await response.text()) as T;
}

export const get = <T>(path: string, query?: Query, signal?: AbortSignal) => ask<T>("GET", path, { query, signal });

/** Every item of a list, page by page; `most` bounds what a page of the console takes in. */
export async function all<T>(path: string, query: Query = {}, signal?: AbortSignal, most = 5000): Promise<T[]> {
	const items: T[] = [];
	let after: string | undefined;
	do {
		const page = await get<Items<T>>(path, { limit: 1000, ...query, after }, signal);
		items.push(...page.items);
		after = page.next ?? undefined;
	} while (after && items.length < most);
	return items;
}

/** Lines of JSON as they come, for answers of any length. */
export async function lines<T>(method: Method, path: string, wish: Wish, each: (line: T) => void) {
	const response = await fetchApi(method, path, wish);
	const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
	let held = "";
	for (;;) {
		const { value, done } = await reader.read();
		held += value ?? "";
		const parts = held.split("\n");
		held = done ? "" : (parts.pop() as string);
		for (const part of parts) if (part.trim()) each(JSON.parse(part) as T);
		if (done) return;
	}
}

/** Saves an answer as a file. Asked for by fetch, so that a refusal is shown like any other. */
export async function download(path: string, query: Query, name: string, method: Method = "GET") {
	const response = await fetchApi(method, path, { query });
	const url = URL.createObjectURL(await response.blob());
	const link = document.createElement("a");
	link.href = url;
	link.download = name;
	link.click();
	setTimeout(() => URL.revokeObjectURL(url), 60000);
}

export function may(permission: string): boolean {
	return me.get()?.permissions.includes(permission) ?? false;
}
