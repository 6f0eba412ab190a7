// model: what the page knows: the office PCs of this browser, the session that runs, passwords typed since the page
// was opened. One session per PC and browser: a lock that the tab with it holds, and a word to that tab when another
// wants it.

import { cell } from "../../../gateway/console/src/cell";
import { missing } from "../e2e/primitives";
import { changePlace, forgetPlace, listPlaces, type Place, type Seen } from "../store/places";
import { prepareWorker } from "../worker/worker_start";
import type { Refusal } from "./parts";
import { gatewaysLately, gatewaysOfPage } from "./served";
import { Session, type SessionEnd } from "./session";

export interface Ended extends Refusal {
	place: Place;
	wasUp: boolean;
	/** The session was given to another tab. */
	taken: boolean;
}

export const lacks = cell<string[] | null>(null);
/** null: not read yet; "denied": the browser keeps nothing. */
export const places = cell<Place[] | "denied" | null>(null);
export const session = cell<Session | null>(null);
export const ended = cell<Ended | null>(null);
/** PCs that another tab has open. */
export const elsewhere = cell<ReadonlySet<string>>(new Set());

const passwords = new Map<string, string>();
const LOCK = "engawa.session.";
/** The other tab says goodbye to its host first. */
const TAKE_MS = 15_000;

type Word = { type: "changed" } | { type: "take"; id: string } | { type: "forgotten"; id: string };
const others = typeof BroadcastChannel === "undefined" ? null : new BroadcastChannel("engawa");

function tell(word: Word): void {
	others?.postMessage(word);
}

export async function load(): Promise<void> {
	// First of all: what other tabs say while the list is read is about that list.
	if (others) others.onmessage = (event: MessageEvent<Word>) => heard(event.data);
	document.addEventListener("visibilitychange", () => {
		void look();
		if (!document.hidden) makeReady();
	});
	lacks.set(await missing());
	await look();
	makeReady();
}

/** What a click would else wait for. */
function makeReady(): void {
	if (!lacks.get() || lacks.get()?.length || places.get() === "denied") return;
	prepareWorker();
	void gatewaysOfPage();
}

export async function look(): Promise<void> {
	try {
		const found = await listPlaces();
		places.set(found.sort((a, b) => a.madeMs - b.madeMs));
	} catch {
		places.set("denied");
	}
	const locks = await navigator.locks?.query().catch(() => null);
	const open = (locks?.held ?? []).flatMap(({ name }) => (name?.startsWith(LOCK) ? [name.slice(LOCK.length)] : []));
	elsewhere.set(new Set(open.filter((id) => id !== session.get()?.place.id)));
}

function heard(word: Word): void {
	void look();
	if (word.type === "changed") return;
	const now = session.get();
	if (now?.place.id !== word.id) return;
	taken = true;
	now.leave();
}

let taken = false;
/** PCs that this tab is at, from the click on. */
const here = new Map<string, Promise<boolean>>();

/** Runs `act` while no other tab has this PC. False: one has it. */
async function alone(id: string, act: () => Promise<void>, waitMs = 0): Promise<boolean> {
	const locks = navigator.locks;
	if (!locks) return act().then(() => true);
	const options: LockOptions = waitMs ? { signal: AbortSignal.timeout(waitMs) } : { ifAvailable: true };
	return locks
		.request(LOCK + id, options, async (lock) => {
			if (!lock) return false;
			tell({ type: "changed" });
			await act();
			return true;
		})
		.catch(() => false)
		.finally(() => {
			tell({ type: "changed" });
			void look();
		});
}

export interface Asked {
	password: string;
	totp: string;
	ticket: string;
	/** Another tab's session is to end. */
	takeOver: boolean;
}

export function knownPassword(id: string): string {
	return passwords.get(id) ?? "";
}

const SEEN: Record<string, Seen["state"]> = { HOST_OFFLINE: "offline", LICENSE_IN_USE: "in_use", HOST_BUSY: "in_use", TAKEN_OVER: "in_use" };
/** They say something of this browser's line, not of the PC. */
const SAYS_NOTHING = new Set(["GATEWAY_UNREACHABLE", "PASSWORD_WRONG", "TOTP_WRONG", "TOTP_NEEDED", "THROTTLED", "BUSY", "TIMEOUT", "INTERNAL"]);

function remember(place: Place, end: SessionEnd): void {
	if (!end.why || SAYS_NOTHING.has(end.why)) return;
	const seen: Seen = { state: SEEN[end.why] ?? (end.wasUp ? "online" : "refused"), reason: end.why, atMs: Date.now() };
	void changePlace(place.id, (now) => ({ ...now, seen }))
		.then(look)
		.catch(() => undefined);
}

/** Ends when the session has ended. False: another tab has this PC open, and it was not to be taken over. */
export async function connect(place: Place, asked: Asked): Promise<boolean> {
	// A second click before the first one shows is not another tab.
	const running = here.get(place.id);
	if (running) return running;
	const now = goThere(place, asked).finally(() => here.get(place.id) === now && here.delete(place.id));
	here.set(place.id, now);
	return now;
}

async function goThere(place: Place, asked: Asked): Promise<boolean> {
	ended.set(null);
	taken = false;
	if (asked.takeOver) tell({ type: "take", id: place.id });
	return alone(place.id, async () => run(await withGateways(place), asked), asked.takeOver ? TAKE_MS : 0);
}

/** Nodes come and go: those of which this page is told today are tried first, and kept. */
async function withGateways(place: Place): Promise<Place> {
	const gateways = [...new Set([...(await gatewaysLately()), ...place.gateways])];
	void changePlace(place.id, (now) => ({ ...now, gateways })).catch(() => undefined);
	return { ...place, gateways };
}

function run(place: Place, asked: Asked): Promise<void> {
	return new Promise((resolve) => {
		const done = (end: SessionEnd) => {
			if (end.why === "PASSWORD_WRONG") passwords.delete(place.id);
			remember(place, end);
			// A PC that has just been paired is in the list before anybody looks at it.
			void look().then(() => {
				// From now on a click is a new one.
				here.delete(place.id);
				session.set(null);
				makeReady();
				if (end.why || taken) ended.set({ place, ...end, taken });
				resolve();
			});
		};
		const up = () => {
			passwords.set(place.id, asked.password);
			// Asked once it is worth something: a browser that is short of room clears the others first.
			void navigator.storage?.persist?.();
		};
		const { password, totp, ticket } = asked;
		session.set(new Session(place, { password, totp, ticket }, done, up));
	});
}

export async function rename(id: string, name: string): Promise<void> {
	await changePlace(id, (place) => ({ ...place, name }));
	tell({ type: "changed" });
	await look();
}

export async function forget(id: string): Promise<void> {
	await forgetPlace(id);
	passwords.delete(id);
	if (ended.get()?.place.id === id) ended.set(null);
	tell({ type: "forgotten", id });
	await look();
}
