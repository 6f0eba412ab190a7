// A new admin's first day in the console, in both languages: from the one-time password to a license in
// use, with what goes wrong on the way: an expired sign-in, a confirmation, a file with errors, a
// gateway that goes away.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { codeOf, open, SHOTS, TOP, until } from "./world.mjs";

let world;
before(async () => {
	world = await open();
});
after(async () => world?.end());

/** The words of the console in one language, as the page shows them. */
async function words(lang) {
	const { createRequire } = await import("node:module");
	const console_ = join(TOP, "gateway/console");
	const esbuild = createRequire(join(console_, "x.js"))("esbuild");
	const made = await esbuild.build({ entryPoints: [join(console_, `src/words/${lang}.ts`)], bundle: true, write: false, format: "esm" });
	return (await import(`data:text/javascript;base64,${Buffer.from(made.outputFiles[0].text).toString("base64")}`))[lang];
}

const button = (page, name) => page.getByRole("button", { name, exact: true });

/** Fills the field with this label. */
const fill = (place, label, value) => place.getByLabel(label).first().fill(value);

test("first sign-in of the first operator", async () => {
	const page = await world.page("ja");
	const w = await words("ja");
	const { account, password } = world.gateway.made.operator;
	await world.goto(page);
	await fill(page, w.sign_in.account, account);
	await fill(page, w.sign_in.password, "wrong password");
	await button(page, w.sign_in.submit).click();
	await page.locator(".problem").waitFor();
	assert.match(await page.locator(".problem").textContent(), /PASSWORD_WRONG/);
	await fill(page, w.sign_in.password, password);
	await page.keyboard.press("Enter");
	await page.getByText(w.sign_in.new_password_title).waitFor();
	await world.shot(page, "new_password-ja-desk");
	await world.axe(page, "new password");
	await world.fits(page, "new password");
	await fill(page, w.sign_in.old_password, password);
	await page.getByLabel(w.sign_in.new_password, { exact: true }).fill("short");
	await page.getByLabel(w.sign_in.repeat_password).fill("other");
	await button(page, w.sign_in.change_password).click();
	await page.getByText(w.field.differs).waitFor();
	await page.getByLabel(w.sign_in.repeat_password).fill("short");
	await button(page, w.sign_in.change_password).click();
	await page.locator(".problem, .field-error").first().waitFor();
	const good = "Quiet rivers, green tea 88";
	await page.getByLabel(w.sign_in.new_password, { exact: true }).fill(good);
	await page.getByLabel(w.sign_in.repeat_password).fill(good);
	await button(page, w.sign_in.change_password).click();
	await page.getByRole("heading", { name: w.overview.title, exact: true }).waitFor();
	await page.reload();
	await page.getByRole("heading", { name: w.overview.title, exact: true }).waitFor();
	await page.locator(".account > button").click();
	await button(page, w.shell.sign_out).click();
	await button(page, w.sign_in.submit).waitFor();
	await page.reload();
	await button(page, w.sign_in.submit).waitFor();
});

