// database: what this browser keeps for the viewer, one IndexedDB with one table, "places": an office PC each, with
// the keys of this device for it. Everything about a PC is one record, so that forgetting it cannot leave a key
// behind.
//
// Works in the page and in the Worker. A browser that keeps nothing (a private window, a rule of the company) is
// told by StoreError, never by silence.

const NAME = "engawa";
const VERSION = 1;
export const PLACES = "places";

export class StoreError extends Error {}

let opened: Promise<IDBDatabase> | null = null;

function open(): Promise<IDBDatabase> {
	return new Promise((resolve, reject) => {
		const failed = (error: unknown) => reject(new StoreError(String(error)));
		let asked: IDBOpenDBRequest;
		try {
			asked = indexedDB.open(NAME, VERSION);
		} catch (error) {
			return failed(error);
		}
		asked.onupgradeneeded = () => void asked.result.createObjectStore(PLACES, { keyPath: "id" });
		asked.onerror = () => failed(asked.error);
		asked.onblocked = () => failed("blocked by another tab");
		asked.onsuccess = () => {
			// Another tab that clears or upgrades the database must not wait for this one.
			asked.result.onversionchange = () => {
				asked.result.close();
				opened = null;
			};
			resolve(asked.result);
		};
	});
}

/** One transaction; resolves when it is on disk, as far as a browser promises that. */
export async function transact<T>(mode: IDBTransactionMode, act: (table: IDBObjectStore) => IDBRequest<T>): Promise<T> {
	opened ??= open();
	const database = await opened.catch((error: unknown) => {
		opened = null;
		throw error;
	});
	return new Promise((resolve, reject) => {
		try {
			const transaction = database.transaction(PLACES, mode, { durability: "strict" });
			const request = act(transaction.objectStore(PLACES));
			transaction.oncomplete = () => resolve(request.result);
			transaction.onerror = () => reject(new StoreError(String(transaction.error)));
			transaction.onabort = () => reject(new StoreError(String(transaction.error)));
		} catch (error) {
			reject(new StoreError(String(error)));
		}
	});
}
