// The console while people work: an office PC comes and goes, a session appears by itself, is thrown out
// from the page, and leaves its bytes in the chart. Real host, real viewer.

import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { BUILD, open, PHONE, until } from "./world.mjs";

let world;
let license;
const programs = [];

/** A program of ours in the background. */
function start(name, words) {
	const program = spawn(join(BUILD, "bin", name), words, { stdio: ["ignore", "pipe", "pipe"] });
	program.output = "";
	for (const stream of [program.stdout, program.stderr]) stream.on("data", (piece) => (program.output += piece));
	program.ended = new Promise((resolve) => program.on("exit", resolve));
	programs.push(program);
	return program;
}

async function stop(program) {
	if (program.exitCode !== null) return;
	program.kill("SIGTERM");
	const killer = setTimeout(() => program.kill("SIGKILL"), 20000);
	await program.ended;
	clearTimeout(killer);
}

const run = (name, words) => execFileSync(join(BUILD, "bin", name), words, { encoding: "utf8" });

function freePort() {
	return new Promise((resolve) => {
		const probe = createServer();
		probe.listen(0, "127.0.0.1", () => {
			const { port } = probe.address();
			probe.close(() => resolve(port));
		});
	});
}

let relay;
const host = () => ["--state", join(world.folder, "host")];
const viewer = () => ["--state", join(world.folder, "viewer")];
const startHost = () => start("engawa-host", [...host(), "run", "--test-picture"]);

before(async () => {
	world = await open();
	const { gateway } = world;
	await gateway.good("POST", "/tenants", { id: "acme", name: "アクメ商事" });
	license = await gateway.good("POST", "/licenses", { holder: "佐藤 花子", tenant: "acme", group: "営業" });
	relay = readFileSync(join(gateway.data, "run/listen"), "utf8").trim();
	writeFileSync(join(world.folder, "password"), `${license.password}\n`, { mode: 0o600 });
	run("engawa-host", [...host(), "enroll", "--gateway", relay, "--ca", join(gateway.data, "ca.pem"), "--license", license.key]);
});

after(async () => {
	for (const program of programs.reverse()) await stop(program);
	await world?.end();
});