test("one-time codes are set up by whom the company asks, and recovery codes work once", async () => {
	const page = await world.page("ja");
	const w = await words("ja");
	await world.gateway.good("POST", "/tenants", { id: "strict", name: "厳格商事" });
	await world.gateway.good("PATCH", "/security?tenant=strict", { totp_required: true });
	const account = await world.account("codes", ["admin"], "strict");
	await world.goto(page);
	await fill(page, w.sign_in.account, account.name);
	await fill(page, w.sign_in.password, account.password);
	await button(page, w.sign_in.submit).click();
	await page.getByText(w.sign_in.new_password_title).waitFor();
	const good = "another Long password 77";
	await fill(page, w.sign_in.old_password, account.password);
	await page.getByLabel(w.sign_in.new_password, { exact: true }).fill(good);
	await page.getByLabel(w.sign_in.repeat_password).fill(good);
	await button(page, w.sign_in.change_password).click();
	await page.getByText(w.sign_in.totp_title).waitFor();
	await page.locator("svg.qr").waitFor();
	await world.shot(page, "totp-ja-desk");
	await world.axe(page, "totp");
	assert.ok((await page.locator("svg.qr path").getAttribute("d")).length > 1000, "the QR code is empty");
	const secret = await page.locator(".copy-line code").textContent();
	await fill(page, w.sign_in.totp_code, "000000");
	await button(page, w.sign_in.totp_confirm).click();
	await page.locator(".problem").waitFor();
	await fill(page, w.sign_in.totp_code, codeOf(secret));
	await button(page, w.sign_in.totp_confirm).click();
	await page.getByText(w.sign_in.recovery_lead).waitFor();
	await world.shot(page, "recovery-ja-desk");
	const codes = await page.locator(".codes li").allTextContents();
	assert.equal(codes.length, 10);
	await button(page, w.act.saved_it).click();
	await page.locator("nav.menu").waitFor();

	for (const expected of ["nav.menu", ".problem"]) {
		const other = await world.page("ja");
		await world.goto(other);
		await fill(other, w.sign_in.account, account.name);
		await fill(other, w.sign_in.password, good);
		await button(other, w.sign_in.submit).click();
		await button(other, w.sign_in.recovery).click();
		await fill(other, w.sign_in.recovery_code, codes[3]);
		await button(other, w.sign_in.submit).click();
		await other.locator(expected).first().waitFor();
	}
});

for (const lang of ["ja", "en"])
	test(`a day's work: ${lang}`, async () => {
		const w = await words(lang);
		const l = w.licenses;
		const page = await world.page(lang);
		const tenant = `day-${lang}`;
		await world.gateway.good("POST", "/tenants", { id: tenant, name: tenant });
		const account = await world.account(`day-${lang}`, ["admin"], tenant);
		await world.signIn(page, account);
		if (lang === "en") {
			await page.locator(".account > button").click();
			await page.getByRole("button", { name: "English" }).click();
			await page.keyboard.press("Escape");
		}
		await page.getByRole("link", { name: w.pages.licenses, exact: true }).click();
		await page.getByText(w.state.empty).waitFor();
		await world.shot(page, `licenses_empty-${lang}-desk`);

		// A license, whose secrets are shown once.
		await button(page, l.create).click();
		const dialog = page.locator("dialog[open]");
		await button(dialog, w.act.create).click();
		await dialog.getByText(w.field.needed).waitFor();
		await fill(dialog, l.holder, "佐藤 花子");
		await fill(dialog, l.group, "営業");
		await fill(dialog, l.labels, "site=東京\nfloor=3");
		await world.shot(page, `license_create-${lang}-desk`);
		await world.axe(page, "create");
		await button(dialog, w.act.create).click();
		await page.getByText(l.created_title).waitFor();
		const secrets = await dialog.locator(".copy-line code").allTextContents();
		assert.equal(secrets.length, 2);
		await page.keyboard.press("Escape");
		assert.ok(await dialog.isVisible(), "Esc would lose the key");
		await dialog.getByRole("button", { name: `${w.act.copy}: ${w.secret.key}` }).click();
		await until("the key to be copied", async () => (await page.evaluate(() => navigator.clipboard.readText())) === secrets[0]);
		await world.shot(page, `license_created-${lang}-desk`);
		await button(dialog, w.act.saved_it).click();
		await page.getByRole("link", { name: "佐藤 花子" }).waitFor();
		assert.ok(!(await page.content()).includes(secrets[0]));

		// What another does appears by itself.
		const other = await world.gateway.good("POST", "/licenses", { holder: "鈴木 一郎", tenant });
		await page.getByRole("link", { name: "鈴木 一郎" }).waitFor();
		await world.gateway.good("PATCH", `/licenses/${other.id}`, { state: "disabled" });
		await page.locator(".row", { hasText: "鈴木 一郎" }).getByText(w.state.disabled).waitFor();

		// A file with errors changes nothing; its good lines can be taken.
		await button(page, l.import).click();
		const csv = "holder,group,expires\n高橋 健太,開発,2030-01-01\n,開発,\n田中 美咲,開発,soon\n伊藤 さくら,総務,\n";
		await dialog.locator("input[type=file]").setInputFiles({ name: "people.csv", mimeType: "text/csv", buffer: Buffer.from(csv) });
		await button(dialog, l.import_check).click();
		await dialog.locator(".table .row").nth(2).waitFor();
		assert.equal(await dialog.locator(".table-body .row").count(), 2);
		await world.shot(page, `license_import-${lang}-desk`);
		await world.axe(page, "import");
		await button(dialog, l.import_only_good).click();
		await button(page, l.import_save).waitFor();
		const coming = page.waitForEvent("download");
		await button(page, l.import_save).click();
		const saved = readFileSync(await (await coming).path(), "utf8");
		assert.equal(saved.trim().split("\n").length, 3, saved);
		await button(dialog, w.act.saved_it).click();
		await page.getByRole("link", { name: "伊藤 さくら" }).waitFor();

		// Filters are the gateway's.
		await page.getByLabel(l.search).fill("さくら");
		await until("one row", async () => (await page.locator(".table-body .row").count()) === 1);
		await button(page, w.act.clear).click();
		await until("all rows", async () => (await page.locator(".table-body .row").count()) === 4);

		// Several at once.
		await page.getByRole("checkbox", { name: w.act.select_all, exact: true }).check();
		await page.locator(".bulk").getByRole("button", { name: w.act.disable, exact: true }).click();
		assert.match(await dialog.textContent(), /佐藤 花子/);
		await world.shot(page, `license_bulk-${lang}-desk`);
		await button(dialog, w.act.disable).click();
		await until("all to be disabled", async () => (await page.locator(".row .badge.bad").count()) === 4);

		// One license; the confirmation names it, and the focus comes back.
		await page.getByRole("link", { name: "佐藤 花子" }).click();
		await page.getByRole("heading", { name: "佐藤 花子" }).waitFor();
		await button(page, w.act.enable).click();
		await button(page, w.act.disable).click();
		assert.match(await dialog.textContent(), /佐藤 花子/);
		await page.keyboard.press("Escape");
		await until("the focus to be back", async () => (await page.evaluate(() => document.activeElement?.textContent)) === w.act.disable);

		await expiredSignIn(page, w, account);
		await confirmation(page, w, account);
		await page.getByRole("heading", { name: l.title, exact: true }).waitFor();
		await until("the license to be gone", async () => (await page.getByRole("link", { name: "佐藤 華子" }).count()) === 0);
	});

