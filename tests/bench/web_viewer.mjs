// web_viewer: the browser viewer beside noVNC + websockify + x11vnc (Debian's), in the same Chromium, on the same
// display, one after the other. Prints one JSON object a line: {line, row, column, value}; web_viewer.py makes
// tables of them.
//
//   node web_viewer.mjs --seconds 8 --rounds 3 --lines plain,slow --only engawa,novnc --work typing,scroll
//
// A marker counts when noVNC has put it on the canvas that is shown: both viewers end in noVNC's Display. Both get
// JPEG of one quality: noVNC asks for what our host sends on that line by itself, and what came is in the table.

import { readdirSync, readFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { brotliCompressSync } from "node:zlib";

import { takeInHand } from "../web/viewer_hand.mjs";
import { BUILD, openViewer, Program, until } from "../web/viewer_world.mjs";

const WARM_MS = 1500;
const CLICKS = 5;
const KEY_EVERY_MS = 250;
const SLOW = ["delay both 20", "rate both 20M", "queue both 250"];
/** What our host sends over these: asked for 8, it takes less on a slow line. */
const QUALITY = { plain: 8, slow: 6 };
const WORK = {
	typing: "typing 20/s",
	scroll: "scroll, drawn anew 30/s",
	video: "video 640×360 30/s",
	keys: "key → pixel",
};

function option(name, fallback) {
	const at = process.argv.indexOf(`--${name}`);
	return at < 0 ? fallback : process.argv[at + 1];
}

const seconds = Number(option("seconds", "8"));
const rounds = Number(option("rounds", "3"));
const lines = option("lines", "plain,slow").split(",");
const only = option("only", "engawa,novnc").split(",");
const work = option("work", Object.keys(WORK).join(",")).split(",");

const note = (line, row, column, value) => console.log(JSON.stringify({ line, row, column, value }));
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const monotonicMs = () => Number(process.hrtime.bigint()) / 1e6;
/** What to add to the page's clock (ms since 1970) to have marker_app's. */
const clockOffset = () => monotonicMs() - (performance.timeOrigin + performance.now());

/** Runs in the page, before anything else: notes what is on the shown canvas each time something is drawn there. */
function watch() {
	const now = () => performance.timeOrigin + performance.now();
	const seen = { marks: [], keys: [], full: 0, click: 0, last: -1, pressed: 0 };
	window.__seen = seen;
	addEventListener("pointerdown", () => Object.assign(seen, { click: now(), full: 0 }), true);
	addEventListener("keydown", () => (seen.pressed ||= now()), true);
	const light = (context, x, y) => context.getImageData(x, y, 1, 1).data.slice(0, 3).every((value) => value > 200);
	const draw = CanvasRenderingContext2D.prototype.drawImage;
	CanvasRenderingContext2D.prototype.drawImage = function (...given) {
		draw.apply(this, given);
		const { width, height, isConnected } = this.canvas;
		if (!isConnected || width < 800) return;
		const at = now();
		if (!seen.full && light(this, width - 9, height - 5) && light(this, 8, height - 5) && light(this, width - 9, 8)) seen.full = at;
		const row = this.getImageData(0, 8, 256, 1).data;
		let number = 0;
		for (let bit = 0; bit < 16; bit++) if (row[(bit * 16 + 8) * 4 + 1] > 127) number |= 1 << bit;
		if (number === seen.last) return;
		seen.last = number;
		seen.marks.push([number, at]);
		if (seen.pressed) {
			seen.keys.push(at - seen.pressed);
			seen.pressed = 0;
		}
	};
}

/** Runs in the page before its scripts: keeps the sum of the first quantisation table of each JPEG. */
function watchImages() {
	const seen = { tables: [] };
	window.__images = seen;
	const note = (data) => {
		const at = data.findIndex((byte, i) => byte === 0xff && data[i + 1] === 0xdb);
		if (at >= 0) seen.tables.push(data.slice(at + 5, at + 69).reduce((sum, value) => sum + value, 0));
	};
	const Decoder = window.ImageDecoder;
	window.ImageDecoder = class extends Decoder {
		constructor(given) {
			note(given.data.slice(0, 512));
			super(given);
		}
	};
	const source = Object.getOwnPropertyDescriptor(HTMLImageElement.prototype, "src");
	Object.defineProperty(HTMLImageElement.prototype, "src", {
		...source,
		set(text) {
			const found = /^data: ?image\/jpeg;base64,(.{512})/.exec(text);
			if (found) note(Uint8Array.from(atob(found[1]), (char) => char.charCodeAt(0)));
			source.set.call(this, text);
		},
	});
}

/** libjpeg's quality that gives such a table: the standard one (ITU-T T.81 table K.1), scaled. */
function qualityOf(sum) {
	const standard = [16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22, 29, 51, 87, 80, 62,
		18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92, 49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99];
	const off = (quality) => {
		const scale = quality < 50 ? 5000 / quality : 200 - 2 * quality;
		const made = standard.reduce((all, value) => all + Math.min(255, Math.max(1, Math.floor((value * scale + 50) / 100))), 0);
		return Math.abs(made - sum);
	};
	return Array.from({ length: 100 }, (_, i) => i + 1).reduce((best, quality) => (off(quality) < off(best) ? quality : best), 1);
}

/** CPU seconds of Chromium: all processes that came of this program and are its own. */
function browserCpu() {
	const all = new Map();
	collect(process.pid, all);
	let ticks = 0;
	for (const stat of all.values()) if (stat.name.startsWith("chrom")) ticks += stat.ticks;
	return ticks / 100;
}

/** This program and all that came of it. */
function collect(pid, all) {
	try {
		const text = readFileSync(`/proc/${pid}/stat`, "utf8");
		const rest = text.slice(text.lastIndexOf(")") + 2).split(" ");
		all.set(pid, { name: text.slice(text.indexOf("(") + 1, text.lastIndexOf(")")), ticks: Number(rest[11]) + Number(rest[12]) });
		for (const thread of readdirSync(`/proc/${pid}/task`))
			for (const child of readFileSync(`/proc/${pid}/task/${thread}/children`, "utf8").split(" ").filter(Boolean)) collect(child, all);
	} catch {
		// It ended meanwhile.
	}
}

const share = (values, part) => values.sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * part))];