test("a session is seen, thrown out, and leaves its trace", async () => {
	const ja = JSON.parse(JSON.stringify({ online: "オンライン", offline: "オフライン", kill: "切断" }));
	const page = await world.page("ja");
	await world.signIn(page, await world.account("watcher", ["admin"], "acme", "山田 太郎"));
	await world.show(page, "#/hosts");
	await page.locator(".row", { hasText: "佐藤 花子" }).getByText(ja.offline, { exact: true }).waitFor();

	// The PC comes, and the page says so by itself.
	let pc = startHost();
	await page.locator(".row", { hasText: "佐藤 花子" }).getByText(ja.online, { exact: true }).waitFor();
	await world.show(page, `#/hosts/${license.id}`);
	await page.getByText("オペレーティングシステム").or(page.locator("dt", { hasText: "システム" })).first().waitFor();
	await world.shot(page, "host-ja-desk");
	await world.axe(page, "host");

	const code = await until("the host to give a code", () => {
		try {
			return JSON.parse(run("engawa-host", [...host(), "pair", "--json"])).code;
		} catch {
			return null;
		}
	});
	run("engawa-viewer", [...viewer(), "pair", "--gateway", relay, "--ca", join(world.gateway.data, "ca.pem"), "--license", license.key,
		"--password-file", join(world.folder, "password"), "--code", code, "--name", "office"]);

	await world.show(page, "#/sessions");
	await page.locator(".state").waitFor();
	start("engawa-viewer", [...viewer(), "connect", "--password-file", join(world.folder, "password"), "--listen", `127.0.0.1:${await freePort()}`]);
	await page.locator(".table-body .row", { hasText: "佐藤 花子" }).waitFor();
	await world.shot(page, "sessions_live-ja-desk");
	await world.fits(page, "sessions");
	await world.axe(page, "sessions");
	const phone = await world.page("ja", { viewport: PHONE });
	await world.signIn(phone, await world.account("phone", ["helpdesk"], "acme", "携帯 太郎"));
	await world.show(phone, "#/sessions");
	await phone.getByRole("button", { name: new RegExp(ja.kill) }).waitFor();
	await world.fits(phone, "sessions on a phone");
	await world.shot(phone, "sessions_live-ja-phone");
	await world.show(page, "#/overview");
	await page.locator(".table-body .row", { hasText: "佐藤 花子" }).waitFor();
	await world.shot(page, "overview_live-ja-desk");

	// Thrown out: asked by name, gone on both pages.
	await world.show(page, "#/sessions");
	await page.getByRole("button", { name: new RegExp(ja.kill) }).click();
	const dialog = page.locator("dialog[open]");
	assert.match(await dialog.textContent(), /佐藤 花子/);
	await dialog.getByRole("button", { name: ja.kill, exact: true }).click();
	await page.locator(".state").waitFor();
	await phone.locator(".state").waitFor();
	// Its row comes when both ends have signed what they counted, or have had the time to.
	await until("the row of its end", async () => {
		const rows = await world.gateway.good("GET", "/journal/sessions");
		return rows.items.some((row) => row.reason === "ADMIN_DISCONNECT");
	});

	// The PC leaves.
	await world.show(page, "#/hosts");
	await stop(pc);
	await page.locator(".row", { hasText: "佐藤 花子" }).getByText(ja.offline, { exact: true }).waitFor();
	pc = null;

	// What was carried is in the chart, also as a table.
	await world.show(page, `#/licenses/${license.id}?tab=devices`);
	await page.locator(".table-body .row").first().waitFor();
	await world.shot(page, "license_devices_one-ja-desk");
	await until("the bytes to be summed up", async () => {
		const day = 86400000;
		const range = `from=${new Date(Date.now() - day).toISOString()}&to=${new Date(Date.now() + 3600000).toISOString()}`;
		return (await world.gateway.good("GET", `/usage?license=${license.id}&${range}&step=hour`)).sums.bytes_to_viewer > 0;
	}, 90000);
	await world.show(page, `#/licenses/${license.id}?tab=usage`);
	await page.locator(".chart canvas").waitFor();
	await world.shot(page, "license_usage-ja-desk");
	await world.axe(page, "usage");
	await page.getByRole("button", { name: "表で見る" }).click();
	await page.locator(".chart-table td").first().waitFor();
	await world.axe(page, "usage as a table");
	await page.emulateMedia({ colorScheme: "dark" });
	await world.show(page, "#/overview");
	await page.locator(".chart canvas").waitFor();
	await world.shot(page, "overview_live-ja-dark");
	await world.axe(page, "overview with a chart");
});

test("another company hears nothing of it", async () => {
	const { gateway } = world;
	await gateway.good("POST", "/tenants", { id: "other", name: "他社" });
	const page = await world.page("ja");
	await world.signIn(page, await world.account("stranger", ["admin"], "other"));
	const heard = page.evaluate(
		() =>
			new Promise((resolve) => {
				const lines = [];
				const source = new EventSource("/api/v1/events");
				source.addEventListener("hello", () => lines.push("hello"));
				source.addEventListener("news", (event) => lines.push(event.data));
				setTimeout(() => {
					source.close();
					resolve(lines);
				}, 3000);
			}),
	);
	await page.waitForTimeout(1000);
	await gateway.good("PATCH", `/licenses/${license.id}`, { note: "secret" });
	const own = await gateway.good("POST", "/licenses", { holder: "自社", tenant: "other" });
	const lines = await heard;
	assert.equal(lines[0], "hello");
	assert.ok(lines.some((line) => line.includes(own.id)), String(lines));
	assert.ok(!lines.some((line) => line.includes(license.id) || line.includes("acme")), String(lines));
});
