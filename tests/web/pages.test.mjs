// Every page of the console in both languages, on a desk and on a phone, light and dark: nothing serious
// for axe, nothing wider than the window, no error shown, a screenshot of each.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { DESK, open, PHONE, TOP } from "./world.mjs";

const PAGES = [...readFileSync(join(TOP, "gateway/console/src/pages/index.ts"), "utf8").matchAll(/name: "(\w+)"/g)].map((found) => found[1]);

let world;
let license;

before(async () => {
	world = await open();
	const { gateway } = world;
	await gateway.good("POST", "/tenants", { id: "acme", name: "アクメ商事" });
	await gateway.good("POST", "/groups", { name: "営業", tenant: "acme", note: "第一営業部" });
	await gateway.good("PUT", "/policies/tenant/acme", { rights: ["view", "control"], watermark: true, hours: [{ days: ["mon", "tue", "wed", "thu", "fri"], from: "08:00", to: "20:00" }], zone: "Asia/Tokyo" });
	for (const [holder, labels] of [["佐藤 花子", { site: "東京" }], ["鈴木 一郎", { site: "大阪", kind: "契約社員" }], ["Anna O'Connor", {}]])
		license = await gateway.good("POST", "/licenses", { holder, tenant: "acme", group: "営業", labels, note: "在宅勤務用" });
	await gateway.good("POST", "/tokens", { name: "勤怠連携", role: "auditor", tenant: "acme" });
	await gateway.good("POST", "/directories", { id: "corp", name: "社内ディレクトリ", kind: "ldap", tenant: "acme", use: ["accounts"], ldap: { url: "ldaps://ldap.example.co.jp", bind_dn_template: "uid={user},ou=people,dc=example,dc=jp" } });
	await gateway.good("POST", "/licenses", { holder: "田中 次郎", tenant: "acme", state: "disabled", expires: "2031-03-31T15:00:00Z" });
});

after(async () => world?.end());

const VIEWS = [
	["desk", { viewport: DESK, colorScheme: "light" }],
	["dark", { viewport: DESK, colorScheme: "dark" }],
	["phone", { viewport: PHONE, colorScheme: "light", isMobile: true, hasTouch: true }],
];

for (const lang of ["ja", "en"])
	for (const [view, options] of VIEWS)
		test(`every page: ${lang}, ${view}`, async () => {
			const page = await world.page(lang, options);
			await world.goto(page);
			await page.locator('button[type="submit"]').waitFor();
			await world.shot(page, `sign_in-${lang}-${view}`);
			await world.axe(page, `sign_in ${lang} ${view}`);
			const account = await world.account(`admin-${lang}-${view}`, ["operator"], "", "山田 太郎");
			await world.signIn(page, account);
			// The account's language is Japanese; a browser keeps what is chosen in it.
			if (lang === "en") await chooseEnglish(page, view);
			const places = [
				...PAGES.map((name) => [name, `#/${name}`]),
				...["security", "directories", "tokens", "tenants", "backups"].map((tab) => [`settings_${tab}`, `#/settings/${tab}`]),
				["license", `#/licenses/${license.id}`],
				["license_policy", `#/licenses/${license.id}?tab=policy`],
				["license_devices", `#/licenses/${license.id}?tab=devices`],
			];
			const faults = [];
			for (const [name, hash] of places) {
				await world.show(page, hash);
				await world.shot(page, `${name}-${lang}-${view}`);
				await look(page, `${name} ${lang} ${view}`, lang).catch((fault) => faults.push(fault.message));
			}
			assert.equal(faults.length, 0, faults.join("\n"));
		});

async function look(page, name, lang) {
	assert.deepEqual(await page.locator(".problem").allTextContents(), [], `${name} shows an error`);
	assert.equal(await page.locator("h1:visible").count(), 1, `${name}: headings`);
	assert.equal(await page.evaluate(() => document.documentElement.lang), lang);
	await world.fits(page, name);
	await world.axe(page, name);
}

async function chooseEnglish(page) {
	await page.locator(".account > button").click();
	await page.getByRole("button", { name: "English" }).click();
	await page.keyboard.press("Escape");
	await page.waitForFunction(() => document.documentElement.lang === "en");
}

test("dates that are crossed are said once, in the page's own words", async () => {
	const page = await world.page("ja", { viewport: DESK });
	await world.signIn(page, await world.account("dates", ["operator"], "", "山田 太郎"));
	for (const place of ["#/history", "#/history/sessions"]) {
		await world.show(page, `${place}?from=2026-11-20&to=2026-11-10`);
		await page.getByText("開始日が終了日より後").waitFor();
		const text = await page.locator("main").innerText();
		assert.equal(text.split("開始日が終了日より後").length, 2, text);
		assert.ok(!/\bfrom\b|\bto\b/.test(text), text);
	}
});