/** The sign-in ends while somebody types: he goes on where he was. */
async function expiredSignIn(page, w, account) {
	const l = w.licenses;
	await button(page, l.edit).click();
	const dialog = page.locator("dialog[open]").first();
	await fill(dialog, l.holder, "佐藤 華子");
	await world.gateway.good("DELETE", `/accounts/${account.name}/sign-ins`);
	// The page may find out by itself before this click; then the gate lies over the button, and the click comes after it.
	const saved = button(dialog, w.act.save).click();
	const gate = page.locator("dialog[open]", { hasText: w.gate.expired_text });
	await gate.waitFor();
	await world.shot(page, `expired-${await page.evaluate(() => document.documentElement.lang)}-desk`);
	await gate.getByLabel(w.gate.password).fill(account.password);
	await button(gate, w.sign_in.submit).click();
	await saved;
	await page.getByRole("heading", { name: "佐藤 華子" }).waitFor();
}

/** The gateway asks again who it is: said once here, by the gateway's own words. */
async function confirmation(page, w, account) {
	let asked = false;
	await page.route("**/api/v1/licenses/*", async (route) => {
		if (asked || route.request().method() !== "DELETE") return route.continue();
		asked = true;
		return route.fulfill({ status: 403, contentType: "application/problem+json", body: JSON.stringify({ status: 403, code: "STEP_UP_NEEDED", message: "-", hint: "" }) });
	});
	await button(page, w.act.delete).click();
	await page.locator("dialog[open]").getByRole("button", { name: w.act.delete, exact: true }).click();
	const gate = page.locator("dialog[open]", { hasText: w.gate.step_up_text });
	await gate.waitFor();
	await world.shot(page, `step_up-${await page.evaluate(() => document.documentElement.lang)}-desk`);
	await gate.getByLabel(w.gate.password).fill("not it");
	await button(gate, w.gate.confirm).click();
	await gate.locator(".problem").waitFor();
	await gate.getByLabel(w.gate.password).fill(account.password);
	await button(gate, w.gate.confirm).click();
	await gate.waitFor({ state: "detached" });
	await page.unroute("**/api/v1/licenses/*");
	assert.ok(asked);
}

