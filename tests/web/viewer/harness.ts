// harness: tests that run alike in Node and in a page. Each is told by a line "ok NAME" or
// "not ok NAME: why"; the last line counts them.

const tests: { name: string; run: () => Promise<void> }[] = [];

export function test(name: string, run: () => Promise<void>): void {
	tests.push({ name, run });
}

export function assert(holds: boolean, what: string): void {
	if (!holds) throw new Error(what);
}

export function equals<T>(found: T, expected: T): void {
	if (found !== expected) throw new Error(`${String(found)} instead of ${String(expected)}`);
}

export async function rejects(act: () => Promise<unknown>): Promise<void> {
	try {
		await act();
	} catch {
		return;
	}
	throw new Error("was not refused");
}

export async function runAll(say: (line: string) => void): Promise<number> {
	let failed = 0;
	for (const { name, run } of tests) {
		try {
			await run();
			say(`ok ${name}`);
		} catch (error) {
			failed++;
			say(`not ok ${name}: ${error instanceof Error ? error.message : String(error)}`);
		}
	}
	say(`${tests.length - failed} passed, ${failed} failed`);
	return failed;
}
