// build: bundles src/ and writes what the gateway serves, as files and as one C table.
//
//   node build.mjs --out DIR [--modules DIR]
//
// DIR/site/ has index.html and assets/NAME-HASH.EXT; DIR/console_assets.c is the table of
// gateway/http/assets.h with every file as it is, by gzip and by brotli.

import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import { bundle, hashed, madeModule, notices, option, sorted, table, writeSite } from "../http/assets.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const out = option("out", join(here, "dist"));
const modules = option("modules", join(here, "node_modules"));

/** What happened and why, in the words of the gateway's own tables: `import { events, reasons } from "tables"`. */
function tables() {
	const read = (name) => readFileSync(join(here, "../..", name), "utf8");
	const quoted = '"((?:[^"\\\\]|\\\\.)*)"';
	const text = (written) => JSON.parse(`"${written}"`);
	const rows = (name, pattern) => [...read(name).matchAll(new RegExp(pattern, "gm"))];
	const events = rows("gateway/rules/audit.def", `^A\\(\\d+, (\\w+), \\w+, ${quoted}, ${quoted}, ${quoted}\\)`);
	const reasons = rows("proto/base/reason.def", `^R\\(0x\\w+, (\\w+), \\d+, ${quoted}, ${quoted}, ${quoted}, ${quoted}\\)`);
	const shown = (found, en, ja) => Object.fromEntries(found.map((row) => [row[1], { en: text(row[en]), ja: text(row[ja]) }]));
	const told = {
		events: shown(events, 3, 4),
		reasons: shown(reasons, 2, 4),
		hints: shown(reasons, 3, 5),
	};
	return Object.entries(told).map(([name, value]) => `export const ${name} = ${JSON.stringify(value)};\n`).join("");
}

async function site() {
	const files = new Map();
	const names = { "app.js": "", "app.css": "", "icon.svg": "" };
	const made = await bundle(modules, {
		entryPoints: { app: join(here, "src/main.tsx") },
		absWorkingDir: here,
		plugins: [madeModule("tables", tables)],
	});
	for (const { name, bytes } of [...made, { name: "icon.svg", bytes: readFileSync(join(here, "src/icon.svg")) }]) {
		const path = hashed(name, bytes);
		names[name] = path;
		files.set(path, bytes);
	}
	files.set("/assets/licenses.txt", Buffer.from(notices(modules, { preact: ["LICENSE"], uplot: ["LICENSE"] })));
	for (const page of ["index.html", "missing.html"]) {
		let html = readFileSync(join(here, "src", page), "utf8");
		for (const [name, path] of Object.entries(names)) html = html.replaceAll(`{${name}}`, path);
		files.set(page === "index.html" ? "/" : "/missing.html", Buffer.from(html));
	}
	return sorted(files);
}

const files = await site();
writeSite(join(out, "site"), files);
const about = { by: "gateway/console/build.mjs", header: "console/console.h", name: "console_assets", policy: "CONSOLE_POLICY" };
writeFileSync(join(out, "console_assets.c"), table(files, about));
