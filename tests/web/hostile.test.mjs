// Names that would like to be something else: HTML, scripts, formulas, control and direction characters.
// They appear as text on every page that shows them, and nothing of them runs.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { open } from "./world.mjs";

const NAMES = [
	"<script>alert(1)</script>",
	"<img src=x onerror=alert(2)>",
	'"><svg onload=alert(3)>',
	"'><iframe srcdoc='<script>alert(4)</script>'>",
	"javascript:alert(5)",
	"<a href=javascript:alert(6)>x</a>",
	"</title><script>alert(7)</script>",
	"</textarea><script>alert(8)</script>",
	"<details open ontoggle=alert(9)>",
	"<math><mtext><table><mglyph><style><img src=x onerror=alert(10)>",
	"{{constructor.constructor('alert(11)')()}}",
	"${alert(12)}",
	"&lt;b&gt;not bold&lt;/b&gt;",
	"<b>not bold</b>",
	"=HYPERLINK(\"http://example.com\",\"x\")",
	"+1+cmd|' /C calc'!A0",
	"@SUM(1+1)*cmd",
	"-2+3",
	"名前 𠮷野家 👨👩👧",
	"مرحبا بالعالم",
	"a".repeat(250),
	"{id} {holder} {count} {n|a|b}",
	"%s%n%x",
	"../../etc/passwd",
	"#/licenses/../settings",
	"constructor",
	"__proto__",
	"toString",
];

let world;
const made = [];

before(async () => {
	world = await open();
	await world.gateway.good("POST", "/tenants", { id: "evil", name: NAMES[0] });
	for (const [n, name] of NAMES.entries()) {
		const license = await world.gateway.good("POST", "/licenses", { holder: name, tenant: "evil", note: name, group: name.slice(0, 60), labels: { [`l${n}`]: name.slice(0, 120) } });
		made.push({ id: license.id, name });
	}
});

after(async () => world?.end());

test("what has no shape is refused", async () => {
	for (const holder of ["a\u0000b", "a\u001b[31mred", "a\r\nb", "\u202eevil", ""]) {
		const answer = await world.gateway.rest("POST", "/licenses", { holder, tenant: "evil" });
		assert.equal(answer.status, 400, `${JSON.stringify(holder)}: ${answer.text}`);
	}
});

for (const lang of ["ja", "en"])
	test(`hostile names are text: ${lang}`, async () => {
		const page = await world.page(lang);
		await world.signIn(page, await world.account(`watch-${lang}`, ["operator"], "", NAMES[1]));
		await world.show(page, "#/licenses?tenant=evil");
		const shown = await page.locator(".table-body .row a").allTextContents();
		for (const { name } of made) assert.ok(shown.includes(name), `${name} is not shown as it is`);
		await world.fits(page, "hostile licenses");
		await world.shot(page, `hostile-${lang}-desk`);
		for (const { id, name } of made) {
			await world.show(page, `#/licenses/${id}`);
			await page.getByRole("heading", { level: 1 }).filter({ hasText: name }).waitFor();
			assert.ok((await page.title()).startsWith(name));
			await world.fits(page, name);
			assert.equal(await page.locator("main script, main iframe, main img, main svg:not([viewBox]), main style").count(), 0);
		}
		// In confirmations and in windows, too.
		await page.locator(".page-head .button.danger").click();
		assert.match(await page.locator("dialog[open]").textContent(), /toString/);
		await page.keyboard.press("Escape");
		await page.locator(".page-head .button.main").click();
		assert.equal(await page.locator("dialog[open] input").first().inputValue(), "toString");
		await page.keyboard.press("Escape");
		for (const hash of ["#/overview", "#/hosts", "#/sessions", `#/licenses?q=${encodeURIComponent(NAMES[1])}`, `#/${encodeURIComponent(NAMES[0])}`]) {
			await world.show(page, hash);
			assert.equal(await page.locator("main script, main iframe, main img").count(), 0);
		}
		assert.deepEqual(await page.evaluate(() => window.__ran), []);
	});

test("the policy would stop what slipped through", async () => {
	const page = await world.page("ja");
	await world.signIn(page, await world.account("prober"));
	const stopped = await page.evaluate(async () => {
		const seen = [];
		addEventListener("securitypolicyviolation", (event) => {
			seen.push(event.violatedDirective);
		});
		try {
			document.body.innerHTML = "<img src=x onerror=alert(1)>";
		} catch (error) {
			seen.push(error.name);
		}
		const script = document.createElement("img");
		script.src = "https://example.com/x.png";
		document.body.append(script);
		await new Promise((resolve) => setTimeout(resolve, 300));
		return seen;
	});
	assert.ok(stopped.includes("TypeError"), String(stopped));
	assert.ok(stopped.some((directive) => directive.startsWith("img-src")), String(stopped));
	// These were ours.
	world.faults = world.faults.filter((fault) => !/CSP|example\.com|TrustedHTML|Content Security Policy/.test(fault));
});
