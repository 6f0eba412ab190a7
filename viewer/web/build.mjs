// build: bundles the page and its worker, and writes what the gateway serves, as files and as one C table.
//
//   node build.mjs --out DIR [--modules DIR]
//
// DIR/site/ has index.html and assets/NAME-HASH.EXT; DIR/viewer_web_assets.c is the table of
// gateway/http/assets.h with every file as it is, by gzip and by brotli. A company that serves the page
// itself takes DIR/site/ as it is.

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

/** The page's script and style sheet; `import { workerFile } from "worker-file"` names the worker. */
function page(workerFile) {
	const text = `export const workerFile = ${JSON.stringify(workerFile)};\n`;
	return bundle(modules, {
		entryPoints: { viewer: join(here, "page/main.ts") },
		absWorkingDir: here,
		plugins: [madeModule("tables", () => tables(top), "ts"), madeModule("worker-file", () => text)],
	});
}

async function site() {
	const files = new Map();
	let html = readFileSync(join(here, "page/index.html"), "utf8");
	const put = ({ name, bytes }) => {
		const path = hashed(name, bytes);
		html = html.replaceAll(`{${name}}`, path);
		files.set(path, bytes);
		return path;
	};
	for (const made of await page(put(await worker()))) put(made);
	put({ name: "icon.svg", bytes: readFileSync(join(here, "page/icon.svg")) });
	files.set("/", Buffer.from(html));
	files.set("/assets/licenses.txt", Buffer.from(notices(modules, packages)));
	return sorted(files);
}

const files = await site();
writeSite(join(out, "site"), files);
const about = { by: "viewer/web/build.mjs", header: "web/viewer_web.h", name: "viewer_web_assets", policy: "VIEWER_WEB_POLICY" };
writeFileSync(join(out, "viewer_web_assets.c"), table(files, about));
