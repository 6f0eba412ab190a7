// An employee's day in the browser viewer, from an empty profile: pairs, types, copies, goes home, comes back.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { takeInHand } from "./viewer_hand.mjs";
import { openViewer, until } from "./viewer_world.mjs";

let world;
let hand;
before(async () => {
	world = await openViewer();
});
after(async () => world?.end());

test("from an empty profile, in Japanese: what is mistyped is told at its field, then it pairs and connects", async () => {
	hand = await takeInHand(world, "ja");
	const { page, w } = hand;
	await hand.button(w.act.pair).click();
	await page.locator(".field-error").nth(2).waitFor();
	assert.equal(await page.locator(".field-error").count(), 3);
	const code = await world.ticket();
	const mistyped = code.slice(0, -1) + (code.endsWith("0") ? "1" : "0");
	await hand.fillPairing({ code: mistyped });
	await hand.button(w.act.pair).click();
	await page.locator(".field-error").first().waitFor();
	assert.equal(await hand.field(w.add.ticket).getAttribute("aria-invalid"), "true");
	await world.shot(page, "viewer-add-ja-desk");
	await world.axe(page, "viewer add");
	await hand.pair({ code });
	await hand.live();
});

test("English, Japanese by an input method, accents and every key of a Japanese keyboard arrive", async () => {
	const { page } = hand;
	const typed = await world.desktop.typing();
	await page.keyboard.type("Hello, World! ~|\\_{}[]@^`'\"<>?/");
	await hand.compose("に", "にほ", "にほんご", "日本語");
	await hand.compose("か", "株式会社");
	// A dead key and its letter, as a browser tells them.
	await hand.press("Dead", "BracketLeft");
	await hand.press("é", "KeyE", { text: "é" });
	await hand.cdp.send("Input.insertText", { text: "😀" });
	await hand.press("¥", "IntlYen", { text: "¥" });
	await hand.press("\\", "IntlRo", { text: "\\" });
	await hand.press("ろ", "IntlRo", { text: "ろ" });
	await hand.typed(typed, "Hello, World! ~|\\_{}[]@^`'\"<>?/日本語株式会社é😀¥\\ろ");
});

test("goes home, and the next day one click and the password connect", async () => {
	const { page, w } = hand;
	await hand.leave();
	await page.getByRole("heading", { name: w.list.title }).waitFor();
	await world.shot(page, "viewer-list-ja-desk");
	await world.axe(page, "viewer list");
	await until("the session's row, which both ends agree on", async () =>
		(await world.sessions()).some((row) => row.purpose === "session" && row.reason === "VIEWER_LEFT" && row.receipts?.agree === "yes"),
	);
	await hand.connect();
	await hand.live();
	await hand.leave();
	await page.reload();
	await hand.connect(world.license.password);
	await hand.live();
});
