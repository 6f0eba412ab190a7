// license_words: how licenses, hosts and sessions are named and marked wherever they appear.

import type { License, Session } from "../api/types";
import { Badge } from "../parts/basics";
import { path } from "../route";
import { w } from "../words";

/** Members that are a number of ms or RFC 3339 text, whichever a document has. */
export function ms(value: string | number | undefined | null): number {
	if (typeof value === "number") return value;
	if (!value) return 0;
	const found = Date.parse(value);
	return Number.isNaN(found) ? 0 : found;
}

export function LicenseState(props: { license: License }) {
	const { license } = props;
	const words = w().state;
	if (license.state === "disabled") return <Badge mood="bad">{words.disabled}</Badge>;
	if (license.expired) return <Badge mood="warn">{words.expired}</Badge>;
	if (license.locked_until_ms) return <Badge mood="warn">{words.locked}</Badge>;
	return <Badge mood="good">{words.enabled}</Badge>;
}

export function Online(props: { online: boolean | undefined }) {
	if (props.online === undefined) return <span class="muted">–</span>;
	return <Badge mood={props.online ? "good" : "calm"}>{props.online ? w().state.online : w().state.offline}</Badge>;
}

export function SessionState(props: { session: Session }) {
	const away = props.session.state === "away";
	return <Badge mood={away ? "warn" : "good"}>{away ? w().state.away : w().state.live}</Badge>;
}

export function LicenseLink(props: { id: string; text?: string }) {
	return <a href={path("licenses", props.id)}>{props.text || props.id}</a>;
}

export function Labels(props: { labels: Record<string, string> | undefined }) {
	const all = Object.entries(props.labels ?? {});
	if (!all.length) return <span class="muted">–</span>;
	return (
		<span class="labels">
			{all.map(([name, value]) => (
				<span key={name} class="label">
					{value ? `${name}=${value}` : name}
				</span>
			))}
		</span>
	);
}
