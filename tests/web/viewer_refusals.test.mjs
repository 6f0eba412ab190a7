// Every refusal that an employee can meet says the same in the browser as in the native viewer: reason.def's words
// and what to do, in both languages; and the way back is open.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { reasonTexts, takeInHand } from "./viewer_hand.mjs";
import { Host, openViewer, PHONE_VIEW, until } from "./viewer_world.mjs";
import { codeOf } from "./world.mjs";

const DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/** A code with another secret, well formed: nothing but the host can tell. */
function wrongTicket(code) {
	const times = (value) => (value & 16 ? ((value << 1) & 31) ^ 5 : value << 1);
	const values = [...code.replace(/-/g, "")].map((char) => DIGITS.indexOf(char));
	values[20] ^= 1;
	values[24] = times(values.slice(0, 24).reduce((sum, value) => times(sum) ^ value, 0));
	return values.map((value) => DIGITS[value]).join("");
}

let world;
let ja;
let en;
before(async () => {
	world = await openViewer();
});
after(async () => world?.end());

const YES = 0.25;
const NO = 0.75;
const END = 0.93;

/** A button at the foot of the question or of the sign, so far from its left, until the page shows what comes of it. */
async function pressAtOffice(desktop, share, page, selector) {
	// Looked for anew each time: the question goes, and the sign comes.
	const press = async () => {
		const id = (await desktop.run("xdotool", "search", "--onlyvisible", "--name", "^engawa$")).trim().split("\n").pop();
		const text = await desktop.run("xdotool", "getwindowgeometry", "--shell", id);
		const at = Object.fromEntries([...text.matchAll(/(X|Y|WIDTH|HEIGHT)=(\d+)/g)].map(([, name, value]) => [name, Number(value)]));
		await desktop.run("xdotool", "mousemove", String(at.X + Math.floor(at.WIDTH * share)), String(at.Y + at.HEIGHT - 6), "click", "1");
	};
	await until("the answer", async () => {
		await press();
		await new Promise((resolve) => setTimeout(resolve, 200));
		return page.locator(selector).count();
	});
}

async function connectsAgain(hand) {
	await hand.connect();
	await hand.live();
	await hand.leave();
}

test("pairing: a wrong password, an unknown license, a wrong code, a used one; what was typed stays", async () => {
	ja = await takeInHand(world, "ja");
	const { page, w } = ja;
	const code = await world.ticket();
	await ja.pair({ code, password: "wrong" });
	await ja.refused("PASSWORD_WRONG");
	assert.equal(await ja.field(w.add.ticket).inputValue(), code);
	await world.shot(page, "viewer-wrong-password-ja-desk");
	await world.axe(page, "viewer refused");
	await ja.pair({ code });
	await ja.live();
	await ja.leave();
	await ja.button(w.act.add).click();
	await ja.pair({ code });
	await ja.refused("TICKET_USED");
	const { key } = world.license;
	await ja.pair({ code, key: key.slice(0, -1) + (key.endsWith("0") ? "1" : "0") });
	await ja.refused("LICENSE_UNKNOWN");
	await ja.pair({ code: wrongTicket(await world.ticket()) });
	await ja.refused("TICKET_WRONG");
	await ja.button(w.act.cancel).click();
	await connectsAgain(ja);
});

test("a mistyped password is asked for again where it was typed", async () => {
	const { page, w } = ja;
	await page.reload();
	await ja.connect("mistyped");
	await ja.refused("PASSWORD_WRONG");
	await ja.field(w.password.label).fill(world.license.password);
	await world.axe(page, "viewer password");
	await world.shot(page, "viewer-password-ja-desk");
	await ja.button(w.act.connect).click();
	await ja.live();
});

test("somebody else is connected; then an administrator ends that, too", async () => {
	await ja.leave();
	en = await takeInHand(world, "en", PHONE_VIEW);
	await en.pair();
	await en.live();
	await world.shot(en.page, "viewer-live-en-phone");
	await ja.connect();
	await ja.refused("LICENSE_IN_USE");
	assert.match(await ja.page.locator(".problem-code").innerText(), /web viewer, since \d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d$/);
	await ja.page.getByText(ja.w.list.state.in_use, { exact: false }).first().waitFor();
	await world.shot(ja.page, "viewer-in-use-ja-desk");
	await world.gateway.good("DELETE", `/sessions/${world.license.id}`);
	await en.refused("ADMIN_DISCONNECT");
	const name = await en.page.locator(".place-head h2").innerText();
	assert.ok((await en.page.locator(".problem-title").innerText()).includes(name), name);
	await world.fits(en.page, "viewer list on a phone");
	await world.shot(en.page, "viewer-ended-en-phone");
	await connectsAgain(ja);
});

