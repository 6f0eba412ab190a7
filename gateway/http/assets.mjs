// assets: makes the table of assets.h out of built files, and what every bundle of ours has in common:
// names with hashes, compressed forms, the licenses of what came with packages.
//
// The same files give the same bytes: nothing here depends on time, path or machine.

import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, extname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const types = {
	".html": "text/html; charset=utf-8",
	".sha256": "text/plain; charset=utf-8",
	".js": "text/javascript; charset=utf-8",
	".css": "text/css; charset=utf-8",
	".svg": "image/svg+xml",
	".txt": "text/plain; charset=utf-8",
};

/** `--NAME DIR` of the command line. */
export function option(name, fallback) {
	const at = process.argv.indexOf(`--${name}`);
	return at < 0 ? fallback : resolve(process.argv[at + 1]);
}

/** Sources of two folders make one page: with a preact beside each of them it would have two, which know nothing of
 * each other's components. */
function onePreact(modules) {
	return {
		name: "one-preact",
		setup(build) {
			build.onResolve({ filter: /^preact(\/|$)/ }, ({ path, kind, pluginData }) =>
				pluginData === "found" ? undefined : build.resolve(path, { kind, resolveDir: modules, pluginData: "found" }),
			);
		},
	};
}

/** esbuild with what holds for all bundles: [{name, bytes}] of what it made. */
export async function bundle(modules, options) {
	const require = createRequire(join(modules, "none.js"));
	const { build } = await import(pathToFileURL(require.resolve("esbuild")));
	const result = await build({
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
		logLevel: "warning",
		...options,
		plugins: [onePreact(modules), ...(options.plugins ?? [])],
	});
	return result.outputFiles.map((file) => ({ name: basename(file.path), bytes: Buffer.from(file.contents) }));
}

/** A plugin of esbuild: `import … from "NAME"` gives what `make()` writes. */
export function madeModule(name, make, loader = "js") {
	return {
		name,
		setup(build) {
			build.onResolve({ filter: new RegExp(`^${name}$`) }, () => ({ path: name, namespace: name }));
			build.onLoad({ filter: /.*/, namespace: name }, () => ({ contents: make(), loader }));
		},
	};
}

/** Where a file is served that browsers may keep for ever. */
export function hashed(name, bytes) {
	const sum = createHash("sha256").update(bytes).digest("hex").slice(0, 16);
	const ext = extname(name);
	return `/assets/${basename(name, ext)}-${sum}${ext}`;
}

/** What came with the packages must go with them: their licenses. `packages`: {name: [file…]}. */
export function notices(modules, packages) {
	return Object.entries(packages)
		.map(([name, files]) => {
			const about = JSON.parse(readFileSync(join(modules, name, "package.json"), "utf8"));
			const texts = files.map((file) => readFileSync(join(modules, name, file), "utf8").trim());
			return `${about.name} ${about.version}\n${about.homepage ?? ""}\n\n${texts.join("\n\n")}\n`;
		})
		.join("\n----\n\n");
}

export function sorted(files) {
	return new Map([...files].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function bytesOfC(name, bytes) {
	const lines = [];
	for (let at = 0; at < bytes.length; at += 24) lines.push([...bytes.subarray(at, at + 24)].join(",") + ",");
	return `static const uint8_t ${name}[] = {\n${lines.join("\n")}\n};\n`;
}

/** A file as it is, by gzip and by brotli. */
export function forms(bytes) {
	const gzip = gzipSync(bytes, { level: 9 });
	gzip[9] = 255; // the operating system that made it: unknown, whoever builds
	const brotli = brotliCompressSync(bytes, {
		params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length },
	});
	return { plain: bytes, gzip, brotli };
}

/** The C file: `struct assets NAME` with `policy`, the name of a macro of `header`; `saved` names files that browsers put on the
 * disk: {path: name}. */
export function table(files, { by, header, name, policy, saved = {} }) {
	let text = `/* Made by ${by}. */\n#include "${header}"\n\n`;
	const rows = [];
	let index = 0;
	for (const [path, bytes] of files) {
		const members = [];
		for (const [form, data] of Object.entries(forms(bytes))) {
			const array = `${form}_${index}`;
			text += bytesOfC(array, data);
			members.push(`{${array}, sizeof(${array})}`);
		}
		const type = types[extname(path) || ".html"];
		const sum = createHash("sha256").update(bytes).digest("hex").slice(0, 24);
		const lasting = /-[0-9a-f]{16}\.\w+$/.test(path) ? "ASSETS_LASTING" : "ASSETS_ASK";
		rows.push(`\t{"${path}", "${type}", "${sum}", ${lasting},\n\t\t{${members.join(", ")}}, ${saved[path] ? `"${saved[path]}"` : 0}},`);
		index++;
	}
	text += `\nstatic const struct assets_file files[] = {\n${rows.join("\n")}\n};\n\n`;
	return `${text}const struct assets ${name} = {files, sizeof(files) / sizeof(*files), ${policy}};\n`;
}

/** The files below `folder`, "/" as index.html. */
export function writeSite(folder, files) {
	rmSync(folder, { recursive: true, force: true });
	for (const [path, bytes] of files) {
		const file = join(folder, path === "/" ? "index.html" : path);
		mkdirSync(dirname(file), { recursive: true });
		writeFileSync(file, bytes);
	}
}
