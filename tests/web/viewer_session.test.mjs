// What a session of the native viewer goes through, in a browser: a company's rules change meanwhile, a line hangs
// without breaking, the agent is started anew.
//
// The native viewer's tests and where a browser passes them:
//   test_main_job   text, Japanese, editor, mouse, clipboard, held keys   viewer_day, viewer_keys, viewer_clipboard
//   test_refusals   every refusal that an employee can meet               viewer_refusals, viewer_places
//   test_survive    nodes killed, lines cut and frozen                    viewer_nodes, viewer_resume, here
//   test_redirect   the office PC at another node                         viewer_nodes
//   test_drain      a node that leaves in order                           viewer_nodes
//   test_ends       consent, rules, one-time codes                        viewer_refusals, here
//   test_window     scaling, monitors, the dimmed picture, figures        viewer_keys, viewer_resume

import assert from "node:assert/strict";
import { connect, createServer } from "node:net";
import { after, afterEach, before, test } from "node:test";

import { takeInHand } from "./viewer_hand.mjs";
import { openViewer, until } from "./viewer_world.mjs";

/** A line that can hang: nothing gets through any more, and nobody is told. */
class HangingLine {
	#pairs = new Set();
	hangs = false;

	async begin(address) {
		const [host, port] = address.split(":");
		this.server = createServer((near) => {
			const far = connect(Number(port), host);
			const pair = [near, far];
			this.#pairs.add(pair);
			for (const [one, other] of [pair, [far, near]])
				one.on("error", () => undefined).on("close", () => {
					this.#pairs.delete(pair);
					other.destroy();
				});
			if (!this.hangs) this.#join(pair);
		});
		await new Promise((ready) => this.server.listen(0, "127.0.0.1", ready));
		this.address = `127.0.0.1:${this.server.address().port}`;
		return this;
	}

	#join([near, far]) {
		near.pipe(far);
		far.pipe(near);
	}

	hang() {
		this.hangs = true;
		for (const [near, far] of this.#pairs) {
			near.unpipe(far);
			far.unpipe(near);
		}
	}

	goOn() {
		this.hangs = false;
		for (const pair of this.#pairs) this.#join(pair);
	}

	end() {
		for (const [near] of this.#pairs) near.destroy();
		this.server.close();
	}
}

let world;
let line;
let hand;
before(async () => {
	world = await openViewer({ config: "[relay]\nkeepalive = 4s\n" });
	line = await new HangingLine().begin(world.gateway.address);
	world.alsoAt.push(`https://${line.address}`);
	hand = await takeInHand(world, "ja", { at: `https://${line.address}` });
	await hand.pair();
	await hand.live();
	await hand.leave();
});
// What a test has left, whether it failed or not: no rule, no session, the page at its list.
afterEach(async () => {
	line?.goOn();
	if (!world.host.program.alive()) await world.host.start(world.desktop);
	world.host.veto("");
	await world.gateway.good("PUT", "/policies/default", {});
	if (await hand.page.locator("main.session").count()) await hand.leave();
	await until("no session", async () => {
		await world.gateway.rest("DELETE", `/sessions/${world.license.id}`);
		return !(await world.gateway.good("GET", "/sessions")).items.length;
	});
});
after(async () => {
	line?.end();
	await world?.end();
});

test("a company's rules reach a session that lives", async () => {
	const typed = await world.desktop.typing();
	await hand.connect();
	await hand.live();
	await hand.page.keyboard.type("before");
	await hand.typed(typed, "before");
	await world.gateway.good("PUT", "/policies/default", { rights: ["view"] });
	await hand.page.locator(".bar").getByText(hand.w.session.view_only, { exact: true }).waitFor();
	await hand.page.keyboard.type("nothing of this");
	await world.gateway.good("PUT", "/policies/default", { viewer_kinds: ["native"] });
	await hand.refused("POLICY");
	await world.gateway.good("PUT", "/policies/default", {});
	await hand.connect();
	await hand.live();
	await hand.page.keyboard.type(", after");
	await hand.typed(typed, "before, after");
});

test("a line that hangs is given up, and what was typed meanwhile is there once", async () => {
	const typed = await world.desktop.typing();
	await hand.connect();
	await hand.live();
	await hand.page.keyboard.type("It is typed ");
	line.hang();
	await hand.page.keyboard.type("while nothing gets through, ");
	await hand.page.locator('main.session[data-line="reconnecting"]').waitFor();
	await hand.page.keyboard.type("and nobody has said so, ");
	line.goOn();
	await hand.live();
	await hand.page.keyboard.type("until it does.");
	await hand.typed(typed, "It is typed while nothing gets through, and nobody has said so, until it does.");
});

test("the agent is started anew: the page is there again by itself", async () => {
	const typed = await world.desktop.typing();
	await hand.connect();
	await hand.live();
	await hand.page.keyboard.type("one ");
	await hand.typed(typed, "one ");
	await world.host.program.stop("SIGKILL");
	await hand.page.locator('main.session[data-line="reconnecting"]').waitFor();
	await world.host.start(world.desktop);
	await hand.live();
	await hand.page.keyboard.type("two");
	await hand.typed(typed, "one two");
});
