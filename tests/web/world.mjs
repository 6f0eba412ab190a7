// world: what a test of the console needs: a real gateway in a temporary directory, its REST API with
// the operator's token, a browser, and what is looked at on every page.
//
//   const world = await open();            a gateway and a browser
//   const page = await world.signIn("ja"); a new admin, signed in, first password changed, codes set up
//   await world.axe(page, "licenses");     nothing serious
//   await world.end();                     no CSP violation, no foreign address, no error in the page
//
// Everything ends with the test; screenshots go to BUILD/web-shots/.

import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { createHmac } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { createRequire } from "node:module";

import { chromium } from "playwright-core";

const here = dirname(fileURLToPath(import.meta.url));
export const TOP = join(here, "../..");
export const BUILD = process.env.ENGAWA_BUILD ?? join(TOP, "build");
export const SHOTS = join(BUILD, "web-shots");
const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

export const BROWSER = [
	"--no-sandbox",
	"--disable-gpu",
	"--disable-background-networking",
	"--disable-component-update",
	"--disable-sync",
	"--disable-default-apps",
	"--no-first-run",
];
export const PHONE = { width: 360, height: 740 };
export const DESK = { width: 1280, height: 860 };

/** Upper bounds for a busy machine under ASan, never what is measured. */
export const PATIENCE = Number(process.env.ENGAWA_PATIENCE ?? 40000);

async function until(what, check, ms = PATIENCE) {
	const end = Date.now() + ms;
	for (;;) {
		const value = await check();
		if (value) return value;
		assert.ok(Date.now() < end, `waited in vain for ${what}`);
		await new Promise((resolve) => setTimeout(resolve, 50));
	}
}
export { until };

/** RFC 6238 with the values of every authenticator app. */
export function codeOf(secret, at = Date.now()) {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
	let bits = "";
	for (const letter of secret.replace(/[\s=-]/g, "")) bits += alphabet.indexOf(letter.toUpperCase()).toString(2).padStart(5, "0");
	const key = Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
	const counter = Buffer.alloc(8);
	counter.writeBigUInt64BE(BigInt(Math.floor(at / 30000)));
	const mac = createHmac("sha1", key).update(counter).digest();
	const from = mac[19] & 15;
	return String((mac.readUInt32BE(from) & 0x7fffffff) % 1000000).padStart(6, "0");
}

export class Gateway {
	constructor(folder, name = "gateway") {
		this.data = join(folder, name);
		this.program = null;
		this.output = "";
	}

	init(...options) {
		const out = execFileSync(join(BUILD, "bin/engawa-gateway"), ["init", "--data", this.data, "--json", ...options], { encoding: "utf8" });
		this.made = JSON.parse(out);
		this.token = readFileSync(join(this.data, "admin.token"), "utf8").trim();
		this.ca = readFileSync(join(this.data, "ca.pem"));
		return this;
	}

	async start(admin = "127.0.0.1:0", listen = "127.0.0.1:0", options = []) {
		for (const name of ["admin", "listen"]) rmSync(join(this.data, "run", name), { force: true });
		this.program = spawn(
			join(BUILD, "bin/engawa-gateway"),
			["run", "--data", this.data, "--listen", listen, "--admin-listen", admin, ...options],
			{ stdio: ["ignore", "pipe", "pipe"] },
		);
		for (const stream of [this.program.stdout, this.program.stderr])
			stream.on("data", (piece) => {
				this.output = (this.output + piece).slice(-200000);
			});
		this.ended = new Promise((resolve) => this.program.on("exit", (code, signal) => resolve(code ?? signal)));
		await until("the gateway to serve", () => {
			assert.equal(this.program.exitCode, null, `the gateway ended:\n${this.output}`);
			return ["admin", "listen"].every((name) => existsSync(join(this.data, "run", name)));
		});
		this.address = readFileSync(join(this.data, "run/listen"), "utf8").trim();
		this.admin = readFileSync(join(this.data, "run/admin"), "utf8").trim();
		this.origin = `https://${this.admin}`;
		return this;
	}