test("the gateway goes away and comes back", async () => {
	const w = await words("ja");
	const page = await world.page("ja");
	await world.signIn(page, await world.account("patient"));
	await world.show(page, "#/licenses");
	const { admin } = world.gateway;
	await world.gateway.stop();
	await page.getByText(w.shell.line_broken).waitFor();
	await world.shot(page, "broken-ja-desk");
	await button(page, w.licenses.create).click();
	await fill(page.locator("dialog[open]"), w.licenses.holder, "待つ人");
	await button(page.locator("dialog[open]"), w.act.create).click();
	await page.getByText(w.problem.unreachable, { exact: true }).waitFor();
	await world.gateway.start(admin);
	await button(page.locator("dialog[open]"), w.act.create).click();
	await page.getByText(w.licenses.created_title).waitFor();
	await button(page.locator("dialog[open]"), w.act.saved_it).click();
	await page.getByText(w.shell.line_broken).waitFor({ state: "detached" });
	await page.getByRole("link", { name: "待つ人" }).waitFor();
});

test("what a role may not is not shown", async () => {
	const w = await words("ja");
	const page = await world.page("ja");
	await world.gateway.good("POST", "/tenants", { id: "quiet", name: "静か" });
	await world.gateway.good("POST", "/licenses", { holder: "見るだけ", tenant: "quiet" });
	await world.signIn(page, await world.account("looker", ["auditor"], "quiet"));
	await world.show(page, "#/licenses");
	await page.getByRole("link", { name: "見るだけ" }).waitFor();
	assert.equal(await button(page, w.licenses.create).count(), 0);
	assert.equal(await page.getByRole("checkbox").count(), 0);
	await page.getByRole("link", { name: "見るだけ" }).click();
	await page.getByRole("heading", { name: "見るだけ" }).waitFor();
	assert.equal(await button(page, w.act.delete).count(), 0);
	await world.show(page, "#/nothing");
	await page.getByText(w.shell.missing, { exact: true }).waitFor();
	await world.shot(page, "missing-ja-desk");
});

test("an address without a page", async () => {
	const page = await world.page("ja");
	const answer = await page.goto(`${world.gateway.origin}/nothing/here`);
	assert.equal(answer.status(), 404);
	assert.match(answer.headers()["content-type"], /text\/html/);
	await world.axe(page, "missing");
	await page.screenshot({ path: join(SHOTS, "nothing-ja-desk.png") });
	for (const path of ["/", "/nothing/here"]) {
		const { headers } = await page.request.fetch(`${world.gateway.origin}${path}`, { method: "HEAD", headers: { Accept: "text/html" } }).then((got) => ({ headers: got.headers() }));
		assert.match(headers["content-security-policy"], /default-src 'none'; script-src 'self'; style-src 'self';/);
		assert.match(headers["content-security-policy"], /require-trusted-types-for 'script'/);
		assert.equal(headers["x-content-type-options"], "nosniff");
		assert.equal(headers["x-frame-options"], "DENY");
		assert.equal(headers["referrer-policy"], "no-referrer");
		assert.match(headers["strict-transport-security"], /max-age=\d{8}/);
	}
	const api = await world.gateway.rest("GET", "/nothing", undefined, { Accept: "text/html" });
	assert.equal(JSON.parse(api.text).code, "NOT_FOUND");
});
