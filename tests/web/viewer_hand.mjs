// viewer_hand: an employee's hand on the browser viewer's page: finds everything by its words, as a person does.
//
//   const hand = await takeInHand(world, "ja");    an empty profile on the viewer's page
//   await hand.pair();                             by license key, password and a fresh pairing code
//   await hand.live();                             the whole picture is there
//   await hand.compose("にほん", "日本");          an input method writes
//   await hand.press("ZenkakuHankaku", "Backquote");

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { join } from "node:path";

import { PATIENCE, TOP, until } from "./viewer_world.mjs";

/** The page's own words in one language. */
export async function words(lang) {
	const esbuild = createRequire(join(TOP, "viewer/web/none.js"))("esbuild");
	const entry = join(TOP, `viewer/web/page/words/${lang}.ts`);
	const made = await esbuild.build({ entryPoints: [entry], bundle: true, write: false, format: "esm" });
	return (await import(`data:text/javascript;base64,${Buffer.from(made.outputFiles[0].text).toString("base64")}`))[lang];
}

/** The texts of reason.def, as the page and the native viewer have them. */
export async function reasonTexts(lang) {
	const { tables } = await import("../../viewer/web/tables.mjs");
	const text = tables(TOP).match(/export const reasons = (.*) as const;/)[1];
	const from = lang === "ja" ? 4 : 2;
	return Object.fromEntries(JSON.parse(text).map((row) => [row[1], { message: row[from], hint: row[from + 1] }]));
}

class Hand {
	constructor(world, page, lang) {
		Object.assign(this, { world, page, lang });
	}

	async begin(at) {
		this.w = await words(this.lang);
		this.at = at ?? this.world.home;
		await this.world.visit(this.page, at);
		this.cdp = await this.page.context().newCDPSession(this.page);
		return this;
	}

	button(name, exact = true) {
		return this.page.getByRole("button", { name, exact });
	}

	field(label) {
		return this.page.getByLabel(label, { exact: true });
	}

	async fillPairing({ key = this.world.license.key, password = this.world.license.password, code } = {}) {
		await this.field(this.w.add.key).fill(key);
		await this.field(this.w.add.password).fill(password);
		await this.field(this.w.add.ticket).fill(code ?? (await this.world.ticket()));
	}

	async pair(what) {
		await this.fillPairing(what);
		await this.button(this.w.act.pair).click();
	}

	/** From the list, by its one button; the password is asked for when this page does not know it. */
	async connect(password) {
		await this.page.locator(".place-head .button.main").click();
		if (password === undefined) return;
		await this.field(this.w.password.label).fill(password);
		await this.button(this.w.act.connect).click();
	}

	async live() {
		await this.page.locator('main.session[data-line="live"][data-picture="whole"]').waitFor().catch(async (error) => {
			const text = await this.page.locator("body").innerText();
			throw new Error(`no picture: ${text}\n${this.world.host?.program?.output.slice(-2000)}`, { cause: error });
		});
	}

	async leave() {
		await this.page.getByRole("toolbar").getByRole("button", { name: this.w.session.leave }).click();
		await this.page.locator("main.session").waitFor({ state: "detached" });
	}

	/** This refusal is shown, in the words of reason.def. */
	async refused(why) {
		const box = this.page.locator(`.problem[data-why="${why}"]`);
		await box.waitFor().catch(async () => assert.fail(`no ${why}: ${await this.page.locator("body").innerText()}`));
		const said = await box.innerText();
		const { message, hint } = (await reasonTexts(this.lang))[why];
		assert.ok(said.includes(message) && said.includes(hint), `${why}: ${said}`);
	}

	/** An input method writes these, one after the other, and commits the last. */
	async compose(...steps) {
		for (const text of steps)
			await this.cdp.send("Input.imeSetComposition", { text, selectionStart: text.length, selectionEnd: text.length });
		await this.cdp.send("Input.insertText", { text: steps.at(-1) });
	}

	/** A key that playwright has no name for. */
	async press(key, code, { text, modifiers = 0 } = {}) {
		const type = text ? "keyDown" : "rawKeyDown";
		await this.cdp.send("Input.dispatchKeyEvent", { type, key, code, text, modifiers });
		await this.cdp.send("Input.dispatchKeyEvent", { type: "keyUp", key, code, modifiers });
	}

	async typed(read, text) {
		await until(`"${text.slice(0, 60)}" at the office`, () => read().length >= text.length, PATIENCE).catch(() => undefined);
		assert.equal(read(), text);
	}
}

export async function takeInHand(world, lang, { at, ...options } = {}) {
	return new Hand(world, await world.page(lang, options), lang).begin(at);
}