	async stop() {
		if (this.program?.exitCode !== null) return;
		this.program.kill("SIGTERM");
		const killer = setTimeout(() => this.program.kill("SIGKILL"), PATIENCE);
		const code = await this.ended;
		clearTimeout(killer);
		assert.equal(code, 0, `the gateway did not end well:\n${this.output.slice(-4000)}`);
	}

	/** {status, headers, body}; a text body is sent as it is. */
	rest(method, path, body, headers = {}) {
		const [host, port] = this.admin.split(/:(?=\d+$)/);
		return new Promise((resolve, reject) => {
			const asked = request(
				{
					host: host.replace(/[[\]]/g, ""),
					port,
					path: `/api/v1${path}`,
					method,
					ca: this.ca,
					headers: {
						Authorization: `Bearer ${this.token}`,
						...(body === undefined ? {} : { "Content-Type": typeof body === "string" ? "text/csv" : "application/json" }),
						...headers,
					},
				},
				(answer) => {
					let text = "";
					answer.setEncoding("utf8");
					answer.on("data", (piece) => (text += piece));
					answer.on("end", () => resolve({ status: answer.statusCode, headers: answer.headers, text }));
				},
			);
			asked.on("error", reject);
			asked.end(body === undefined || typeof body === "string" ? body : JSON.stringify(body));
		});
	}

	/** The same for what must succeed: the parsed answer. */
	async good(method, path, body, headers) {
		const answer = await this.rest(method, path, body, headers);
		assert.ok(answer.status < 300, `${method} ${path}: ${answer.status} ${answer.text}`);
		return answer.text && answer.headers["content-type"]?.includes("json") ? JSON.parse(answer.text) : answer.text;
	}
}

export class World {
	constructor() {
		this.folder = mkdtempSync(join(tmpdir(), "engawa-web-"));
		this.gateway = new Gateway(this.folder);
		this.faults = [];
		/** Where a test sends people besides the gateway. */
		this.visited = [];
		this.contexts = [];
	}

