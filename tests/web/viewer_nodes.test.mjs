// Several nodes on one Redis, each with an address of its own: a page of one node comes to an office PC at another,
// and when that node dies, page and office PC meet again at a third. Every number is there, once and in order.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { takeInHand } from "./viewer_hand.mjs";
import { Desktop, Host, Program, SHOTS, until, ViewerWorld } from "./viewer_world.mjs";
import { Gateway } from "./world.mjs";

/** Nobody else is given it: below the ports that the system gives to whoever asks for any. */
async function freePort() {
	for (;;) {
		const port = 20000 + Math.floor(Math.random() * 10000);
		const server = createServer();
		const free = await new Promise((resolve) => server.once("error", () => resolve(false)).listen(port, "127.0.0.1", () => resolve(true)));
		if (!free) continue;
		await new Promise((resolve) => server.close(resolve));
		return port;
	}
}

class NodesWorld extends ViewerWorld {
	nodes = [];

	async begin(count) {
		mkdirSync(SHOTS, { recursive: true });
		this.desktop = new Desktop(this.folder);
		const folder = join(this.folder, "redis");
		mkdirSync(folder);
		const socket = join(folder, "s");
		this.redis = new Program("redis", ["redis-server", "--port", "0", "--unixsocket", socket, "--dir", folder, "--appendonly", "yes", "--save", "", "--maxmemory-policy", "noeviction"]);
		const ask = () => {
			try {
				return execFileSync("redis-cli", ["-s", socket, "ping"], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
			} catch {
				return "";
			}
		};
		await until("Redis to answer", () => ask().trim() === "PONG");
		const listens = [];
		this.gateway.init();
		for (let i = 0; i < count; i++) listens.push(`127.0.0.1:${await freePort()}`);
		for (const [i, listen] of listens.entries()) {
			const node = i ? new Gateway(this.folder, `node${i + 1}`).init("--from", this.gateway.data) : this.gateway;
			const file = join(this.folder, `node${i + 1}.conf`);
			// A claim whose node died is free again soon; a busy machine keeps its own.
			writeFileSync(file, `[node]\naddress = ${listen}\n[web]\nnodes = ${listens.join(", ")}\n[relay]\nclaim_ttl = 4s\nclaim_renew = 1s\npresence_ttl = 4s\npresence_renew = 1s\n`);
			const options = ["--store", `redis+unix://${socket}?deadline_ms=5000`, "--config", file];
			node.again = () => node.start("127.0.0.1:0", listen, options);
			await node.again();
			this.nodes.push(node);
		}
		this.alsoAt = listens.map((listen) => `https://${listen}`);
		this.license = await this.gateway.good("POST", "/licenses", { holder: "佐藤 花子" });
		this.browser = await this.browserFor(this.nodes);
		await this.desktop.begin();
		return this;
	}

	/** The node that has joined the session last, by its own word. */
	carrier() {
		const opened = this.nodes.map((node) => Math.max(0, ...[...node.output.matchAll(/session opened.*?fence=(\d+)/g)].map(([, fence]) => Number(fence))));
		return this.nodes[opened.indexOf(Math.max(...opened))];
	}

	async end() {
		try {
			await super.end();
		} finally {
			for (const node of this.nodes.slice(1)) await node.stop();
			await this.redis?.stop();
		}
		for (const node of this.nodes) assert.ok(!/AddressSanitizer|LeakSanitizer|runtime error:/.test(node.output), node.output);
	}
}

let world;
before(async () => {
	world = await new NodesWorld().begin(3);
});
after(async () => world?.end());

/** Types the numbers, one after the other. */
async function type(hand, from, to) {
	let text = "";
	for (let number = from; number <= to; number++) {
		await hand.page.keyboard.type(`${number} `);
		text += `${number} `;
	}
	return text;
}

test("a page of one node, an office PC at another; that node is killed, then the next is drained, while somebody types", async () => {
	const [one, two, three] = world.nodes;
	// The page knows the first node only; the office PC is at the second, and knows the third.
	world.host = await new Host(world.folder, one, world.license).enroll(`${two.address},${three.address}`).start(world.desktop);
	const hand = await takeInHand(world, "ja", { at: `https://${one.address}` });
	await hand.pair();
	await hand.live();
	const first = world.carrier();
	assert.notEqual(first, one, "the office PC is not at the node of the page");
	await until("the first node to have said where it is", () => one.output.includes("HOST_ELSEWHERE"));
	const typed = await world.desktop.typing();
	let text = await type(hand, 1, 40);
	await until("some of it at the office", () => typed().length > 20);
	first.program.kill("SIGKILL");
	await first.ended;
	text += await type(hand, 41, 120);
	await until("another node to carry the session", () => world.carrier() !== first);
	await hand.live();
	text += await type(hand, 121, 160);
	await hand.typed(typed, text);
	await first.again();
	// One password was asked for once: the first node's token was enough at the others.
	const logins = (await one.good("GET", `/journal/logins?license=${world.license.id}`)).items;
	assert.ok(logins.every((row) => row.result === "ok"), JSON.stringify(logins));

	const second = world.carrier();
	await world.gateway.good("POST", `/nodes/${second.made.node}/drain`, {});
	text += await type(hand, 161, 200);
	await until("another node to carry the session", () => world.carrier() !== second);
	await hand.live();
	text += await type(hand, 201, 220);
	await hand.typed(typed, text);
	await world.gateway.good("POST", `/nodes/${second.made.node}/undrain`, {});
	await hand.leave();
});
