// Keys that a browser, a phone or a foreign keyboard makes hard, sizes and screens of the office: seen from the
// office's side.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { takeInHand } from "./viewer_hand.mjs";
import { openViewer, PHONE_VIEW, until } from "./viewer_world.mjs";

let world;
let hand;
let keys;
before(async () => {
	world = await openViewer();
	await world.desktop.run("setxkbmap", "jp");
	await world.host.stop();
	await world.desktop.run("xrandr", "--setmonitor", "left", "512/130x768/200+0+0", "screen");
	await world.desktop.run("xrandr", "--setmonitor", "right", "512/130x768/200+512+0", "none");
	await world.host.start(world.desktop);
	hand = await takeInHand(world, "ja");
	await hand.page.evaluate(() => {
		const watch = new MutationObserver(() => {
			if (!document.querySelector('main.session[data-line="live"][data-picture="whole"]')) return;
			watch.disconnect();
			window.focusedAtFirst = document.activeElement.className;
		});
		watch.observe(document.body, { attributes: true, childList: true, subtree: true });
	});
	await hand.pair();
	await hand.live();
	keys = world.desktop.start("xev", "-name", "keys", "-event", "keyboard");
	await world.desktop.focus("--name", "keys");
});
after(async () => world?.end());

/** What the office has seen since: "+Control_L +c -c -Control_L". */
async function seen(expected, act) {
	const from = keys.output.length;
	const said = () =>
		[...keys.output.slice(from).matchAll(/Key(Press|Release) event[\s\S]*?keysym 0x\w+, (\w+)\)/g)]
			.map(([, kind, name]) => (kind === "Press" ? "+" : "-") + name)
			.join(" ");
	await act();
	await until(expected, () => said() === expected).catch(() => undefined);
	assert.equal(said(), expected);
}

test("the first key that is struck when the picture appears is the office's", async () => {
	assert.equal(await hand.page.evaluate(() => window.focusedAtFirst), "typing");
});

test("the keys of a Japanese keyboard are themselves at the office", async () => {
	const tap = (name) => `+${name} -${name}`;
	await seen(tap("Zenkaku_Hankaku"), () => hand.press("ZenkakuHankaku", "Backquote"));
	await seen(tap("Henkan_Mode"), () => hand.press("Convert", "Convert"));
	await seen(tap("Muhenkan"), () => hand.press("NonConvert", "NonConvert"));
	await seen(tap("Hiragana_Katakana"), () => hand.press("KanaMode", "KanaMode"));
	await seen(tap("backslash"), () => hand.press("\\", "IntlRo", { text: "\\" }));
	await seen(tap("yen"), () => hand.press("¥", "IntlYen", { text: "¥" }));
});

test("modifiers go with their key, and are up when the session is looked away from", async () => {
	const { page } = hand;
	await seen("+Control_L +a -a -Control_L", () => page.keyboard.press("Control+a"));
	await seen("+Alt_L +x -x -Alt_L", () => page.keyboard.press("Alt+x"));
	await seen("+Shift_L -Shift_L", async () => {
		await page.keyboard.down("Shift");
		await page.evaluate(() => document.querySelector(".typing").blur());
		await page.keyboard.up("Shift");
	});
	await page.evaluate(() => document.querySelector(".typing").focus());
});

test("keys of the screen: a modifier waits for the next one, and Ctrl-Alt-Del", async () => {
	const { page, w } = hand;
	await page.getByRole("toolbar").getByRole("button", { name: w.session.keys }).click();
	const bar = page.getByLabel(w.session.keys, { exact: true }).last();
	const touch = (name) => bar.getByRole("button", { name, exact: true }).click();
	await seen("+Control_L +Escape -Escape -Control_L", async () => {
		await touch("Ctrl");
		await touch("Esc");
	});
	await seen("+Control_L +Alt_L +Delete -Delete -Alt_L -Control_L", () => touch("Ctrl+Alt+Del"));
	await seen("+Zenkaku_Hankaku -Zenkaku_Hankaku", () => touch("半角/全角"));
	assert.equal(await bar.getByRole("button", { name: "Ctrl", exact: true }).getAttribute("aria-pressed"), "false");
	await world.axe(page, "viewer keys");
	await world.shot(page, "viewer-keys-ja-desk");
	await page.getByRole("toolbar").getByRole("button", { name: w.session.keys }).click();
});

test("sizes, figures and one of several screens", async () => {
	const { page, w } = hand;
	const canvas = page.locator(".layer canvas").first();
	const shown = () => canvas.evaluate((element) => [element.width, element.height, Math.round(element.getBoundingClientRect().width)]);
	await page.getByRole("toolbar").getByRole("button", { name: w.session.actual }).click();
	await until("the actual size", async () => String(await shown()) === "1024,768,1024");
	await page.getByRole("toolbar").getByRole("button", { name: w.session.fit }).click();
	await until("the size of the window", async () => (await shown())[2] > 1024);
	await page.locator(".bar button.badge").click();
	await page.locator("dl.meter").getByText(w.meter.since).waitFor();
	await world.axe(page, "viewer meter");
	await world.shot(page, "viewer-meter-ja-desk");
	const screens = page.getByLabel(w.session.screens);
	await screens.waitFor();
	await screens.selectOption("2");
	await until("the second screen alone", async () => String((await shown()).slice(0, 2)) === "512,768");
	const box = await canvas.boundingBox();
	await page.mouse.click(box.x + box.width / 2, box.y + box.height / 2);
	await until("the pointer on the second screen", async () => /x:76\d y:38\d/.test(await world.desktop.run("xdotool", "getmouselocation")));
	await world.shot(page, "viewer-screen-ja-desk");
	// Keys are the office's again after each choice in the bar.
	assert.equal(await page.evaluate(() => document.activeElement.className), "typing");
	// A screen that is taken away and one that is added are noticed while one looks.
	await world.desktop.run("xrandr", "--delmonitor", "right");
	await until("the whole desktop", async () => (await shown())[0] === 1024);
	await screens.waitFor({ state: "detached" });
	await world.desktop.run("xrandr", "--setmonitor", "right", "256/65x768/200+512+0", "none");
	await screens.waitFor();
	await screens.selectOption("2");
	await until("the new screen alone", async () => String((await shown()).slice(0, 2)) === "256,768");
	await hand.leave();
});

test("a phone: the picture fits, a finger clicks, everything is in reach", async () => {
	const phone = await takeInHand(world, "ja", PHONE_VIEW);
	const { page, w } = phone;
	await phone.pair();
	await phone.live();
	await page.getByRole("toolbar").getByRole("button", { name: w.session.keys }).click();
	await world.fits(page, "viewer on a phone");
	await world.axe(page, "viewer on a phone");
	await world.shot(page, "viewer-live-ja-phone");
	const box = await page.locator(".layer canvas").first().boundingBox();
	await page.touchscreen.tap(box.x + box.width / 4, box.y + box.height / 4);
	await until("the finger at the office", async () => /x:25\d y:19\d/.test(await world.desktop.run("xdotool", "getmouselocation")));
	await phone.leave();
});
