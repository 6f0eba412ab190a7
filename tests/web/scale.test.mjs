// 50,000 licenses: the list scrolls and filters smoothly. Frame times are measured and printed; what
// fails here is order of magnitude, not the speed of the machine.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { open, until } from "./world.mjs";

const MANY = 50000;
let world;

before(async () => {
	world = await open();
	await world.gateway.good("POST", "/tenants", { id: "large", name: "大きな会社" });
	const people = ["佐藤", "鈴木", "高橋", "田中", "伊藤", "渡辺", "山本", "中村"];
	const lines = ["holder,group,label:site"];
	for (let n = 0; n < MANY; n++) lines.push(`${people[n % 8]} ${n},G${n % 40},S${n % 200}`);
	const begun = Date.now();
	const answer = await world.gateway.rest("POST", "/licenses/import?tenant=large", `${lines.join("\n")}\n`);
	const last = JSON.parse(answer.text.trim().split("\n").at(-1));
	assert.equal(last.done, MANY, JSON.stringify(last));
	console.log(`# figure: import of ${MANY} licenses ${Date.now() - begun} ms`);
	// The node takes note of them in the background; what is measured below begins after that.
	await world.gateway.good("GET", "/licenses?tenant=large&limit=1&count=1");
});

after(async () => world?.end());

/** Scrolls the list for two seconds and returns the times between frames, sorted. */
function scroll(page) {
	return page.evaluate(async () => {
		const body = document.querySelector(".table-body");
		const times = [];
		let last = performance.now();
		const end = last + 2000;
		while (last < end) {
			body.scrollTop += 900;
			await new Promise(requestAnimationFrame);
			const now = performance.now();
			times.push(now - last);
			last = now;
		}
		return times.sort((a, b) => a - b);
	});
}

test("50,000 licenses scroll and filter", async () => {
	const page = await world.page("ja");
	await world.signIn(page, await world.account("large", ["admin"], "large"));
	let begun = Date.now();
	await world.show(page, "#/licenses");
	await page.locator(".table.big").waitFor();
	console.log(`# figure: first rows of ${MANY} after ${Date.now() - begun} ms`);
	assert.match(await page.locator(".row-count").textContent(), /50,000/);
	assert.equal(await page.locator(".table").getAttribute("aria-rowcount"), String(MANY + 1));
	const drawn = await page.locator(".table-body .row").count();
	assert.ok(drawn < 80, `${drawn} rows are drawn`);

	const frames = await scroll(page);
	const at = (part) => frames[Math.floor(frames.length * part)].toFixed(1);
	console.log(`# figure: scrolling, ${frames.length} frames, median ${at(0.5)} ms, p95 ${at(0.95)} ms, longest ${frames.at(-1).toFixed(1)} ms`);
	assert.ok(frames[Math.floor(frames.length / 2)] < 100, "scrolling stutters");
	assert.ok((await page.locator(".table-body .row").count()) < 80);

	// To the very end: everything between is fetched page by page.
	begun = Date.now();
	await page.evaluate(() => {
		const body = document.querySelector(".table-body");
		body.scrollTop = body.scrollHeight;
	});
	await page.locator(`.row[data-row="${MANY - 1}"] a`).waitFor({ timeout: 120000 });
	console.log(`# figure: to the last of ${MANY} in ${Date.now() - begun} ms`);
	await world.shot(page, "licenses_50000-ja-desk");

	begun = Date.now();
	await page.getByRole("searchbox").first().fill("山本 49998");
	await until("the one that is looked for", async () => (await page.locator(".table-body .row a").count()) === 1);
	console.log(`# figure: filter over ${MANY} in ${Date.now() - begun} ms, typing pause included`);
	assert.match(await page.locator(".table-body .row a").textContent(), /山本 49998/);

	await page.getByRole("searchbox").first().fill("");
	await page.locator(".table.big").waitFor();
	await world.settled(page);

	// The arrow keys walk through rows that are not drawn yet.
	await page.locator('.row[data-row="0"] a').focus();
	for (let n = 0; n < 60; n++) await page.keyboard.press("ArrowDown");
	await until("the focus on row 60", () => page.evaluate(() => document.activeElement?.closest("[data-row]")?.dataset.row === "60"));
	await page.keyboard.press("Home");
	await until("the focus on row 0", () => page.evaluate(() => document.activeElement?.closest("[data-row]")?.dataset.row === "0"));
	await world.axe(page, "licenses 50000");
});