test("the office's own rules: no browsers, a look only, a person who is asked, and who ends it", async () => {
	const { page, w } = ja;
	world.host.veto("[session]\nviewers = native\n");
	await ja.connect();
	await ja.refused("VETO");
	world.host.veto("[session]\nview_only = yes\n");
	await ja.connect();
	await ja.live();
	await page.locator(".bar").getByText(w.session.view_only, { exact: true }).waitFor();
	await world.shot(page, "viewer-view-only-ja-desk");
	await ja.leave();
	world.host.veto("[session]\nconsent = yes\n");
	await ja.connect();
	await page.getByText(w.line.waiting).waitFor();
	await world.shot(page, "viewer-waiting-ja-desk");
	await pressAtOffice(world.desktop, NO, page, ".problem");
	await ja.refused("CONSENT_REFUSED");
	await ja.connect();
	await page.getByText(w.line.waiting).waitFor();
	await pressAtOffice(world.desktop, YES, page, 'main.session[data-line="live"]');
	await ja.live();
	await pressAtOffice(world.desktop, END, page, ".problem");
	await ja.refused("HOST_ENDED");
	await world.shot(page, "viewer-ended-by-office-ja-desk");
	world.host.veto("");
	await connectsAgain(ja);
});

test("the company's rules: no browsers, a one-time code, a disabled license", async () => {
	const { page, w } = ja;
	const license = `/licenses/${world.license.id}`;
	await world.gateway.good("PATCH", license, { policy: { viewer_kinds: ["native"] } });
	await ja.connect();
	await ja.refused("POLICY");
	await world.gateway.good("PATCH", license, { policy: {} });
	const { secret } = await world.gateway.good("POST", `${license}/totp`);
	await world.gateway.good("POST", `${license}/totp/confirm`, { code: codeOf(secret) });
	await ja.connect();
	await page.getByText(w.totp.title).waitFor();
	await world.shot(page, "viewer-totp-ja-desk");
	await world.axe(page, "viewer totp");
	await ja.field(w.totp.label).fill("000000");
	await ja.button(w.totp.go).click();
	await page.getByText((await reasonTexts("ja")).TOTP_WRONG.message).waitFor();
	// The present code confirmed the secret, and each counts once.
	await ja.field(w.totp.label).fill(codeOf(secret, Date.now() + 30_000));
	await ja.button(w.totp.go).click();
	await ja.live();
	await world.gateway.good("PATCH", license, { state: "disabled" });
	await ja.refused("LICENSE_DISABLED");
	await world.gateway.good("PATCH", license, { state: "enabled" });
	await world.gateway.good("DELETE", `${license}/totp`);
	await world.host.online();
	await connectsAgain(ja);
});

test("the office PC forgot this browser, is away, came back with another key", async () => {
	const { page, w } = ja;
	const rows = JSON.parse(world.host.tell("peers", "list", "--json"));
	for (const { id } of rows) world.host.tell("peers", "remove", id);
	await ja.connect();
	await ja.refused("DEVICE_REVOKED");
	await world.host.stop();
	await until("the host to be away", async () => !(await world.gateway.good("GET", "/hosts")).items.some((row) => row.online));
	await ja.connect();
	await ja.refused("HOST_OFFLINE");
	await page.getByText(w.list.state.offline, { exact: false }).first().waitFor();
	await world.shot(page, "viewer-offline-ja-desk");
	await world.gateway.good("POST", `/licenses/${world.license.id}/unbind`);
	world.host = await new Host(world.folder, world.gateway, world.license, "another").enroll().start(world.desktop);
	await ja.connect();
	await ja.refused("HOST_KEY_CHANGED");
	await world.shot(page, "viewer-key-changed-ja-desk");
	// Paired again on purpose, it is a PC like others.
	await page.getByText(w.act.more).click();
	await ja.button(w.act.pair_again).click();
	await ja.pair();
	await ja.live();
	await ja.leave();
});
