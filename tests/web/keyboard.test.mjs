// The console without a mouse: sign in, find a license, make one, change it, leave; the focus is always
// seen and never lost.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { open, PHONE, until } from "./world.mjs";

let world;
before(async () => {
	world = await open();
	for (const holder of ["青木", "井上", "上田"]) await world.gateway.good("POST", "/licenses", { holder });
});
after(async () => world?.end());

/** What has the focus, as people would name it. */
const focus = (page) =>
	page.evaluate(() => {
		const at = document.activeElement;
		return at === document.body ? "nothing" : (at.labels?.[0]?.textContent ?? at.getAttribute("aria-label") ?? at.textContent).trim();
	});

/** Tab until the focus is there; every stop on the way is visible and shows its focus. */
async function tab(page, to, key = "Tab") {
	for (let n = 0; n < 60; n++) {
		await page.keyboard.press(key);
		const seen = await page.evaluate(() => {
			const at = document.activeElement;
			if (at === document.body || at.tagName === "HTML") return { ok: true };
			const box = at.getBoundingClientRect();
			const style = getComputedStyle(at);
			return { ok: box.width > 0 && box.height > 0 && style.visibility === "visible" && style.outlineStyle !== "none", what: at.outerHTML.slice(0, 200) };
		});
		assert.ok(seen.ok, `the focus is not seen: ${seen.what}`);
		if (to.test(await focus(page))) return;
	}
	assert.fail(`Tab never came to ${to}; it is at ${await focus(page)}`);
}

test("a day without a mouse", async () => {
	const page = await world.page("en");
	const account = await world.account("keys", ["operator"]);
	await world.goto(page);
	await until("the focus in the first field", async () => /Account/.test(await focus(page)));
	await page.keyboard.type(account.name);
	await tab(page, /Password/);
	await page.keyboard.type(account.password);
	await page.keyboard.press("Enter");
	await page.getByText("Choose a new password").or(page.getByText("新しいパスワードの設定")).first().waitFor();
	// The account's language is Japanese: English is one button away.
	await tab(page, /English/, "Shift+Tab");
	await page.keyboard.press("Enter");
	await tab(page, /Present password/);
	await page.keyboard.type(account.password);
	await tab(page, /^New password/);
	await page.keyboard.type("Keyboards are enough 1");
	await tab(page, /New password again/);
	await page.keyboard.type("Keyboards are enough 1");
	await page.keyboard.press("Enter");
	await page.getByRole("heading", { name: "Overview", exact: true }).waitFor();

	// The skip link comes first and leads over the menu.
	await page.reload();
	await page.getByRole("heading", { name: "Overview", exact: true }).waitFor();
	await tab(page, /Skip to content/);
	await page.keyboard.press("Enter");
	await until("the focus on the heading", async () => (await focus(page)) === "Overview");
	await tab(page, /^Licenses$/, "Shift+Tab");
	await page.keyboard.press("Enter");
	await page.getByRole("link", { name: "青木" }).waitFor();
	await until("the focus on the new heading", async () => (await focus(page)) === "Licenses");

	// A dialog keeps the focus inside and gives it back.
	await tab(page, /^New license$/);
	await page.keyboard.press("Enter");
	await page.locator("dialog[open]").waitFor();
	await until("the focus in the dialog", async () => /Holder/.test(await focus(page)));
	for (let n = 0; n < 20; n++) {
		await page.keyboard.press("Tab");
		assert.ok(await page.evaluate(() => document.activeElement === document.body || document.querySelector("dialog[open]").contains(document.activeElement)), "the focus left the dialog");
	}
	await page.keyboard.press("Escape");
	await until("the focus to be back", async () => (await focus(page)) === "New license");

	// Arrows walk through the rows.
	await tab(page, /青木|井上|上田/);
	await page.evaluate(() => document.querySelector(".table-body a").focus());
	const first = await focus(page);
	await page.keyboard.press("ArrowDown");
	await until("the next row", async () => (await focus(page)) !== first);
	await page.keyboard.press("End");
	await page.keyboard.press("Enter");
	await page.locator(".page-head .back").waitFor();
	await until("the focus on the heading", () => page.evaluate(() => document.activeElement?.id === "title"));
	await tab(page, /^Edit$/);
	await page.keyboard.press("Enter");
	await page.locator("dialog[open]").waitFor();
	await page.keyboard.press("Control+A");
	await page.keyboard.type("Changed by keys");
	await page.keyboard.press("Enter");
	await page.getByRole("heading", { name: "Changed by keys" }).waitFor();
	await page.goBack();
	await page.getByRole("link", { name: "Changed by keys" }).waitFor();

	await page.evaluate(() => document.querySelector(".account > button").focus());
	await page.keyboard.press("Enter");
	await tab(page, /^Sign out$/);
	await page.keyboard.press("Enter");
	await page.getByRole("button", { name: "Sign in", exact: true }).waitFor();
});

test("the menu on a phone opens, closes and does not keep the focus", async () => {
	const page = await world.page("en", { viewport: PHONE });
	await world.signIn(page, await world.account("phone", ["operator"]));
	const menu = page.locator("nav.menu");
	assert.ok(!(await menu.isVisible()));
	await page.locator(".menu-button").focus();
	await page.keyboard.press("Enter");
	await menu.waitFor();
	await until("the focus in the menu", () => page.evaluate(() => document.querySelector("nav.menu").contains(document.activeElement)));
	await world.shot(page, "menu-ja-phone");
	await world.axe(page, "menu");
	await page.keyboard.press("Escape");
	await until("the menu to be closed", async () => !(await menu.isVisible()));
	await until("the focus on its button", () => page.evaluate(() => document.activeElement.matches(".menu-button")));
});

test("who wants no motion gets none", async () => {
	const page = await world.page("en", { reducedMotion: "reduce" });
	await world.goto(page);
	await page.locator('button[type="submit"]').waitFor();
	const moving = await page.evaluate(() => document.getAnimations().filter((one) => one.effect.getTiming().duration > 10).length);
	assert.equal(moving, 0);
});
