// tables: what C programs read from their .def files, as a TypeScript module, so that numbers and texts
// stand in one place. tables.mjs SOURCE-ROOT prints the module; the build puts it where "tables" is
// imported from.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const string = '"((?:[^"\\\\]|\\\\.)*)"';
const unquote = (text) => JSON.parse(`"${text}"`);

function rows(root, file, pattern) {
	const text = readFileSync(join(root, file), "utf8").replace(/\\\n/g, "");
	return [...text.matchAll(new RegExp(pattern, "gm"))];
}

function reasons(root) {
	const found = rows(root, "proto/base/reason.def", `^R\\((0x\\w+), (\\w+), (\\d+), ${[string, string, string, string].join(", ")}\\)`);
	return found.map(([, number, symbol, , en, hintEn, ja, hintJa]) => [
		Number(number),
		symbol,
		...[en, hintEn, ja, hintJa].map(unquote),
	]);
}

function messages(root) {
	const found = {};
	const pattern = `^MESSAGE\\((0x\\w+), (\\w+), (\\w+),|^ FIELD\\((\\w+), (\\w+), (\\w+), (\\d+), (\\w+),`;
	for (const [, number, symbol, name, of, kind, field, size, need] of rows(root, "proto/wire/messages.def", pattern)) {
		if (name) found[name] = { number: Number(number), symbol, fields: [] };
		else found[of].fields.push([field, kind, Number(size), need === "NEED"]);
	}
	return found;
}

function inner(root) {
	const found = {};
	let now;
	const pattern = "^MESSAGE\\((0x\\w+), (\\w+), (\\w+), (\\w+)\\)|FIELD\\((\\w+), (\\w+)\\)";
	for (const [, number, , name, sender, type, field] of rows(root, "proto/e2e/inner.def", pattern)) {
		if (name) found[name] = now = { number: Number(number), sender, fields: [] };
		else if (now && type !== "type") now.fields.push([field, type]);
	}
	return found;
}

export function tables(root) {
	return [
		"// Made from the .def files by viewer/web/tables.mjs.",
		`export const reasons = ${JSON.stringify(reasons(root))} as const;`,
		`export const messages = ${JSON.stringify(messages(root))} as const;`,
		`export const inner = ${JSON.stringify(inner(root))} as const;`,
		"",
	].join("\n");
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) process.stdout.write(tables(process.argv[2]));