class Bench {
	constructor(world) {
		this.world = world;
		this.programs = [];
		this.hands = new Map();
		this.count = 0;
	}

	start(name, ...words) {
		const program = new Program(name, words.map(String), { env: this.world.desktop.env });
		this.programs.push(program);
		return program;
	}

	/** The port through which this one is reached over the line. */
	async through(line, port) {
		if (line === "plain") return port;
		const words = SLOW.flatMap((command) => ["-c", command]);
		const proxy = this.start("faultproxy", join(BUILD, "tests/faultproxy"), "--to", `127.0.0.1:${port}`, "--seconds", "3600", ...words);
		return Number((await until("the line", () => /port (\d+)/.exec(proxy.output)))[1]);
	}

	listens(port) {
		return until(`port ${port}`, () =>
			new Promise((resolve) => {
				const probe = connect(port, "127.0.0.1", () => resolve(true) ?? probe.destroy());
				probe.on("error", () => resolve(false));
			}),
		);
	}

	/** One display for both; the window of marker_app covers it. */
	draw(what, forSeconds) {
		const log = join(this.world.folder, `drawn-${++this.count}`);
		return { log, app: this.start("marker_app", join(BUILD, "tests/marker_app"), what, forSeconds, log) };
	}

	/** {page, click()}: a page on which one click begins a session. */
	async engawa(line) {
		const port = await this.through(line, Number(this.world.gateway.address.split(":").pop()));
		const at = `https://127.0.0.1:${port}`;
		this.world.alsoAt.push(at);
		const hand = await takeInHand(this.world, "en", { at, viewport: { width: 1920, height: 1080 } });
		await hand.page.addInitScript(watchImages);
		await this.world.visit(hand.page, at);
		await hand.page.evaluate(watch);
		await hand.pair();
		await hand.live();
		await hand.leave();
		return {
			page: hand.page,
			click: () => hand.connect(),
			leave: () => hand.leave(),
			end: () => hand.page.context().close(),
		};
	}

	async novnc(line) {
		const [rfb, web] = [await freePort(), await freePort()];
		this.start("x11vnc", "x11vnc", "-display", this.world.desktop.at, "-rfbport", rfb, "-localhost", "-forever", "-shared", "-nopw", "-quiet");
		await this.listens(rfb);
		this.start("websockify", "websockify", "--web", "/usr/share/novnc", `127.0.0.1:${web}`, `127.0.0.1:${rfb}`);
		await this.listens(web);
		const port = await this.through(line, web);
		const context = await this.world.browser.newContext({ viewport: { width: 1920, height: 1080 } });
		const page = await context.newPage();
		await page.addInitScript(watchImages);
		const size = { sum: 0 };
		page.on("requestfinished", async (asked) => {
			const { responseBodySize } = await asked.sizes();
			size.sum += responseBodySize;
		});
		await page.goto(`http://127.0.0.1:${port}/vnc.html?quality=${QUALITY[line]}&compression=2`);
		const button = page.locator("#noVNC_connect_button");
		await button.waitFor();
		await page.waitForLoadState("networkidle");
		await page.evaluate(watch);
		return {
			page,
			size,
			click: () => button.click(),
			leave: async () => {
				await page.evaluate("import('./app/ui.js').then((made) => made.default.disconnect())");
				await button.waitFor();
			},
			end: () => context.close(),
		};
	}

