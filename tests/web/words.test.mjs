// The sources of console and viewer's page: types; of the console: words in both languages, no text outside the tables.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { test } from "node:test";

import { TOP } from "./world.mjs";

const CONSOLE = join(TOP, "gateway/console");
const SOURCES = join(CONSOLE, "src");

function files(folder) {
	return readdirSync(folder, { withFileTypes: true, recursive: true })
		.filter((entry) => entry.isFile() && /\.tsx?$/.test(entry.name))
		.map((entry) => join(entry.parentPath ?? entry.path, entry.name));
}

/** The table of words as an object, whatever its types. */
async function table(name, what = name) {
	const { createRequire } = await import("node:module");
	const esbuild = createRequire(join(CONSOLE, "x.js"))("esbuild");
	const made = await esbuild.build({ entryPoints: [join(SOURCES, "words", `${name}.ts`)], bundle: true, write: false, format: "esm" });
	const module = await import(`data:text/javascript;base64,${Buffer.from(made.outputFiles[0].text).toString("base64")}`);
	return module[what];
}

function flat(words, prefix = "") {
	return Object.entries(words).flatMap(([key, value]) =>
		typeof value === "string" ? [[`${prefix}${key}`, value]] : flat(value, `${prefix}${key}.`),
	);
}

const holes = (text) => [...new Set([...text.matchAll(/\{(\w+)[|}]/g)].map((hole) => hole[1]))].sort();

test("types are sound", () => {
	for (const cwd of [CONSOLE, join(TOP, "viewer/web")])
		execFileSync(join(cwd, "node_modules/.bin/tsc"), ["--noEmit"], { cwd, stdio: "pipe" });
});

test("both languages have the same words with the same holes", async () => {
	const en = new Map(flat(await table("en")));
	const ja = new Map(flat(await table("ja")));
	assert.deepEqual([...ja.keys()].sort(), [...en.keys()].sort());
	for (const [key, text] of en) {
		assert.ok(text.trim() && ja.get(key).trim(), `${key} is empty`);
		// {n|one|other} is for languages that bend their words.
		const wanted = holes(text).filter((hole) => hole !== "n");
		assert.deepEqual(holes(ja.get(key)).filter((hole) => hole !== "n"), wanted, `holes of ${key}`);
	}
});

test("Japanese is Japanese", async () => {
	const same = [];
	const en = new Map(flat(await table("en")));
	for (const [key, text] of flat(await table("ja")))
		if (!/[\u3040-\u30ff\u4e00-\u9fff]/.test(text) && /[a-z]{3}/i.test(text) && en.get(key) === text) same.push(`${key}: ${text}`);
	const kept = same.filter((line) => !/: (Engawa|PC|UTC: \{time\}|LDAP|OIDC|OpenID Connect|TOTP|Webhook|URL|DN|syslog|CSV|JSONL|TLS|STARTTLS|KiB|MiB)/i.test(line));
	assert.deepEqual(kept, [], "not translated");
});

test("each limit is explained in Japanese too", async () => {
	const made = [
		...readFileSync(join(TOP, "gateway/config/gateway_config.def"), "utf8").matchAll(/^C\((\w+), (\w+),/gm),
	].map((row) => `${row[1]}.${row[2]}`);
	const fixed = [...readFileSync(join(TOP, "gateway/admin/api_nodes.c"), "utf8").matchAll(/\{"(\w+\.\w+)", "\w+",/g)].map((row) => row[1]);
	assert.ok(made.length > 60 && fixed.includes("page.rows"));
	const known = await table("limits", "limitsJa");
	assert.deepEqual(Object.keys(known).sort(), [...made, ...fixed].sort());
	for (const [name, text] of Object.entries(known)) assert.match(text, /[\u3040-\u30ff\u4e00-\u9fff]/, name);
});

test("no text stands outside the tables", () => {
	const found = [];
	for (const file of files(SOURCES)) {
		if (/\/words\/(en|ja|limits)\.ts$/.test(file)) continue;
		const text = readFileSync(file, "utf8")
			.replace(/\/\*[\s\S]*?\*\//g, (comment) => comment.replace(/[^\n]/g, " "))
			.replace(/(^|\s)\/\/.*$/gm, "$1");
		const name = relative(SOURCES, file);
		text.split("\n").forEach((line, index) => {
			// Words between tags, and in attributes that people see or hear.
			const tags = line.match(/(?<!=)>\s*([A-Za-z][A-Za-z' ]{2,})\s*</);
			const alone = file.endsWith(".tsx") && line.match(/^\s*([A-Z][a-z]+( [a-z]+)+[.!?…]?)\s*$/);
			const attribute = line.replace(/"(lic_…|Asia\/Tokyo)"/, '""').match(/\b(?:title|placeholder|label|alt|aria-label|text|hint|lead)="([^"]*[A-Za-z]{3}[^"]*)"/);
			const japanese = line.match(/[\u3040-\u30ff\u4e00-\u9fff]/) && !line.includes("日本語");
			if (tags || alone || attribute || japanese) found.push(`${name}:${index + 1}: ${line.trim()}`);
		});
	}
	assert.deepEqual(found, []);
});

test("nothing makes HTML of text or touches the policy", () => {
	const bad = /innerHTML|outerHTML|insertAdjacentHTML|dangerouslySetInnerHTML|document\.write|\beval\(|new Function|style="|setAttribute\("style"|https?:\/\/(?!www\.w3\.org\/2000\/svg|"|[a-z]+\.example\.)/;
	for (const file of files(SOURCES)) {
		const lines = readFileSync(file, "utf8").split("\n");
		lines.forEach((line, index) => assert.ok(!bad.test(line), `${relative(SOURCES, file)}:${index + 1}: ${line.trim()}`));
	}
});
