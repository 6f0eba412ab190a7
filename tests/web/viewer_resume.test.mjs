// What is typed arrives, once and in order, whatever happens on the way: a node is killed, the line is cut. One tab
// at a time has a PC; forgetting it deletes its keys.

import assert from "node:assert/strict";
import { connect, createServer } from "node:net";
import { after, before, test } from "node:test";

import { takeInHand } from "./viewer_hand.mjs";
import { openViewer, until } from "./viewer_world.mjs";

/** A line that can be cut: everything through it breaks, and nothing gets through while `isCut`. */
class CutLine {
	isCut = false;
	#ends = new Set();

	async begin(address) {
		const [host, port] = address.split(":");
		this.server = createServer((near) => {
			if (this.isCut) return near.destroy();
			const far = connect(Number(port), host);
			for (const [one, other] of [[near, far], [far, near]]) {
				this.#ends.add(one);
				one.on("error", () => undefined).on("close", () => {
					this.#ends.delete(one);
					other.destroy();
				});
				one.pipe(other);
			}
		});
		await new Promise((ready) => this.server.listen(0, "127.0.0.1", ready));
		this.address = `127.0.0.1:${this.server.address().port}`;
		return this;
	}

	cut() {
		this.isCut = true;
		for (const end of this.#ends) end.destroy();
	}

	end() {
		this.cut();
		this.server.close();
	}
}

let world;
let hand;
let line;
let typed;
before(async () => {
	world = await openViewer();
	line = await new CutLine().begin(world.gateway.address);
	const home = `https://${line.address}`;
	world.origins = () => [world.home, home];
	hand = await takeInHand(world, "ja", { at: home });
	await hand.pair();
	await hand.live();
	typed = await world.desktop.typing();
});
after(async () => {
	line?.end();
	await world?.end();
});

/** Types all of it while `act` happens somewhere in between. */
async function typeWhile(text, act) {
	const before = typed();
	const half = Math.floor(text.length / 3);
	await hand.page.keyboard.type(text.slice(0, half), { delay: 5 });
	const work = act();
	await hand.page.keyboard.type(text.slice(half), { delay: 15 });
	await work;
	await hand.live();
	await hand.typed(typed, before + text);
}

test("a node is killed and comes back while somebody types", async () => {
	const { gateway } = world;
	await typeWhile("The quick brown fox jumps over the lazy dog, 1234567890 times and once more.", async () => {
		const { admin, address } = gateway;
		gateway.program.kill("SIGKILL");
		await gateway.ended;
		await hand.page.locator('main.session[data-line="reconnecting"]').waitFor();
		await world.shot(hand.page, "viewer-reconnecting-ja-desk");
		await gateway.start(admin, address, world.options);
	});
});

test("the line is cut and mended while somebody types", async () => {
	await typeWhile("Pack my box with five dozen liquor jugs; then unpack all of them again, please.", async () => {
		line.cut();
		await hand.page.locator('main.session[data-line="reconnecting"]').waitFor();
		// The picture stays, dimmed.
		assert.equal(await hand.page.locator("main.session").getAttribute("data-picture"), "whole");
		line.isCut = false;
	});
});

test("a key that is down when the window is left is up at the office", async () => {
	const before = typed();
	await hand.page.keyboard.down("Control");
	await hand.page.evaluate(() => window.dispatchEvent(new Event("blur")));
	// As it is when the release is seen by another window.
	await hand.cdp.send("Input.dispatchKeyEvent", { type: "keyDown", key: "a", code: "KeyA", text: "a", modifiers: 0 });
	await hand.cdp.send("Input.dispatchKeyEvent", { type: "keyUp", key: "a", code: "KeyA", modifiers: 0 });
	await hand.typed(typed, `${before}a`);
	await hand.page.keyboard.up("Control");
});

test("a second tab asks before it takes the PC, and then goes on alone", async () => {
	const { w } = hand;
	const other = await hand.page.context().newPage();
	await other.goto(`${hand.at}/`);
	await other.getByText(w.list.in_tab).waitFor();
	await other.locator(".place-head .button.main").click();
	await other.getByLabel(w.password.label, { exact: true }).fill(world.license.password);
	await other.getByRole("button", { name: w.act.connect, exact: true }).click();
	await other.getByText(w.tab.text).waitFor();
	await world.axe(other, "viewer second tab");
	await other.getByRole("button", { name: w.tab.go }).click();
	await other.locator('main.session[data-line="live"][data-picture="whole"]').waitFor();
	await hand.page.getByText(w.tab.taken).waitFor();
	await other.getByRole("toolbar").getByRole("button", { name: w.session.leave }).click();
	await other.locator("main.session").waitFor({ state: "detached" });
	await other.close();
});

test("the keys cannot be read, and forgetting the PC deletes them", async () => {
	const { page, w } = hand;
	const kept = () =>
		page.evaluate(async () => {
			const database = await new Promise((resolve) => {
				const asked = indexedDB.open("engawa");
				asked.onsuccess = () => resolve(asked.result);
			});
			const rows = await new Promise((resolve) => {
				const asked = database.transaction("places").objectStore("places").getAll();
				asked.onsuccess = () => resolve(asked.result);
			});
			database.close();
			const keys = rows.flatMap(({ identity }) => [identity.sign.secret, identity.own.secret, identity.wrap]);
			const read = await Promise.allSettled(keys.flatMap((key) => ["raw", "pkcs8", "jwk"].map((form) => crypto.subtle.exportKey(form, key))));
			return { rows: rows.length, keys: keys.length, extractable: keys.some((key) => key.extractable), read: read.filter((one) => one.status === "fulfilled").length };
		});
	assert.deepEqual(await kept(), { rows: 1, keys: 3, extractable: false, read: 0 });
	await page.getByText(w.act.more).click();
	await world.shot(page, "viewer-details-ja-desk");
	await hand.button(w.act.forget).click();
	await world.axe(page, "viewer forget");
	await hand.button(w.forget.go).click();
	await page.getByRole("heading", { name: w.add.title }).waitFor();
	await until("the keys to be gone", async () => (await kept()).rows === 0);
	assert.equal(await page.evaluate(() => JSON.stringify(localStorage).includes("lic_")), false);
});