	async clicks(line, name, viewer) {
		const { app } = this.draw("typing", 600);
		const took = [];
		for (let n = 0; n < CLICKS; n++) {
			await viewer.click();
			await viewer.page.waitForFunction(() => window.__seen.full > 0);
			took.push(await viewer.page.evaluate(() => window.__seen.full - window.__seen.click));
			await viewer.leave();
			await sleep(300);
		}
		await app.stop();
		note(line, "click → first full picture, ms", name, share(took, 0.5));
	}

	async run(line, name, viewer, what) {
		await viewer.click();
		await sleep(300);
		const { app, log } = this.draw(what, seconds + WARM_MS / 1000 + 3);
		await sleep(WARM_MS);
		await viewer.page.evaluate(() => {
			Object.assign(window.__seen, { marks: [], keys: [], pressed: 0 });
			window.__images.tables = [];
		});
		const offset = clockOffset();
		const [begin, cpu] = [monotonicMs(), browserCpu()];
		if (what === "keys") {
			await viewer.page.mouse.move(900, 500);
			while (monotonicMs() < begin + seconds * 1000) {
				await viewer.page.keyboard.press("a");
				await sleep(KEY_EVERY_MS);
			}
		} else {
			await sleep(seconds * 1000);
		}
		const [end, spent] = [monotonicMs(), browserCpu() - cpu];
		const { marks, keys } = await viewer.page.evaluate(() => window.__seen);
		const { tables } = await viewer.page.evaluate(() => window.__images);
		if (tables.length > 9) note(line, `${WORK[what]}, JPEG quality`, name, qualityOf(share(tables, 0.5)));
		await app.stop();
		await viewer.leave();
		this.judge(line, name, WORK[what], { drawn: drawnIn(log), marks, keys, offset, begin, end, spent, isKeys: what === "keys" });
	}

	judge(line, name, row, { drawn, marks, keys, offset, begin, end, spent, isKeys }) {
		const late = isKeys
			? keys
			: marks
					.map(([number, at]) => [number, at + offset])
					.filter(([, at]) => at >= begin && at <= end)
					.map(([number, at]) => at - (drawn.get(number) ?? []).filter((ms) => ms <= at).pop())
					.filter((ms) => ms >= 0);
		if (late.length < 2) throw new Error("hardly a marker was seen");
		note(line, `${row}, p50 ms`, name, share(late, 0.5));
		note(line, `${row}, p95 ms`, name, share(late, 0.95));
		if (!isKeys) note(line, `${row}, updates/s`, name, (late.length * 1000) / (end - begin));
		note(line, `${row}, browser CPU %`, name, (spent * 100000) / (end - begin));
	}

	async measure(line, name) {
		const before = this.programs.length;
		const viewer = await this[name](line);
		try {
			await this.clicks(line, name, viewer);
			if (viewer.size && line === "plain") note(line, "page over the line, KiB", name, viewer.size.sum / 1024);
			for (const what of work) {
				try {
					await this.run(line, name, viewer, what);
				} catch (error) {
					console.log(JSON.stringify({ missing: `${name}, ${line}, ${what}: ${error.message}` }));
				}
			}
		} finally {
			await viewer.end();
			for (const program of this.programs.splice(before).reverse()) await program.stop(); // SIGTERM: x11vnc leaves shared memory when it is killed
		}
	}
}

/** {number: [ms…]}, as marker_app has noted. */
function drawnIn(log) {
	const found = new Map();
	for (const row of readFileSync(log, "utf8").trim().split("\n")) {
		const [number, us] = row.split(" ").map(Number);
		found.set(number, [...(found.get(number) ?? []), us / 1000]);
	}
	return found;
}

async function freePort() {
	const { createServer } = await import("node:net");
	const server = createServer();
	await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
	const { port } = server.address();
	await new Promise((resolve) => server.close(resolve));
	return port;
}

/** All that a browser loads of our page, as it comes over the line. */
function bundleKiB() {
	const site = join(BUILD, "viewer/web/site");
	const page = readFileSync(join(site, "index.html"), "utf8");
	const script = [...page.matchAll(/"(\/assets\/[^"]+)"/g)].map((found) => found[1]);
	const worker = /\/assets\/worker-[0-9a-f]+\.js/.exec(readFileSync(join(site, script.find((path) => path.endsWith(".js"))), "utf8"))[0];
	return [...script, worker, "/index.html"].reduce((sum, path) => sum + brotliCompressSync(readFileSync(join(site, path))).length, 0) / 1024;
}

const world = await openViewer({ size: "1920x1080", manager: false });
const bench = new Bench(world);
try {
	note("plain", "page over the line, KiB", "engawa", bundleKiB());
	for (let round = 0; round < rounds; round++)
		for (const line of lines)
			for (const name of only)
				await bench.measure(line, name).catch((error) => console.log(JSON.stringify({ missing: `${name}, ${line}: ${error.stack}` })));
} finally {
	await world.end();
}
