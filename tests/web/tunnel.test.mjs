// The tunnel of the browser viewer (viewer/web): in Node against the office PC's C code, and its
// cryptography in the browser itself.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";

import { chromium } from "playwright-core";

import { tables } from "../../viewer/web/tables.mjs";
import { BROWSER, BUILD, TOP } from "./world.mjs";

const out = join(BUILD, "web-tests");
const fromConsole = createRequire(join(TOP, "gateway/console/none.js"));

async function bundle(entry, platform) {
	const { build } = await import(pathToFileURL(fromConsole.resolve("esbuild")));
	const file = join(out, `${entry}.mjs`);
	mkdirSync(out, { recursive: true });
	await build({
		entryPoints: [join(TOP, "tests/web/viewer", `${entry}.ts`)],
		outfile: file,
		bundle: true,
		format: "esm",
		platform,
		target: "es2022",
		external: ["node:*"],
		logLevel: "warning",
		plugins: [
			{
				name: "tables",
				setup(made) {
					made.onResolve({ filter: /^tables$/ }, () => ({ path: "tables", namespace: "tables" }));
					made.onLoad({ filter: /.*/, namespace: "tables" }, () => ({ contents: tables(TOP), loader: "ts" }));
				},
			},
		],
	});
	return file;
}

/** Each line "ok NAME" is a case that holds; the last one counts them. */
function judge(lines, least) {
	const bad = lines.filter((line) => line.startsWith("not ok"));
	assert.deepEqual(bad, []);
	assert.ok(lines.filter((line) => line.startsWith("ok ")).length >= least, lines.join("\n"));
}

test("the tunnel against the code of the office PC", { timeout: 600_000 }, async () => {
	const file = await bundle("all", "node");
	const run = `import { runAll } from ${JSON.stringify(pathToFileURL(file).href)}; process.exit((await runAll(console.log)) ? 1 : 0);`;
	const said = await new Promise((resolve, reject) =>
		execFile(process.execPath, ["--input-type=module", "-e", run], { env: { ...process.env, ENGAWA_BUILD: BUILD } }, (error, stdout, stderr) =>
			error && !stdout.includes(" passed, ") ? reject(new Error(stderr || stdout)) : resolve(stdout),
		),
	);
	judge(said.trim().split("\n"), 21);
});

test("Noise in the browser itself", { timeout: 300_000 }, async () => {
	const script = readFileSync(await bundle("page", "browser"));
	const server = createServer((asked, answer) => {
		const isScript = asked.url === "/page.js";
		answer.setHeader("Content-Type", isScript ? "text/javascript" : "text/html");
		answer.end(isScript ? script : '<!doctype html><script type="module" src="/page.js"></script>');
	});
	await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
	const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: BROWSER });
	try {
		const page = await browser.newPage();
		await page.goto(`http://127.0.0.1:${server.address().port}/`);
		await page.waitForFunction("globalThis.runAll !== undefined");
		judge(await page.evaluate("(async () => { const said = []; await runAll((line) => said.push(line)); return said; })()"), 9);
	} finally {
		await browser.close();
		server.close();
	}
});
