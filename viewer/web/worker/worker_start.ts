// worker_start: starts the worker with the tunnel, one for each session. Under Trusted Types nothing becomes a script but what a
// policy lets through; this is the page's only one, and it knows one script: the worker's file, or in the
// offline file the text that came with it.

import { workerFile, workerText } from "worker-file";

interface Policy {
	createScriptURL(url: string): string;
}
interface Policies {
	createPolicy(name: string, rules: { createScriptURL(url: string): string }): Policy;
}

const address = workerText ? URL.createObjectURL(new Blob([workerText], { type: "text/javascript" })) : workerFile;
const policies = (globalThis as { trustedTypes?: Policies }).trustedTypes;
const policy = policies?.createPolicy("engawa-worker", {
	createScriptURL(url) {
		if (url !== address) throw new TypeError("no script of this page");
		return url;
	},
});

function made(): Worker {
	return new Worker(policy ? policy.createScriptURL(address) : address, { name: "tunnel" });
}

let spare: Worker | null = null;

/** A click need not wait for it then. */
export function prepareWorker(): void {
	if (spare) return;
	const worker = made();
	worker.onerror = (event) => {
		// The one that is started when it is needed says what is wrong.
		event.preventDefault();
		if (spare === worker) spare = null;
	};
	spare = worker;
}

export function startWorker(): Worker {
	const worker = spare ?? made();
	spare = null;
	return worker;
}
