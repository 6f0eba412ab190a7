// problem: why a request was refused, as the gateway says it (RFC 9457 with code, message and hint).

export class Problem extends Error {
	readonly status: number;
	readonly code: string;
	readonly hint: string;
	readonly detail: string;
	readonly field: string;

	constructor(body: Partial<Record<string, unknown>>, status: number) {
		const text = (name: string) => (typeof body[name] === "string" ? (body[name] as string) : "");
		super(text("message") || text("title"));
		this.status = status;
		this.code = text("code") || `HTTP_${status}`;
		this.hint = text("hint");
		this.detail = text("detail");
		this.field = text("field");
	}
}

/** No answer at all: the line or the gateway is away. The page says it in its own words. */
export const UNREACHABLE = "UNREACHABLE";

export function unreachable() {
	return new Problem({ code: UNREACHABLE }, 0);
}

export function problemOf(error: unknown): Problem {
	if (error instanceof Problem) return error;
	return new Problem({ code: "PAGE", message: String(error) }, 0);
}

/** Somebody closed the dialog that a request was waiting for. */
export const GIVEN_UP = "GIVEN_UP";
