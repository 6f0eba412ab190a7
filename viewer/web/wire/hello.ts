// hello: which frame a node may send now to a viewer. One that does not fit the state ends the leg.
//
//   end:  HELLO            PROVE                 CONNECT            DATA … CLOSE
//   node:       CHALLENGE         WELCOME|REFUSED          OPEN     DATA … CLOSE

import { FRAME_DATA, FRAME_PING, FRAME_PONG, FRAME_SKIP_FROM } from "./frame";
import { messageName } from "./message";

export type HelloState = "asked" | "proving" | "idle" | "waiting" | "joined" | "ended";

export const GENERATION = 1;

const MAY: Record<HelloState, readonly string[]> = {
	asked: ["challenge", "refused"],
	proving: ["welcome", "refused"],
	idle: ["notice", "notices", "policy", "ping", "pong", "close"],
	waiting: ["open", "notice", "notices", "policy", "ping", "pong", "close"],
	joined: ["data", "close", "notice", "notices", "policy", "ping", "pong"],
	ended: [],
};

/** The name of a frame's type; "" for one that is skipped, undefined for an unknown one. */
export function frameName(type: number): string | undefined {
	if (type === FRAME_DATA) return "data";
	if (type === FRAME_PING) return "ping";
	if (type === FRAME_PONG) return "pong";
	return messageName(type) ?? (type >= FRAME_SKIP_FROM ? "" : undefined);
}

export function nodeMay(state: HelloState, name: string | undefined): boolean {
	if (name === "") return MAY[state].includes("close");
	return name !== undefined && MAY[state].includes(name);
}
