// clipboard: what is copied here and what is copied at the office, as far as the rights and this browser let it.
//
// A browser hands out its clipboard when the person pastes; some also when the window is looked at, if the person
// has permitted that. It takes a text when its window has the focus; when it does not, the text waits and is
// offered.

const MOST = 1024 * 1024;

export interface ClipboardOut {
	/** Resolves when the host has it; false: it was not sent. */
	send(text: string): Promise<boolean>;
	/** A text of the office that this browser has not taken; "" when there is none any more. */
	waits(text: string): void;
	/** Copied here, and longer than may be sent. */
	tooLong(): void;
}

export class Clipboard {
	/** The text that both sides have. */
	private known = "";
	/** Until the host has it. */
	private giving: Promise<boolean> | null = null;
	private fromOffice = "";
	private isWaiting = false;
	private readonly ends = new AbortController();
	mayGo = false;
	mayCome = false;

	constructor(private readonly out: ClipboardOut) {
		window.addEventListener("focus", () => void this.look(), { signal: this.ends.signal });
	}

	/** Another session: nobody knows what the host has. */
	begin(): void {
		this.known = "";
	}

	end(): void {
		this.ends.abort();
		this.known = this.fromOffice = "";
	}

	/** What the office has last copied, for the panel. */
	get office(): string {
		return this.fromOffice;
	}

	/** Typed or pasted by the person. True: the office has it. */
	async give(text: string): Promise<boolean> {
		if (!this.mayGo || !text) return false;
		// On its way is not there: keys that paste it have to wait for it, too. And what the office copies meanwhile is
		// not told to whom it may not come.
		if (text === this.known && (this.giving || this.mayCome)) return this.giving ?? true;
		if (new TextEncoder().encode(text).length > MOST) {
			this.out.tooLong();
			return false;
		}
		const before = this.known;
		this.known = text;
		const giving = this.out.send(text);
		this.giving = giving;
		const sent = await giving;
		if (this.giving === giving) this.giving = null;
		if (!sent && this.known === text) this.known = before;
		return sent;
	}

	/** Copied at the office. */
	async take(text: string): Promise<void> {
		if (!this.mayCome || !text) return;
		this.known = this.fromOffice = text;
		await this.put();
	}

	/** Once more, now that the person has touched something. */
	async put(): Promise<boolean> {
		const text = this.fromOffice;
		try {
			await navigator.clipboard.writeText(text);
			this.isWaiting = false;
		} catch {
			this.isWaiting = true;
		}
		this.out.waits(this.isWaiting ? text : "");
		return !this.isWaiting;
	}

	/** The window is looked at again: what was copied elsewhere meanwhile. Asks nobody for a permission. */
	async look(): Promise<void> {
		if (this.isWaiting) await this.put();
		if (!this.mayGo) return;
		try {
			const { state } = await navigator.permissions.query({ name: "clipboard-read" as PermissionName });
			if (state === "granted") await this.give(await navigator.clipboard.readText());
		} catch {
			// A browser that does not hand it out; pasting works.
		}
	}
}
