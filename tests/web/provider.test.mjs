// People who sign in elsewhere: the button, the provider's own pages, the way back, and what is said when
// it fails there. The provider is that of tests/system/oidc.

import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { BUILD, open, TOP, until } from "./world.mjs";

let world, provider, ca;

/** A certificate for 127.0.0.1 of a CA of its own, which the gateway is told. */
function certificates(folder) {
	const openssl = (...words) => execFileSync("openssl", words, { cwd: folder, stdio: "pipe" });
	const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
	openssl("req", "-x509", ...key, "-days", "3", "-subj", "/CN=Test CA", "-keyout", "ca.key", "-out", "ca.pem", "-addext", "basicConstraints=critical,CA:TRUE");
	openssl("req", ...key, "-subj", "/CN=peer", "-keyout", "peer.key", "-out", "peer.csr");
	writeFileSync(join(folder, "ext"), "subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth\n");
	openssl("x509", "-req", "-in", "peer.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "3", "-extfile", "ext", "-out", "peer.pem");
}

/** The provider's packages, as its lockfile names them; the system tests use the same folder. */
function packages() {
	const place = join(BUILD, "tests/oidc");
	mkdirSync(place, { recursive: true });
	for (const name of ["package.json", "package-lock.json", ".npmrc", "provider.mjs"]) copyFileSync(join(TOP, "tests/system/oidc", name), join(place, name));
	if (!existsSync(join(place, "made"))) execFileSync("npm", ["ci", "--no-audit", "--no-fund"], { cwd: place, stdio: "pipe" });
	return place;
}

async function freePort() {
	for (;;) {
		const port = 12000 + Math.floor(Math.random() * 20000);
		const server = createServer();
		const free = await new Promise((resolve) => server.once("error", () => resolve(false)).listen(port, "127.0.0.1", () => resolve(true)));
		await new Promise((resolve) => server.close(resolve));
		if (free) return port;
	}
}

before(async () => {
	world = await open();
	certificates(world.folder);
	ca = readFileSync(join(world.folder, "ca.pem"), "utf8");
	const port = await freePort();
	const issuer = `https://127.0.0.1:${port}`;
	const back = `${world.gateway.origin}/api/v1/sign-in/oidc/idp/return`;
	const told = { port, cert: join(world.folder, "peer.pem"), key: join(world.folder, "peer.key"), redirects: [back] };
	const place = packages();
	const program = spawn("node", [join(place, "provider.mjs"), JSON.stringify(told)], { cwd: place, stdio: ["ignore", "pipe", "pipe"] });
	let said = "";
	for (const stream of [program.stdout, program.stderr]) stream.on("data", (piece) => (said += piece));
	provider = { program, issuer };
	await until("the provider", () => {
		assert.equal(program.exitCode, null, said);
		return said.includes("ready");
	});
	world.visited.push(`${issuer}/`);
	await world.gateway.good("POST", "/directories", {
		id: "idp",
		name: "会社のサインイン",
		kind: "oidc",
		use: ["accounts"],
		tenant: "",
		oidc: { issuer, ca, client_id: "engawa", client_secret: "a secret: with / & signs+", claim: "preferred_username" },
	});
	await world.gateway.good("POST", "/accounts", { name: "alice", roles: ["helpdesk"], directory: "idp", language: "ja" });
});
after(async () => {
	provider?.program.kill();
	await world?.end();
});

/** Through the provider's own two pages, as this person. What those pages want from further places they do not get. */
async function throughProvider(page, login) {
	const here = [`${provider.issuer}/`, `${world.gateway.origin}/`];
	await page.route((url) => !here.some((start) => url.href.startsWith(start)), (route) => route.abort());
	await page.getByRole("link", { name: /会社のサインイン/ }).click();
	await page.waitForURL(`${provider.issuer}/**`);
	await page.locator('input[name="login"]').fill(login);
	await page.locator('input[name="password"]').fill("any");
	await page.locator('button[type="submit"]').click();
	const agree = page.locator('form[action*="confirm"] button, button:has-text("Continue")').first();
	await agree.waitFor();
	await agree.click();
	await page.waitForURL(`${world.gateway.origin}/**`);
}

test("whom the provider knows is signed in", async () => {
	const page = await world.page("ja");
	await world.goto(page);
	await page.getByRole("link", { name: /会社のサインイン/ }).waitFor();
	await world.axe(page, "sign-in with a provider");
	await world.shot(page, "sign-in-provider-ja");
	await throughProvider(page, "alice");
	await page.locator("nav.menu").waitFor({ state: "attached" });
	await world.settled(page);
	// The helpdesk has no accounts page; what it may see is there.
	assert.equal(await page.locator('nav.menu a[href="#/accounts"]').count(), 0);
	assert.equal(await page.locator('nav.menu a[href="#/sessions"]').count(), 1);
	await page.reload();
	await page.locator("nav.menu").waitFor({ state: "attached" });
});

test("whom only the provider knows is told so", async () => {
	const page = await world.page("ja");
	await world.goto(page);
	await page.getByRole("link", { name: /会社のサインイン/ }).waitFor();
	await throughProvider(page, "mallory");
	await page.locator(".problem, [role=alert]").first().waitFor();
	await world.shot(page, "sign-in-provider-refused-ja");
	assert.equal(await page.locator("nav.menu").count(), 0);
	const said = await page.locator(".problem, [role=alert]").first().textContent();
	assert.match(said, /サインインをやり直してください/, "what to do is said");
	assert.doesNotMatch(said, /mallory/);
});
