// The viewer's page as the public port serves it: headers, caching, policy, the offline file, other origins.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";

import { askedIn, companyServer } from "./viewer_served.mjs";
import { BUILD, openViewer, PHONE_VIEW } from "./viewer_world.mjs";
import { Gateway } from "./world.mjs";

const OFFLINE = "engawa-viewer-offline.html";

let world;
before(async () => {
	world = await openViewer({ host: false });
});
after(async () => world?.end());

/** {status, headers, body} as curl would get it. */
function get(path, headers = {}, gateway = world.gateway) {
	const url = new URL(path, `https://${gateway.address}`);
	return new Promise((resolve, reject) => {
		const asked = request(url, { ca: gateway.ca, ALPNProtocols: ["http/1.1"], headers, agent: false }, (answer) => {
			const pieces = [];
			answer.on("data", (piece) => pieces.push(piece));
			answer.on("end", () => resolve({ status: answer.statusCode, headers: answer.headers, body: Buffer.concat(pieces) }));
		});
		asked.on("error", reject);
		asked.end();
	});
}

/** A page that provokes refusals: what it says is not counted against the others. */
async function loosePage(browser = world.browser) {
	const context = await browser.newContext();
	const page = await context.newPage();
	const said = [];
	page.on("console", (line) => said.push(line.text()));
	return { page, said, close: () => context.close() };
}

/** "open", or why a leg of this page cannot even begin: what the page of the viewer would meet. */
const knock = (page, address) =>
	page.evaluate(
		(url) =>
			new Promise((resolve) => {
				const socket = new WebSocket(url, ["engawa.1"]);
				socket.onopen = () => resolve("open") ?? socket.close();
				socket.onerror = () => resolve("refused");
			}),
		`wss://${address}/v1/leg`,
	);

for (const lang of ["ja", "en"])
	for (const [size, options] of Object.entries({ desk: {}, phone: PHONE_VIEW }))
		test(`the page opens in ${lang} at ${size} size`, async () => {
			const page = await world.page(lang, options);
			await world.visit(page);
			assert.equal(await page.evaluate(() => document.documentElement.lang), lang);
			assert.ok(await page.evaluate(() => isSecureContext));
			await world.axe(page, `viewer ${lang} ${size}`);
			await world.fits(page, `viewer ${lang} ${size}`);
			await world.shot(page, `viewer-first-${lang}-${size}`);
		});

test("every answer has the headers", async () => {
	const page = (await get("/")).body.toString();
	const assets = [...page.matchAll(/"(\/assets\/[^"]+)"/g)].map((found) => found[1]);
	assert.ok(assets.length >= 3, page);
	for (const path of ["/", "/offline.html", "/offline.html.sha256", "/offline.html.sig", "/gateways.json", "/nothing", "/v1/leg", ...assets]) {
		const { status, headers } = await get(path);
		assert.equal(status, path === "/nothing" ? 404 : path === "/v1/leg" ? 400 : 200, path);
		assert.match(headers["content-security-policy"], /^default-src 'none';/, path);
		assert.match(headers["content-security-policy"], /frame-ancestors 'none'; base-uri 'none'; form-action 'none'/, path);
		assert.doesNotMatch(headers["content-security-policy"], /unsafe|\*|http:/, path);
		assert.match(headers["strict-transport-security"], /max-age=31536000/, path);
		assert.equal(headers["x-content-type-options"], "nosniff", path);
		assert.equal(headers["x-frame-options"], "DENY", path);
		assert.equal(headers["referrer-policy"], "no-referrer", path);
		assert.equal(headers["cross-origin-opener-policy"], "same-origin", path);
		assert.equal(headers["cross-origin-resource-policy"], "same-origin", path);
		assert.match(headers["permissions-policy"], /camera=\(\)/, path);
		const life = assets.includes(path) ? /immutable/ : path === "/gateways.json" || path.endsWith(".sig") || status !== 200 ? /no-store/ : /no-cache/;
		assert.match(headers["cache-control"], life, path);
		assert.equal(headers["set-cookie"], undefined, path);
	}
});

test("files come compressed and are not sent twice", async () => {
	const plain = await get("/offline.html");
	for (const [coding, tag] of [["br", "-b"], ["gzip", "-g"]]) {
		const packed = await get("/offline.html", { "Accept-Encoding": coding });
		assert.equal(packed.headers["content-encoding"], coding);
		assert.ok(packed.body.length < plain.body.length / 2);
		assert.ok(packed.headers.etag.endsWith(`${tag}"`));
		assert.equal((await get("/offline.html", { "Accept-Encoding": coding, "If-None-Match": packed.headers.etag })).status, 304);
	}
});

