// worker_start: starts the worker with the tunnel. Under Trusted Types nothing becomes a script but what a
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

export function startWorker(): Worker {
	return new Worker(policy ? policy.createScriptURL(address) : address, { name: "tunnel" });
}
