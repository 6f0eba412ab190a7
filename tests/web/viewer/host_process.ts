// host_process: tunnel_host as a child of the test (Node only). ENGAWA_BUILD says where it was built.

import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { type Bytes, bytes, concat, integer } from "../../../viewer/web/base/bytes";

export interface HostProcess {
	heard: (kind: string, payload: Bytes) => void;
	say(kind: string, payload: Bytes): void;
	end(): void;
}

const HEAD = 5;

export async function startHost(): Promise<HostProcess> {
	const state = mkdtempSync(join(tmpdir(), "engawa-web-"));
	const program = join(process.env.ENGAWA_BUILD ?? "build", "tests", "tunnel_host");
	const child = spawn(program, [state], { stdio: ["pipe", "pipe", "inherit"] });
	let waiting: Bytes = bytes(0);
	const early: [string, Bytes][] = [];
	let heard: HostProcess["heard"] = (kind, payload) => void early.push([kind, payload]);
	child.stdout.on("data", (chunk: Uint8Array) => {
		waiting = concat(waiting, chunk);
		while (waiting.length >= HEAD) {
			const length = waiting.subarray(1, HEAD).reduce((sum, byte) => sum * 256 + byte, 0);
			if (waiting.length < HEAD + length) break;
			heard(String.fromCharCode(waiting[0] as number), waiting.slice(HEAD, HEAD + length));
			waiting = waiting.slice(HEAD + length);
		}
	});
	child.stdin.on("error", () => undefined);
	return {
		set heard(listener: HostProcess["heard"]) {
			heard = listener;
			for (const [kind, payload] of early.splice(0)) listener(kind, payload);
		},
		say: (kind, payload) =>
			void child.stdin.write(concat(Uint8Array.of(kind.charCodeAt(0)), integer(payload.length, 4), payload)),
		end: () => {
			child.stdin.end();
			child.once("exit", (code) => {
				rmSync(state, { recursive: true, force: true });
				if (code) throw new Error(`tunnel_host ended with ${code}`);
			});
		},
	};
}
