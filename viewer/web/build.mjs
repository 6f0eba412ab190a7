// build: bundles the page and its worker, and writes what the gateway serves, as files and as one C table.
//
//   node build.mjs --out DIR [--modules DIR]
//
// DIR/site/ has index.html and assets/NAME-HASH.EXT; DIR/viewer_web_assets.c is the table of
// gateway/http/assets.h with every file as it is, by gzip and by brotli. A company that serves the page
// itself takes DIR/site/. DIR/engawa-viewer-offline.html is all of it in one file, with its SHA-256 beside it.

import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import { bundle, hashed, madeModule, notices, option, sorted, table, writeSite } from "../../gateway/http/assets.mjs";
import { tables } from "./tables.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const top = join(here, "../..");
const out = option("out", join(here, "dist"));
const modules = option("modules", join(here, "node_modules"));

const packages = {
	"@novnc/novnc": ["LICENSE.txt", "AUTHORS", "docs/LICENSE.MPL-2.0", "vendor/pako/LICENSE"],
	preact: ["LICENSE"],
};

/** A plain script, which starts everywhere as a worker, from a file's bytes too. */
async function worker() {
	const [made] = await bundle(modules, {
		entryPoints: { worker: join(here, "worker/tunnel_worker.ts") },
		absWorkingDir: here,
		format: "iife",
		plugins: [madeModule("tables", () => tables(top), "ts")],
	});
	return made;
}

/** The page's script and style sheet; `import … from "worker-file"` says where the worker is: in a file, or here. */
async function page(workerFile, workerText = "") {
	const text = `export const workerFile = ${JSON.stringify(workerFile)}, workerText = ${JSON.stringify(workerText)};\n`;
	const made = await bundle(modules, {
		entryPoints: { viewer: join(here, "page/main.ts") },
		absWorkingDir: here,
		plugins: [madeModule("tables", () => tables(top), "ts"), madeModule("worker-file", () => text)],
	});
	return Object.fromEntries(made.map(({ name, bytes }) => [name, bytes]));
}

const hashOf = (text) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;

/** Inside <script> and <style> only the end tag ends a text: it must not stand in it by chance. */
function inline(text, tag) {
	if (new RegExp(`</${tag}|<!--`, "i").test(text)) throw new Error(`the text of <${tag}> would end early`);
	return text;
}

/** One file that needs no other. What it may do stands in itself: its own script by its hash, its worker out of
 * that script, and sessions with whichever gateway the person names. */
async function offline(html, workerMade, icon) {
	const made = await page("", workerMade.bytes.toString());
	const script = inline(made["viewer.js"].toString(), "script");
	const style = inline(made["viewer.css"].toString(), "style");
	const policy = [
		"default-src 'none'",
		`script-src ${hashOf(script)}`,
		"worker-src blob:",
		`style-src ${hashOf(style)}`,
		"connect-src wss:",
		"img-src data: blob:",
		"base-uri 'none'",
		"form-action 'none'",
		"require-trusted-types-for 'script'",
		"trusted-types engawa-worker",
	].join("; ");
	const put = (text, from, to) => {
		if (!text.includes(from)) throw new Error(`index.html has no ${from}`);
		return text.replace(from, () => to);
	};
	html = put(html, '<meta charset="utf-8">', `<meta charset="utf-8">\n<meta http-equiv="Content-Security-Policy" content="${policy}">`);
	html = put(html, '<link rel="stylesheet" href="{viewer.css}">', `<style>${style}</style>`);
	html = put(html, '<script type="module" src="{viewer.js}"></script>', `<script type="module">${script}</script>`);
	html = put(html, "{icon.svg}", `data:image/svg+xml;base64,${icon.toString("base64")}`);
	return Buffer.from(put(html, "</html>", `</html>\n<!--\n${notices(modules, packages).replaceAll("--", "- -")}-->`));
}

async function site(frame, workerMade, icon) {
	const files = new Map();
	let html = frame;
	const put = (name, bytes) => {
		const path = hashed(name, bytes);
		html = html.replaceAll(`{${name}}`, path);
		files.set(path, bytes);
		return path;
	};
	const made = await page(put(workerMade.name, workerMade.bytes));
	for (const [name, bytes] of Object.entries(made)) put(name, bytes);
	put("icon.svg", icon);
	files.set("/", Buffer.from(html));
	files.set("/assets/licenses.txt", Buffer.from(notices(modules, packages)));
	return sorted(files);
}

const OFFLINE = "engawa-viewer-offline.html";
const frame = readFileSync(join(here, "page/index.html"), "utf8");
const icon = readFileSync(join(here, "page/icon.svg"));
const workerMade = await worker();
const files = await site(frame, workerMade, icon);
writeSite(join(out, "site"), files);
const whole = await offline(frame, workerMade, icon);
const sum = Buffer.from(`${createHash("sha256").update(whole).digest("hex")}  ${OFFLINE}\n`);
writeFileSync(join(out, OFFLINE), whole);
writeFileSync(join(out, `${OFFLINE}.sha256`), sum);
const about = {
	by: "viewer/web/build.mjs",
	header: "web/viewer_web.h",
	name: "viewer_web_assets",
	policy: "VIEWER_WEB_POLICY",
	saved: { "/offline.html": OFFLINE },
};
writeFileSync(join(out, "viewer_web_assets.c"), table(sorted(new Map([...files, ["/offline.html", whole], ["/offline.html.sha256", sum]])), about));