	async begin() {
		mkdirSync(SHOTS, { recursive: true });
		this.gateway.init();
		await this.gateway.start();
		this.browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: BROWSER });
		return this;
	}

	/** What pages may ask. */
	origins() {
		return [this.gateway.origin];
	}

	/** A fresh browser: no cookie, no choice made. What goes wrong in it fails the test at its end. */
	async page(lang, options = {}) {
		const context = await this.browser.newContext({
			ignoreHTTPSErrors: true,
			locale: lang === "ja" ? "ja-JP" : "en-GB",
			timezoneId: "Asia/Tokyo",
			viewport: DESK,
			permissions: ["clipboard-read", "clipboard-write"],
			acceptDownloads: true,
			...options,
		});
		this.contexts.push(context);
		context.setDefaultTimeout(PATIENCE);
		await context.addInitScript(() => {
			document.addEventListener("securitypolicyviolation", (event) => {
				console.error(`CSP ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`);
			});
			window.__ran = [];
			window.alert = (text) => window.__ran.push(String(text));
		});
		context.on("request", (asked) => {
			const url = asked.url();
			const isOf = (starts, address) => starts.some((start) => address.startsWith(start));
			const known = isOf([...this.origins().map((origin) => `${origin}/`), ...this.visited], url) || isOf(this.visited, asked.frame().url());
			if (!known && !/^(data|blob):/.test(url)) this.faults.push(`asked elsewhere: ${url}`);
		});
		const page = await context.newPage();
		page.on("pageerror", (error) => this.faults.push(`error in the page: ${error.stack}`));
		page.on("console", (line) => {
			// Refusals that a test provokes are lines of the browser itself.
			if (line.type() === "error" && !/Failed to load resource/.test(line.text())) this.faults.push(`console: ${line.text()}`);
		});
		return page;
	}

	/** An account with these roles that has passed its first sign-in: {name, password, secret}. */
	async account(name, roles = ["operator"], tenant = "", full_name = "") {
		const made = await this.gateway.good("POST", "/accounts", { name, roles, ...(tenant ? { tenant } : {}), full_name: full_name || name, language: "ja" });
		return { name, password: made.password };
	}

	async goto(page, hash = "") {
		await page.goto(`${this.gateway.origin}/${hash}`);
	}

	/** From the sign-in page to the console, by hand: the first password is changed on the way. */
	async signIn(page, account) {
		await this.goto(page);
		await page.locator('input[autocomplete="username"]').fill(account.name);
		await page.locator('input[autocomplete="current-password"]').fill(account.password);
		await page.locator('button[type="submit"]').click();
		const next = page.locator('input[autocomplete="new-password"], nav.menu, input[autocomplete="one-time-code"]').first();
		await next.waitFor({ state: "attached" });
		if (await page.locator('input[autocomplete="new-password"]').count()) {
			const fresh = `Neues-Wort ${Math.random().toString(36).slice(2)} 7`;
			await page.locator('input[autocomplete="current-password"]').fill(account.password);
			for (const field of await page.locator('input[autocomplete="new-password"]').all()) await field.fill(fresh);
			await page.locator('button[type="submit"]').click();
			account.password = fresh;
		} else if (account.secret && (await page.locator('input[autocomplete="one-time-code"]').count())) {
			await page.locator('input[autocomplete="one-time-code"]').fill(codeOf(account.secret));
			await page.locator('button[type="submit"]').click();
		}
		await page.locator("nav.menu").waitFor({ state: "attached" });
		return page;
	}

	/** Opens a page of the console and waits until it has what it asked for. */
	async show(page, hash) {
		await page.evaluate((to) => {
			location.hash = to;
		}, hash);
		await this.settled(page);
	}

	/** Nothing is loading any more. */
	async settled(page) {
		await page.waitForTimeout(60);
		await page.waitForFunction(() => !document.querySelector(".spinner"));
		await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
	}

	async shot(page, name) {
		await page.screenshot({ path: join(SHOTS, `${name}.png`), fullPage: true });
	}

	/** What axe calls serious or critical, with where it is. */
	async axe(page, name) {
		// Chromium's own evaluation is not bound by the page's policy.
		const client = await page.context().newCDPSession(page);
		await client.send("Runtime.evaluate", { expression: AXE });
		const { result } = await client.send("Runtime.evaluate", {
			expression: "axe.run(document, {resultTypes: ['violations']}).then((found) => JSON.stringify(found.violations))",
			awaitPromise: true,
			returnByValue: true,
		});
		await client.detach();
		const serious = JSON.parse(result.value).filter((found) => ["serious", "critical"].includes(found.impact));
		const told = serious.map((found) => `${found.id}: ${found.help}\n${found.nodes.map((node) => `    ${node.html}\n    ${node.failureSummary}`).join("\n")}`);
		assert.equal(serious.length, 0, `axe on ${name}:\n${told.join("\n")}`);
	}

	/** Nothing is wider than the window. */
	async fits(page, name) {
		const wide = await page.evaluate(() => {
			const room = document.documentElement.clientWidth;
			const cut = [...document.querySelectorAll(".table:not(.big) .row")].filter((row) => row.scrollWidth > row.clientWidth + 1);
			if (cut.length) return cut.slice(0, 3).map((row) => `cut off: ${row.textContent}`);
			if (document.documentElement.scrollWidth <= room) return [];
			return [...document.querySelectorAll("body *")]
				.filter((element) => element.getBoundingClientRect().right > room + 1)
				.slice(0, 5)
				.map((element) => `${element.tagName}.${element.className} ${element.textContent?.slice(0, 40)}`);
		});
		assert.deepEqual(wide, [], `${name} is wider than the window`);
	}

	async end() {
		for (const context of this.contexts) {
			for (const page of context.pages()) {
				const ran = await page.evaluate(() => window.__ran ?? []).catch(() => []);
				if (ran.length) this.faults.push(`script of a name ran: ${ran}`);
			}
			await context.close();
		}
		await this.browser?.close();
		await this.gateway.stop();
		rmSync(this.folder, { recursive: true, force: true });
		assert.ok(!/AddressSanitizer|LeakSanitizer|runtime error:/.test(this.gateway.output), this.gateway.output);
		assert.deepEqual(this.faults, []);
	}
}

export function open() {
	return new World().begin();
}
