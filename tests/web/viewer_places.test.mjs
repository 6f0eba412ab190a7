// Sessions of a page from wherever it came: the gateway, a company's own server, a file; who may refuse browsers;
// and that a whole visit asks nobody else for anything.

import assert from "node:assert/strict";
import { join } from "node:path";
import { after, afterEach, before, test } from "node:test";
import { pathToFileURL } from "node:url";

import { takeInHand } from "./viewer_hand.mjs";
import { askedIn, companyServer } from "./viewer_served.mjs";
import { BUILD, openViewer, until } from "./viewer_world.mjs";

const FILE = pathToFileURL(join(BUILD, "viewer/web/engawa-viewer-offline.html")).href;

let world;
let site;
let log;
before(async () => {
	world = await openViewer({ config: "" });
	site = await companyServer(world.folder);
	site.gateway = world.gateway.address;
	// Now that its address is known it is listed, and the browser knows both.
	await world.configure(`[web]\norigins = https://${site.address}\noffline = yes\n`);
	await world.host.online();
	await world.browser.close();
	log = join(world.folder, "net.json");
	world.browser = await world.browserFor([world.gateway, site], [`--log-net-log=${log}`, "--disable-features=AutofillServerCommunication"]);
	world.alsoAt.push(`https://${site.address}`, "file:/");
});
after(async () => {
	site?.close();
	await world?.end();
});

/** The session is over for the gateway too, receipts and all. */
async function gone(hand) {
	await hand.leave();
	await until("the session's row", async () => {
		const live = await world.gateway.good("GET", "/sessions");
		return !live.items.length && (await world.sessions()).every((row) => row.ended);
	});
}

// A session that a failed test has left must not be what the next one meets.
afterEach(async () => {
	for (const context of world.contexts.splice(0)) await context.close();
});

/** Pairs, types, leaves, comes back by one click. */
async function aDay(hand, text) {
	const typed = await world.desktop.typing();
	await hand.pair();
	await hand.live();
	await hand.page.keyboard.type(text);
	await hand.typed(typed, text);
	await gone(hand);
	await hand.connect();
	await hand.live();
	await gone(hand);
}

test("from the gateway: a whole visit asks nobody else", async () => {
	const hand = await takeInHand(world, "ja");
	await aDay(hand, "engawa 1");
});

test("from a company's own server", async () => {
	const hand = await takeInHand(world, "en", { at: `https://${site.address}` });
	await aDay(hand, "engawa 2");
});

test("from a file", async () => {
	const hand = await takeInHand(world, "ja", { at: FILE });
	await hand.field(hand.w.add.gateway).fill(world.gateway.address);
	await aDay(hand, "engawa 3");
});

test("rows say that it was a browser", async () => {
	const rows = await until("the sessions' rows", async () => {
		const found = await world.sessions();
		return found.filter((row) => row.ended).length >= 6 && found;
	});
	for (const row of rows) assert.deepEqual([row.viewer_kind, row.host_kind], ["web", "native"]);
	const logins = (await world.gateway.good("GET", `/journal/logins?license=${world.license.id}`)).items;
	assert.ok(logins.some((row) => row.kind === "web"), JSON.stringify(logins));
});

test("the office PC's own file keeps browsers out, and nothing else", async () => {
	const hand = await takeInHand(world, "ja");
	await hand.pair();
	await hand.live();
	world.host.veto("[session]\nviewers = native\n");
	await hand.refused("VETO"); // the one that is live, within seconds
	await hand.connect();
	await hand.refused("VETO");
	world.host.veto("[session]\nviewers = web\n");
	await hand.connect();
	await hand.live();
	await gone(hand);
});

test("a company's policy keeps browsers out", async () => {
	const hand = await takeInHand(world, "en");
	await hand.pair();
	await hand.live();
	await gone(hand);
	await world.gateway.good("PUT", "/policies/default", { viewer_kinds: ["native"] });
	await hand.connect();
	await hand.refused("POLICY");
	await world.gateway.good("PUT", "/policies/default", {});
});

test("nobody else was asked for anything", async () => {
	await world.browser.close();
	const own = [world.gateway.address, site.address];
	const asked = askedIn(log);
	assert.deepEqual(asked.filter((url) => !own.some((address) => url.endsWith(`//${address}`))), []);
	for (const url of [`https://${own[0]}`, `wss://${own[0]}`, `https://${own[1]}`]) assert.ok(asked.includes(url), `${url} of ${asked}`);
});
