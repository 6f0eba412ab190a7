// viewer_world: what a test of the browser viewer needs: a real gateway, a real desktop (Xvfb, openbox) with
// a real office PC's agent on it, and Chromium, which trusts the gateway as an employee's browser would.
//
//   const world = await openViewer();
//   const page = await world.page("ja");           an empty profile; { ...PHONE_VIEW } makes it a phone
//   await world.visit(page);                       the page of the public port
//   const code = await world.ticket();             a pairing code, from engawa-host pair
//   const typed = await world.desktop.typing();    an xterm: typed() is every byte that came to it
//   const saved = await world.desktop.editor();    mousepad on a file: saved() is what is in it
//   await world.shot(page, "first"); await world.axe(page, "first"); await world.fits(page, "first");
//   await world.end();                             no CSP violation, no foreign address, no error in the page
//
// world.license is {id, key, password}; world.gateway, world.host and world.desktop are the programs.

import assert from "node:assert/strict";
import { execFile, execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { connect } from "node:tls";
import { promisify } from "node:util";

import { chromium } from "playwright-core";

import { BROWSER, BUILD, Gateway, PATIENCE, SHOTS, TOP, until, World } from "./world.mjs";

export { BUILD, PATIENCE, SHOTS, TOP, until };

/** Sizes of phones, with fingers; spread into page()'s options. */
export const PHONE_VIEW = { viewport: { width: 360, height: 740 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true };
export const PHONE_WIDE = { ...PHONE_VIEW, viewport: { width: 740, height: 360 } };
export const DESK_VIEW = { viewport: { width: 1280, height: 860 } };

const run = promisify(execFile);

// What libraries keep until the end is no leak of ours; tests/run sets the other options.
process.env.LSAN_OPTIONS ??= `suppressions='${TOP}/tests/lsan.supp':print_suppressions=0`;

/** A program in the background; its output is kept, its end is awaited. */
export class Program {
	constructor(name, words, { env = {}, stdio = [] } = {}) {
		this.name = name;
		this.output = "";
		this.process = spawn(words[0], words.slice(1), { env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe", ...stdio] });
		this.ended = new Promise((resolve) => this.process.on("exit", (code, signal) => resolve(code ?? signal)));
		for (const stream of [this.process.stdout, this.process.stderr])
			stream.on("data", (piece) => {
				this.output = (this.output + piece).slice(-200000);
			});
	}

	alive() {
		return this.process.exitCode === null && this.process.signalCode === null;
	}

	async stop(signal = "SIGTERM") {
		if (!this.alive()) return this.ended;
		this.process.kill(signal);
		const killer = setTimeout(() => this.process.kill("SIGKILL"), PATIENCE);
		const code = await this.ended;
		clearTimeout(killer);
		return code;
	}
}

/** A screen of our own with a window manager, and what a test puts on it. */
export class Desktop {
	constructor(folder, name = "desktop") {
		this.folder = folder;
		this.name = name;
		this.programs = [];
		this.count = 0;
	}

	async begin(size = "1024x768", manager = true) {
		const words = ["Xvfb", "-displayfd", "3", "-screen", "0", `${size}x24`, "-nolisten", "tcp", "-noreset", "+extension", "RANDR"];
		const screen = new Program("Xvfb", words, { stdio: ["pipe"] });
		this.programs.push(screen);
		let number = "";
		screen.process.stdio[3].on("data", (piece) => {
			number += piece;
		});
		await until("the display", () => {
			assert.ok(screen.alive(), `Xvfb ended:\n${screen.output}`);
			return number.includes("\n");
		});
		this.at = `:${number.trim()}`;
		this.env = { DISPLAY: this.at, LANG: "C.UTF-8", LC_ALL: "C.UTF-8" };
		if (manager) {
			this.start("openbox", "--sm-disable");
			await until("the window manager", async () => (await this.run("xprop", "-root", "_NET_SUPPORTING_WM_CHECK")).includes("window id"));
		}
		return this;
	}

	/** A program on this desktop. */
	start(...words) {
		const program = new Program(words[0], words, { env: this.env });
		this.programs.push(program);
		return program;
	}

	/** What a program on this desktop prints; "" when it fails. */
	async run(...words) {
		try {
			return (await run(words[0], words.slice(1), { env: { ...process.env, ...this.env } })).stdout;
		} catch {
			return "";
		}
	}

	/** The id of a window that is shown, e.g. window("--name", "memo"). */
	async window(...which) {
		return until(`the window ${which.join(" ")}`, async () => (await this.run("xdotool", "search", "--onlyvisible", ...which)).trim().split("\n").pop());
	}

	async focus(...which) {
		const id = await this.window(...which);
		await this.run("xdotool", "windowfocus", "--sync", id);
		await until("the focus", async () => (await this.run("xdotool", "getwindowfocus")).trim() === id);
		return id;
	}

	/** An xterm in which everything typed goes to a file; returns a function that reads it. */
	async typing() {
		const file = join(this.folder, `${this.name}-typed-${++this.count}`);
		const title = `typed here ${this.count}`;
		this.start("xterm", "-u8", "-T", title, "-geometry", "80x20+60+60", "-fa", "DejaVu Sans Mono", "-fs", "11", "-e",
			"sh", "-c", `stty -echo -icanon min 1; exec dd bs=1 of='${file}' 2>/dev/null`);
		await this.focus("--name", title);
		await until("the file that is typed into", () => existsSync(file));
		return () => readFileSync(file, "utf8");
	}

	/** A text editor on an empty file; returns a function that reads the file (Ctrl+S saves it). */
	async editor() {
		const file = join(this.folder, `${this.name}-memo-${++this.count}.txt`);
		writeFileSync(file, "");
		// With settings of its own: it keeps what was not saved, and asks for it when it is started the next time.
		const home = join(this.folder, `${this.name}-editor-${this.count}`);
		mkdirSync(home);
		const env = { HOME: home, XDG_CONFIG_HOME: home, XDG_DATA_HOME: home, XDG_CACHE_HOME: home, GSETTINGS_BACKEND: "memory" };
		const program = new Program("mousepad", ["mousepad", "--disable-server", file], { env: { ...this.env, ...env } });
		this.programs.push(program);
		await this.focus("--class", "mousepad");
		return () => readFileSync(file, "utf8");
	}

	/** The colour [r, g, b] of a pixel, as the office sees it. */
	async pixel(x, y) {
		const words = ["-window", "root", "-crop", `1x1+${x}+${y}`, "-depth", "8", "rgb:-"];
		return [...(await run("import", words, { env: { ...process.env, ...this.env }, encoding: "buffer" })).stdout];
	}

	/** The empty part of the screen in one colour. */
	async paint(colour) {
		await this.run("xsetroot", "-solid", colour);
	}

	async copy(text) {
		const file = join(this.folder, `${this.name}-copied-${++this.count}`);
		writeFileSync(file, text);
		this.start("xclip", "-selection", "clipboard", "-quiet", "-i", file);
		await until("the copied text", async () => (await this.pasted()) === text);
	}

	/** The clipboard of the office. */
	pasted() {
		return this.run("xclip", "-o", "-selection", "clipboard", "-t", "UTF8_STRING");
	}

	async end() {
		for (const program of this.programs.reverse()) await program.stop();
	}
}

/** The office PC's agent. */
export class Host {
	constructor(folder, gateway, license, name = "host") {
		this.gateway = gateway;
		this.license = license;
		this.state = join(folder, name);
		this.ca = join(gateway.data, "ca.pem");
	}

	enroll(addresses = this.gateway.address) {
		this.tell("enroll", "--gateway", addresses, "--ca", this.ca, "--license", this.license.key);
		return this;
	}

	tell(...words) {
		return execFileSync(join(BUILD, "bin/engawa-host"), ["--state", this.state, ...words], { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
	}

	/** The host's own file, which nothing from outside can widen. */
	veto(text) {
		writeFileSync(join(this.state, "veto.conf"), text);
	}

	async start(desktop, ...options) {
		this.program = new Program("engawa-host", [join(BUILD, "bin/engawa-host"), "--state", this.state, "run", "--display", desktop.at, ...options], { env: desktop.env });
		await this.online();
		return this;
	}

	online() {
		return until("the host to be online", async () => {
			assert.ok(this.program.alive(), `the agent ended:\n${this.program.output}`);
			const { items } = await this.gateway.good("GET", "/hosts");
			return items.some((row) => row.license === this.license.id && row.online);
		});
	}

	ticket() {
		return JSON.parse(this.tell("pair", "--json")).code;
	}

	async stop() {
		if (!this.program) return;
		const code = await this.program.stop();
		assert.equal(code, 0, `the agent did not end well (${code}):\n${this.program.output.slice(-4000)}`);
		assert.ok(!/AddressSanitizer|LeakSanitizer|runtime error:/.test(this.program.output), this.program.output);
	}
}

/** What --ignore-certificate-errors-spki-list wants of the certificate that is shown there. */
async function keyShownAt(address) {
	const [host, port] = address.split(/:(?=\d+$)/);
	const line = connect({ host, port, rejectUnauthorized: false, ALPNProtocols: ["http/1.1"] });
	await new Promise((resolve, reject) => line.once("secureConnect", resolve).once("error", reject));
	const key = line.getPeerX509Certificate().publicKey.export({ type: "spki", format: "der" });
	line.destroy();
	return createHash("sha256").update(key).digest("base64");
}

export class ViewerWorld extends World {
	/** Further addresses at which pages find the gateway: lines, other nodes. */
	alsoAt = [];

	/** `options`: {config} text of the gateway's configuration; {size} of the desktop, {manager: false} without openbox;
	 * {license} members of the license; {host: false} no office PC; {browser: [flag…]}. */
	async begin({ config = "", size = "1024x768", manager = true, license = {}, host = true, browser = [] } = {}) {
		mkdirSync(SHOTS, { recursive: true });
		this.gateway.init();
		this.config = join(this.folder, "gateway.conf");
		writeFileSync(this.config, config);
		this.options = ["--config", this.config];
		await this.gateway.start("127.0.0.1:0", "127.0.0.1:0", this.options);
		this.license = await this.gateway.good("POST", "/licenses", { holder: "佐藤 花子", ...license });
		this.desktop = new Desktop(this.folder);
		if (host) {
			await this.desktop.begin(size, manager);
			this.host = await new Host(this.folder, this.gateway, this.license).enroll().start(this.desktop);
		}
		this.browser = await this.browserFor([this.gateway], browser);
		return this;
	}

	/** A Chromium that takes the certificates of these gateways for good, and no others. */
	async browserFor(gateways, flags = []) {
		const keys = await Promise.all(gateways.map((gateway) => keyShownAt(gateway.address)));
		return chromium.launch({
			executablePath: "/usr/bin/chromium",
			args: [...BROWSER, `--ignore-certificate-errors-spki-list=${keys.join(",")}`, ...flags],
		});
	}

	/** Where the viewer's page is. */
	get home() {
		return `https://${this.gateway.address}`;
	}

	origins() {
		return [this.home, ...this.alsoAt];
	}

	page(lang, options = {}) {
		return super.page(lang, { ignoreHTTPSErrors: false, ...options });
	}

	/** The page of the public port, started. */
	async visit(page, at = this.home) {
		await page.goto(at.startsWith("file:") ? at : `${at}/`);
		await page.locator("#app > *").first().waitFor();
	}

	ticket() {
		return this.host.ticket();
	}

	/** Another configuration, at the same addresses. */
	async configure(text) {
		writeFileSync(this.config, text);
		await this.restartGateway();
	}

	/** Again at the same addresses. */
	async restartGateway() {
		const { admin, address } = this.gateway;
		await this.gateway.stop();
		await this.gateway.start(admin, address, this.options);
	}

	/** The session rows of this license, newest first. */
	async sessions() {
		return (await this.gateway.good("GET", `/journal/sessions?license=${this.license.id}`)).items;
	}

	async end() {
		try {
			await this.host?.stop();
		} finally {
			await this.desktop?.end();
			await super.end();
		}
	}
}

export function openViewer(options) {
	return new ViewerWorld().begin(options);
}
