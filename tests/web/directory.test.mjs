// People whose password is at a real LDAP server: from the console's own form for a directory to the first
// page, and what is said when the server says no, or nothing. The server is Debian's slapd.

import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { open, until } from "./world.mjs";

const BASE = "dc=example,dc=jp";
const PERSON = "uid={user},ou=people,dc=example,dc=jp";

let world, server;

/** A certificate for 127.0.0.1 of a CA of its own, which the gateway is told. */
function certificates(folder) {
	const openssl = (...words) => execFileSync("openssl", words, { cwd: folder, stdio: "pipe" });
	const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
	openssl("req", "-x509", ...key, "-days", "3", "-subj", "/CN=Test CA", "-keyout", "ca.key", "-out", "ca.pem", "-addext", "basicConstraints=critical,CA:TRUE");
	openssl("req", ...key, "-subj", "/CN=peer", "-keyout", "peer.key", "-out", "peer.csr");
	writeFileSync(join(folder, "ext"), "subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth\n");
	openssl("x509", "-req", "-in", "peer.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "3", "-extfile", "ext", "-out", "peer.pem");
}

/** slapd with these people ({uid: password}) in a folder of its own. */
function makeServer(folder, people) {
	mkdirSync(join(folder, "db"), { recursive: true });
	certificates(folder);
	const config = `
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile ${folder}/slapd.pid
TLSCertificateFile ${folder}/peer.pem
TLSCertificateKeyFile ${folder}/peer.key
TLSCACertificateFile ${folder}/ca.pem
database mdb
suffix "${BASE}"
directory ${folder}/db
access to attrs=userPassword by anonymous auth by * none
access to * by * none
`;
	const tree = [
		`dn: ${BASE}\nobjectClass: dcObject\nobjectClass: organization\ndc: example\no: Example\n`,
		`dn: ou=people,${BASE}\nobjectClass: organizationalUnit\nou: people\n`,
		...Object.entries(people).map(
			([uid, password]) =>
				`dn: ${PERSON.replace("{user}", uid)}\nobjectClass: inetOrgPerson\nuid: ${uid}\ncn: ${uid}\nsn: ${uid}\n` +
				`userPassword:: ${Buffer.from(password).toString("base64")}\n`,
		),
	].join("\n");
	writeFileSync(join(folder, "slapd.conf"), config);
	execFileSync("/usr/sbin/slapadd", ["-f", join(folder, "slapd.conf")], { input: tree, stdio: ["pipe", "pipe", "pipe"] });
}

async function freePort() {
	for (;;) {
		const port = 12000 + Math.floor(Math.random() * 20000);
		const held = createServer();
		const free = await new Promise((resolve) => held.once("error", () => resolve(false)).listen(port, "127.0.0.1", () => resolve(true)));
		await new Promise((resolve) => held.close(resolve));
		if (free) return port;
	}
}

async function startServer(folder, port) {
	const program = spawn("/usr/sbin/slapd", ["-f", join(folder, "slapd.conf"), "-d", "0", "-h", `ldaps://127.0.0.1:${port}/`], { stdio: ["ignore", "pipe", "pipe"] });
	let said = "";
	for (const stream of [program.stdout, program.stderr]) stream.on("data", (piece) => (said += piece));
	const ended = new Promise((resolve) => program.on("exit", resolve));
	await until("slapd", () => {
		assert.equal(program.exitCode, null, said);
		return new Promise((resolve) => {
			const tried = connect(port, "127.0.0.1", () => resolve(tried.end()));
			tried.on("error", () => resolve(false));
		});
	});
	return { program, ended };
}

before(async () => {
	world = await open();
	const folder = join(world.folder, "ldap");
	makeServer(folder, { alice: "縁側 alice's own 1", bob: "bob's own 2" });
	const port = await freePort();
	server = { folder, port, ca: readFileSync(join(folder, "ca.pem"), "utf8"), ...(await startServer(folder, port)) };
	await world.gateway.good("POST", "/directories", {
		id: "ad",
		name: "社内ディレクトリー",
		kind: "ldap",
		use: ["accounts"],
		tenant: "",
		ldap: { url: `ldaps://127.0.0.1:${port}`, ca: server.ca, bind_dn_template: PERSON },
	});
	await world.gateway.good("POST", "/accounts", { name: "alice", roles: ["helpdesk"], directory: "ad", full_name: "有栖 花子", language: "ja" });
});
after(async () => {
	server?.program.kill();
	await world?.end();
});

/** The place is chosen only where it has to be: a browser remembers it from the last time. */
async function fillIn(page, account, password, place) {
	await page.goto("about:blank");
	await world.goto(page);
	await page.locator("main select").waitFor();
	if (place !== undefined) await page.locator("main select").selectOption(place);
	await page.locator('input[autocomplete="username"]').fill(account);
	await page.locator('input[autocomplete="current-password"]').fill(password);
	await page.keyboard.press("Enter");
}

test("whom the directory knows is signed in, by the password there", async () => {
	const page = await world.page("ja");
	await fillIn(page, "alice", "bob's own 2", "ad");
	await page.locator(".problem").waitFor();
	assert.match(await page.locator(".problem").textContent(), /PASSWORD_WRONG/);
	assert.equal(await page.locator("nav.menu").count(), 0);
	await fillIn(page, "alice", "縁側 alice's own 1", "ad");
	await page.locator("nav.menu").waitFor({ state: "attached" });
	await world.settled(page);
	assert.equal(await page.locator('input[autocomplete="new-password"]').count(), 0, "the directory's password is not ours to change");
	assert.equal(await page.locator('nav.menu a[href="#/accounts"]').count(), 0);
	await world.show(page, "#/settings");
	await world.axe(page, "settings of somebody from a directory");
	await world.shot(page, "settings-ldap-ja");
	assert.equal(await page.locator('input[autocomplete="new-password"]').count(), 0, "nor here");
	// A day later: the sign-in is over, the browser knows where.
	await page.context().clearCookies();
	await fillIn(page, "alice", "縁側 alice's own 1");
	await page.locator("nav.menu").waitFor({ state: "attached" });
});

test("who has no account here is refused like a wrong password", async () => {
	const page = await world.page("ja");
	await fillIn(page, "bob", "bob's own 2", "ad");
	await page.locator(".problem").waitFor();
	assert.match(await page.locator(".problem").textContent(), /PASSWORD_WRONG/);
	assert.equal(await page.locator("nav.menu").count(), 0);
});

test("a directory that is away is said to be away, and costs no try", async () => {
	const page = await world.page("ja");
	server.program.kill();
	await server.ended;
	for (let i = 0; i < 6; i++) {
		await fillIn(page, "alice", "縁側 alice's own 1", "ad");
		await page.locator(".problem").waitFor();
		assert.match(await page.locator(".problem").textContent(), /DIRECTORY_UNREACHABLE/);
	}
	await world.shot(page, "sign-in-ldap-away-ja");
	Object.assign(server, await startServer(server.folder, server.port));
	await until("the way in again", async () => {
		await fillIn(page, "alice", "縁側 alice's own 1", "ad");
		await page.locator(".problem, nav.menu").first().waitFor({ state: "attached" });
		return page.locator("nav.menu").count();
	});
});