test("the policy holds against what a script from elsewhere would try", async () => {
	const { page, said, close } = await loosePage();
	await page.goto(`${world.home}/`);
	const tried = await page.evaluate(async (home) => {
		const blocked = async (act) => {
			try {
				await act();
				return "done";
			} catch (error) {
				return error.name;
			}
		};
		await new Promise((resume) => setTimeout(resume)); // evaluate() itself may; from here on it is the page
		const image = (url) => new Promise((resolve, reject) => Object.assign(new Image(), { onload: resolve, onerror: () => reject(new TypeError(url)), src: url }));
		return {
			eval: await blocked(() => (0, eval)("1")),
			markup: await blocked(() => {
				document.body.innerHTML = "<b>x</b>";
			}),
			foreign: await blocked(() => fetch("https://198.51.100.7/")),
			image: await blocked(() => image("https://198.51.100.7/x.png")),
			own: await blocked(() => fetch(`${home}/gateways.json`)),
			worker: await blocked(() => new Worker("/assets/licenses.txt")),
			policy: await blocked(() => trustedTypes.createPolicy("other", {})),
			data: await blocked(() => image("data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAA=")),
		};
	}, world.home);
	assert.deepEqual(tried, { eval: "EvalError", markup: "TypeError", foreign: "TypeError", image: "TypeError", own: "done", worker: "TypeError", policy: "TypeError", data: "done" });
	assert.equal(await knock(page, "198.51.100.7:443"), "refused");
	assert.ok(said.some((line) => /198\.51\.100\.7.*violates the following Content Security Policy/.test(line)), said.join("\n"));
	assert.equal(await knock(page, world.gateway.address), "open");
	await close();
});

test("a whole visit asks nobody else", async () => {
	const log = join(world.folder, "net.json");
	const browser = await world.browserFor([world.gateway], [`--log-net-log=${log}`]);
	const { page, close } = await loosePage(browser);
	await page.goto(`${world.home}/`);
	await page.locator("#app > *").first().waitFor();
	assert.equal(await knock(page, world.gateway.address), "open");
	await close();
	await browser.close();
	assert.deepEqual(askedIn(log), [`https://${world.gateway.address}`, `wss://${world.gateway.address}`]);
});

test("the offline file is what its hash and the cluster's CA say", async () => {
	const folder = join(world.folder, "offline");
	mkdirSync(folder);
	const { headers, body } = await get("/offline.html");
	assert.equal(headers["content-disposition"], `attachment; filename="${OFFLINE}"`);
	assert.deepEqual(body, readFileSync(join(BUILD, "viewer/web", OFFLINE)));
	writeFileSync(join(folder, OFFLINE), body);
	writeFileSync(join(folder, "sum"), (await get("/offline.html.sha256")).body);
	writeFileSync(join(folder, "sig"), (await get("/offline.html.sig")).body);
	writeFileSync(join(folder, "ca.pem"), world.gateway.ca);
	// The words of docs/OPERATIONS.md.
	const check = () =>
		execFileSync("sh", ["-c", `sha256sum -c sum && openssl x509 -in ca.pem -noout -pubkey >ca.pub && openssl dgst -sha256 -verify ca.pub -signature sig ${OFFLINE}`],
			{ cwd: folder, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
	assert.match(check(), /OK\nVerified OK/);
	writeFileSync(join(folder, OFFLINE), Buffer.concat([body, Buffer.from(" ")]));
	assert.throws(check);
	writeFileSync(join(folder, "sum"), `${createHash("sha256").update(readFileSync(join(folder, OFFLINE))).digest("hex")}  ${OFFLINE}\n`);
	assert.throws(check);
});

/** Another gateway: with these settings, in a browser that trusts it too. */
async function withGateway(config, act, others = []) {
	const gateway = new Gateway(world.folder, `gateway-${Math.random().toString(36).slice(2)}`).init();
	const file = `${gateway.data}.conf`;
	writeFileSync(file, config);
	await gateway.start("127.0.0.1:0", "127.0.0.1:0", ["--config", file]);
	const browser = await world.browserFor([gateway, ...others]);
	try {
		await act(gateway, browser);
	} finally {
		await browser.close();
		await gateway.stop();
	}
}

test("the offline file opens sessions where that is permitted", async () => {
	const file = pathToFileURL(join(BUILD, "viewer/web", OFFLINE)).href;
	for (const [config, answer] of [["", "refused"], ["[web]\noffline = yes\n", "open"]])
		await withGateway(config, async (gateway, browser) => {
			const { page, said, close } = await loosePage(browser);
			await page.goto(file);
			await page.locator("#app > *").first().waitFor();
			assert.ok(await page.evaluate(() => isSecureContext && crypto.subtle !== undefined));
			assert.equal(await knock(page, gateway.address), answer);
			assert.deepEqual(said.filter((line) => !/WebSocket connection to/.test(line)), []);
			await close();
		});
});

test("a company serves the page itself, under an origin that is listed", async () => {
	const site = await companyServer(world.folder);
	try {
		for (const [origin, answer] of [[`https://${site.address}`, "open"], ["https://other.example", "refused"]])
			await withGateway(`[web]\norigins = ${origin}\n`, async (gateway, browser) => {
				site.gateway = gateway.address;
				const { page, said, close } = await loosePage(browser);
				await page.goto(`https://${site.address}/`);
				await page.locator("#app > *").first().waitFor();
				assert.equal(await knock(page, gateway.address), answer);
				assert.deepEqual(said.filter((line) => !/WebSocket connection to/.test(line)), []);
				await close();
			}, [site]);
	} finally {
		site.close();
	}
});

test("nodes that are listed may be called, and the page is told of them", async () => {
	const nodes = "[web]\nnodes = gw2.example.jp:443, *.gw.example.jp:443\n";
	await withGateway(nodes, async (gateway) => {
		const ask = (path) => get(path, {}, gateway);
		assert.match((await ask("/")).headers["content-security-policy"], /connect-src 'self' wss:\/\/gw2\.example\.jp:443 wss:\/\/\*\.gw\.example\.jp:443;/);
		assert.deepEqual(JSON.parse((await ask("/gateways.json")).body), { here: true, gateways: ["gw2.example.jp:443"] });
	});
});
