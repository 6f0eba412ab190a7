// viewer_served: a company's own web server, and what a browser has asked on the network.

import { readFileSync } from "node:fs";
import { createServer } from "node:https";
import { extname, join } from "node:path";

import { BUILD } from "./viewer_world.mjs";
import { Gateway } from "./world.mjs";

const SITE = join(BUILD, "viewer/web/site");
const TYPES = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".json": "application/json" };

/** The files of the build and the headers of docs/OPERATIONS.md. {address, gateway: HOST:PORT, set later, close()} */
export async function companyServer(folder) {
	const files = new Gateway(folder, "company").init().data;
	const site = { gateway: "" };
	const certificate = { cert: readFileSync(join(files, "node.pem")), key: readFileSync(join(files, "node.key")) };
	const server = createServer(certificate, (asked, answer) => {
		const path = asked.url === "/" ? "/index.html" : asked.url;
		answer.setHeader(
			"Content-Security-Policy",
			`default-src 'none'; script-src 'self'; worker-src 'self'; style-src 'self'; connect-src 'self' wss://${site.gateway}; img-src 'self' data: blob:; ` +
				"frame-ancestors 'none'; base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types engawa-worker",
		);
		answer.setHeader("Content-Type", TYPES[extname(path)] ?? "text/plain");
		try {
			answer.end(path === "/gateways.json" ? JSON.stringify({ gateways: [site.gateway] }) : readFileSync(join(SITE, path)));
		} catch {
			answer.writeHead(404).end();
		}
	});
	await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
	site.address = `127.0.0.1:${server.address().port}`;
	site.close = () => {
		server.closeAllConnections();
		server.close();
	};
	return site;
}

/** Whom pages of 127.0.0.1 made the browser ask, by its own log of the network (--log-net-log): requests of pages and
 * workers alike, WebSockets, names, where links lead. */
export function askedIn(file) {
	const { events, constants } = JSON.parse(readFileSync(file, "utf8"));
	const names = Object.fromEntries(Object.entries(constants.logEventTypes).map(([name, number]) => [number, name]));
	const asked = new Set();
	for (const { type, params } of events) {
		const by = `${params?.initiator} ${params?.network_isolation_key} ${params?.network_anonymization_key}`;
		if (!by.includes("https://127.0.0.1")) continue; // Chromium's own, of no page
		if (names[type] === "URL_REQUEST_START_JOB") asked.add(new URL(params.url).origin);
		if (names[type] === "HOST_RESOLVER_MANAGER_REQUEST") asked.add(params.host);
	}
	// Chromium describes every form of every page to its own service, whatever the page says.
	return [...asked].filter((origin) => !origin.includes("content-autofill.googleapis.com")).sort();
}
