// build: bundles src/ and writes what the gateway serves, as files and as one C table.
//
//   node build.mjs --out DIR [--modules DIR]
//
// DIR/site/ has index.html and assets/NAME-HASH.EXT; DIR/console_assets.c is the table of
// gateway/http/assets.h with every file as it is, by gzip and by brotli. The same sources give the
// same bytes: nothing here depends on time, path or machine.

import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, extname, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const here = dirname(fileURLToPath(import.meta.url));

function option(name, fallback) {
	const at = process.argv.indexOf(`--${name}`);
	return at < 0 ? fallback : resolve(process.argv[at + 1]);
}

const out = option("out", join(here, "dist"));
const modules = option("modules", join(here, "node_modules"));

const types = {
	".html": "text/html; charset=utf-8",
	".js": "text/javascript; charset=utf-8",
	".css": "text/css; charset=utf-8",
	".svg": "image/svg+xml",
	".txt": "text/plain; charset=utf-8",
};

/** What happened and why, in the words of the gateway's own tables: `import { events, reasons } from "tables"`. */
function tables() {
	const read = (name) => readFileSync(join(here, "../..", name), "utf8");
	const quoted = '"((?:[^"\\\\]|\\\\.)*)"';
	const text = (written) => JSON.parse(`"${written}"`);
	const rows = (name, pattern) => [...read(name).matchAll(new RegExp(pattern, "gm"))];
	const events = rows("gateway/rules/audit.def", `^A\\(\\d+, (\\w+), \\w+, ${quoted}, ${quoted}, ${quoted}\\)`);
	const reasons = rows("proto/base/reason.def", `^R\\(0x\\w+, (\\w+), \\d+, ${quoted}, ${quoted}, ${quoted}, ${quoted}\\)`);
	const table = (found, en, ja) => Object.fromEntries(found.map((row) => [row[1], { en: text(row[en]), ja: text(row[ja]) }]));
	return `export const events = ${JSON.stringify(table(events, 3, 4))};\nexport const reasons = ${JSON.stringify(table(reasons, 2, 4))};\n`;
}

const tablesPlugin = {
	name: "tables",
	setup(build) {
		build.onResolve({ filter: /^tables$/ }, () => ({ path: "tables", namespace: "tables" }));
		build.onLoad({ filter: /.*/, namespace: "tables" }, () => ({ contents: tables(), loader: "js" }));
	},
};

async function bundle() {
	const require = createRequire(join(modules, "none.js"));
	const { build } = await import(pathToFileURL(require.resolve("esbuild")));
	const result = await build({
		entryPoints: { app: join(here, "src/main.tsx") },
		outdir: "/",
		bundle: true,
		write: false,
		minify: true,
		format: "esm",
		target: "es2022",
		charset: "utf8",
		legalComments: "none",
		jsx: "automatic",
		jsxImportSource: "preact",
		nodePaths: [modules],
		plugins: [tablesPlugin],
		absWorkingDir: here,
		logLevel: "warning",
	});
	return result.outputFiles.map((file) => ({ name: basename(file.path), bytes: Buffer.from(file.contents) }));
}

function hashed(name, bytes) {
	const sum = createHash("sha256").update(bytes).digest("hex").slice(0, 16);
	const ext = extname(name);
	return `/assets/${basename(name, ext)}-${sum}${ext}`;
}

/** What came with the packages must go with them: their licenses, in a file beside the code. */
function notices() {
	const packages = ["preact", "uplot"];
	return packages
		.map((name) => {
			const about = JSON.parse(readFileSync(join(modules, name, "package.json"), "utf8"));
			const text = readFileSync(join(modules, name, "LICENSE"), "utf8").trim();
			return `${about.name} ${about.version}\n\n${text}\n`;
		})
		.join("\n----\n\n");
}

async function site() {
	const files = new Map();
	const names = { "app.js": "", "app.css": "", "icon.svg": "" };
	const sources = [...(await bundle()), { name: "icon.svg", bytes: readFileSync(join(here, "src/icon.svg")) }];
	for (const { name, bytes } of sources) {
		const path = hashed(name, bytes);
		names[name] = path;
		files.set(path, bytes);
	}
	files.set("/assets/licenses.txt", Buffer.from(notices()));
	for (const page of ["index.html", "missing.html"]) {
		let html = readFileSync(join(here, "src", page), "utf8");
		for (const [name, path] of Object.entries(names)) html = html.replaceAll(`{${name}}`, path);
		files.set(page === "index.html" ? "/" : "/missing.html", Buffer.from(html));
	}
	return new Map([...files].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function bytesOfC(name, bytes) {
	const lines = [];
	for (let at = 0; at < bytes.length; at += 24) lines.push([...bytes.subarray(at, at + 24)].join(",") + ",");
	return `static const uint8_t ${name}[] = {\n${lines.join("\n")}\n};\n`;
}

function table(files) {
	let text = '/* Made by gateway/console/build.mjs. */\n#include "console/console.h"\n\n';
	const rows = [];
	let index = 0;
	for (const [path, bytes] of files) {
		const forms = {
			plain: bytes,
			gzip: gzipSync(bytes, { level: 9 }),
			brotli: brotliCompressSync(bytes, {
				params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length },
			}),
		};
		forms.gzip[9] = 255; // the operating system that made it: unknown, whoever builds
		const members = [];
		for (const [form, data] of Object.entries(forms)) {
			const name = `${form}_${index}`;
			text += bytesOfC(name, data);
			members.push(`{${name}, sizeof(${name})}`);
		}
		const type = types[extname(path) || ".html"];
		const sum = createHash("sha256").update(bytes).digest("hex").slice(0, 24);
		const lasting = /-[0-9a-f]{16}\.\w+$/.test(path) ? "ASSETS_LASTING" : "ASSETS_ASK";
		rows.push(`\t{"${path}", "${type}", "${sum}", ${lasting},\n\t\t{${members.join(", ")}}},`);
		index++;
	}
	text += `\nstatic const struct assets_file files[] = {\n${rows.join("\n")}\n};\n\n`;
	return text + "const struct assets console_assets = {files, sizeof(files) / sizeof(*files)};\n";
}

const files = await site();
rmSync(join(out, "site"), { recursive: true, force: true });
for (const [path, bytes] of files) {
	const file = join(out, "site", path === "/" ? "index.html" : path);
	mkdirSync(dirname(file), { recursive: true });
	writeFileSync(file, bytes);
}
writeFileSync(join(out, "console_assets.c"), table(files));
