// places: the office PCs that this browser knows. One is kept when it has been paired, and with what pairing proved to
// be right; until then it is a draft in memory.

import type { LicenseKey } from "../base/license_key";
import { PLACES, transact } from "./database";
import { type Identity, newIdentity, wrap } from "./identity";
import type { Pin } from "./pins";

export { PLACES };

/** What was seen of it last, and when. */
export interface Seen {
	state: "online" | "offline" | "in_use" | "refused";
	/** Symbol of reason.def, "" when online. */
	reason: string;
	atMs: number;
}

export interface Place {
	/** Of the license: "lic_…". */
	id: string;
	publicId: string;
	/** As the office PC calls itself; "" before it was paired. */
	hostName: string;
	/** As the person calls it, "" for the host's own. */
	name: string;
	/** HOST:PORT of the gateways, the first one tried first. */
	gateways: string[];
	/** How this browser is called at the office. */
	deviceName: string;
	identity: Identity;
	/** The admission secret of the license key, wrapped. */
	secret: Uint8Array<ArrayBuffer>;
	/** null: a draft. */
	pin: Pin | null;
	seen: Seen | null;
	madeMs: number;
}

export function placeName(place: Place): string {
	return place.name || place.hostName || place.id;
}

export function listPlaces(): Promise<Place[]> {
	return transact<Place[]>("readonly", (table) => table.getAll());
}

export async function readPlace(id: string): Promise<Place | null> {
	return (await transact<Place | undefined>("readonly", (table) => table.get(id))) ?? null;
}

export async function writePlace(place: Place): Promise<void> {
	await transact("readwrite", (table) => table.put(place));
}

/** Changes the record as it is now; nothing when it was forgotten meanwhile. */
export async function changePlace(id: string, change: (place: Place) => Place): Promise<void> {
	const place = await readPlace(id);
	if (place) await writePlace(change(place));
}

/** The record goes with its keys; no copy of them is anywhere. */
export async function forgetPlace(id: string): Promise<void> {
	drafts.delete(id);
	await transact("readwrite", (table) => table.delete(id));
}

/** A second attempt is the same device to the gateway and the office PC. */
const drafts = new Map<string, Identity>();

/** The place of this license with what was typed now; nothing is kept yet. */
export async function placeFor(key: LicenseKey, gateways: string[], deviceName: string): Promise<Place> {
	const known = await readPlace(key.id);
	const identity = known?.identity ?? drafts.get(key.id) ?? (await newIdentity());
	drafts.set(key.id, identity);
	return {
		id: key.id,
		publicId: key.publicId,
		hostName: known?.hostName ?? "",
		name: known?.name ?? "",
		gateways,
		deviceName,
		identity,
		secret: await wrap(identity, key.secret),
		pin: known?.pin ?? null,
		seen: known?.seen ?? null,
		madeMs: known?.madeMs ?? Date.now(),
	};
}
