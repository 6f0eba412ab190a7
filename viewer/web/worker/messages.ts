// messages: what the page and the worker with the tunnel say to each other. Bytes are given away (transferred),
// never copied.

import type { Bytes } from "../base/bytes";
import type { Place } from "../store/places";
import type { Line, Meter } from "./viewer";

export type ToWorker =
	| { type: "start"; place: Place; password: string; totp: string; ticket: string; program: string }
	| { type: "code"; totp: string }
	| { type: "hurry" }
	| { type: "leave" }
	| { type: "stream" }
	| { type: "input"; stream: number; view: Bytes }
	| { type: "drawn"; stream: number; length: number }
	/** Answered by clip_done with the same number when it has reached the host. */
	| { type: "clip"; number: number; text: string };

export type FromWorker =
	| { type: "ready" }
	/** `why`: symbol of reason.def, "" when there is none. */
	| { type: "line"; line: Line; why: string; retryMs: number }
	| { type: "up"; resumed: boolean; rights: number; hostName: string; width: number; height: number; gateway: string }
	| { type: "rights"; rights: number }
	| { type: "notice"; en: string; ja: string }
	| { type: "news"; notices: Record<string, unknown> }
	| { type: "code"; why: string }
	| { type: "paired"; hostName: string }
	| { type: "begun"; stream: number }
	| { type: "picture"; stream: number; view: Bytes }
	| { type: "stream_closed"; stream: number }
	| { type: "clip"; text: string }
	| { type: "clip_done"; number: number; sent: boolean }
	| { type: "meter"; meter: Meter }
	/** `why` "": the person left. `detail`: what exactly, for people. */
	| { type: "ended"; why: string; detail: string; retryMs: number };
