// overview: what somebody wants to know first: is all well, who is connected, how much is carried.

import type { ComponentChildren } from "preact";

import { all, get, may, me } from "../api/client";
import { useData } from "../api/data";
import { isEmpty, usage } from "../api/usage";
import type { Alarm, Host, Items, Notice, Session, Version } from "../api/types";
import { Card, Empty, Page, Shown, When } from "../parts/basics";
import { Table } from "../parts/table";
import { ago, minute, number } from "../format";
import { path } from "../route";
import { language } from "../settings";
import { fill, named, w } from "../words";
import { count } from "../words/count";
import { sessionColumns } from "./sessions";
import { UsageChart } from "./usage_chart";

const DAY_MS = 86400000;
const HOUR_MS = 3600000;
const SHOWN = 8;
/** The certificate is spoken of when it has less than this. */
const CERTIFICATE_MS = 30 * DAY_MS;

function Figure(props: { name: string; value: ComponentChildren; more?: ComponentChildren; href: string; bad?: boolean }) {
	return (
		<a class={`figure${props.bad ? " bad" : ""}`} href={props.href}>
			<span class="figure-name">{props.name}</span>
			<span class="figure-value">{props.value}</span>
			{props.more && <span class="muted">{props.more}</span>}
		</a>
	);
}

/** How many there are, without fetching them. */
async function total(list: string, query: Record<string, string>, signal: AbortSignal): Promise<number> {
	const page = await get<Items<unknown>>(list, { ...query, limit: 1, count: 1 }, signal);
	if (page.total !== undefined) return page.total;
	return (await all<unknown>(list, query, signal, 100000)).length;
}

interface Counts {
	hosts: number;
	online: number;
	licenses: number;
	disabled: number;
}

function useCounts() {
	return useData<Counts>(
		async (signal) => {
			const hosts = await all<Host>("/hosts", {}, signal, 100000);
			return {
				hosts: hosts.length,
				online: hosts.filter((host) => host.online).length,
				licenses: await total("/licenses", {}, signal),
				disabled: await total("/licenses", { state: "disabled" }, signal),
			};
		},
		[me.get()?.name],
		["host", "license"],
	);
}

function Bandwidth() {
	const words = w().overview;
	const data = useData(
		(signal) => {
			const now = Math.ceil(Date.now() / HOUR_MS) * HOUR_MS;
			return usage({}, now - DAY_MS, now, "hour", signal);
		},
		[],
		["session"],
	);
	return (
		<Card title={words.bandwidth} wide>
			<Shown data={data}>
				{(found) => (isEmpty(found) ? <Empty text={words.no_usage} /> : <UsageChart label={words.bandwidth} usage={found} />)}
			</Shown>
		</Card>
	);
}

function Live(props: { data: ReturnType<typeof useData<Session[]>> }) {
	const words = w().overview;
	return (
		<Card
			title={words.longest}
			wide
			actions={
				<a href={path("sessions")} aria-label={`${words.show_all}: ${words.longest}`}>
					{words.show_all}
				</a>
			}
		>
			<Shown data={props.data}>
				{(sessions) =>
					sessions.length ? (
						<Table label={words.longest} columns={sessionColumns()} rows={sessions.slice(0, SHOWN)} rowKey={(one) => one.id} />
					) : (
						<Empty text={words.sessions_none} />
					)
				}
			</Shown>
		</Card>
	);
}

/** The gateway's own text in the reader's language. */
export function localText(text: { en: string; ja: string } | string | undefined): string {
	if (!text) return "";
	return typeof text === "string" ? text : text[language.get()] || text.en || text.ja;
}

function Alarms() {
	const words = w().overview;
	const data = useData((signal) => get<Items<Alarm>>("/alarms", { limit: SHOWN, seen: "no" }, signal), [], ["alarm"]);
	return (
		<Card title={words.alarms} actions={<a href={path("alerts")} aria-label={`${words.show_all}: ${words.alarms}`}>{words.show_all}</a>}>
			<Shown data={data}>
				{(page) =>
					page.items.length ? (
						<ul class="lines">
							{page.items.map((alarm) => (
								<li key={alarm.id}>
									<When ms={alarm.at_ms ?? alarm.fired_ms} short />
									<span>{localText(alarm.text) || named(w().alarm_kinds, alarm.when)}</span>
								</li>
							))}
						</ul>
					) : (
						<Empty text={words.alarms_none} />
					)
				}
			</Shown>
		</Card>
	);
}

function Notices() {
	const words = w().overview;
	const data = useData((signal) => get<Items<Notice>>("/notices/current", {}, signal), [], ["notice"]);
	return (
		<Card title={words.notices}>
			<Shown data={data}>
				{(page) =>
					page.items.length ? (
						<ul class="lines">
							{page.items.map((notice) => (
								<li key={notice.id}>
									<span>{localText(notice.text)}</span>
									<span class="muted">
										{minute(notice.from_ms)} – {notice.to_ms ? minute(notice.to_ms) : ""}
									</span>
								</li>
							))}
						</ul>
					) : (
						<Empty text={words.notices_none} />
					)
				}
			</Shown>
		</Card>
	);
}

function Warnings() {
	const words = w().overview;
	const version = useData((signal) => get<Version>("/version", {}, signal), []);
	const who = me.get();
	const expires = version.value?.certificate_expires_ms ?? 0;
	const soon = may("node.read") && expires > 0 && expires - Date.now() < CERTIFICATE_MS;
	const few = who?.totp && who.recovery_codes_left < 3;
	return (
		<>
			{soon && <p class="warning">{fill(words.certificate, { when: ago(expires) })}</p>}
			{few && (
				<p class="warning">
					<a href={path("settings")}>{count(words.recovery_low, who.recovery_codes_left)}</a>
				</p>
			)}
		</>
	);
}

export function Overview() {
	const words = w().overview;
	const counts = useCounts();
	const sessions = useData((signal) => all<Session>("/sessions", {}, signal), [], ["session"]);
	const alarms = may("alert.read");
	return (
		<Page title={words.title}>
			<Warnings />
			<Shown data={counts}>
				{(value) => (
					<div class="figures">
						<Figure
							name={words.hosts_online}
							value={number(value.online)}
							more={fill(words.of_hosts, { count: number(value.hosts) })}
							href={path("hosts")}
						/>
						<Figure name={words.sessions_live} value={sessions.value ? number(sessions.value.length) : "–"} href={path("sessions")} />
						<Figure
							name={words.licenses}
							value={number(value.licenses)}
							more={value.disabled ? fill(words.disabled, { count: number(value.disabled) }) : ""}
							href={path("licenses")}
						/>
					</div>
				)}
			</Shown>
			<div class="grid">
				<Live data={sessions} />
				{may("journal.read") && <Bandwidth />}
				{alarms && <Alarms />}
				<Notices />
			</div>
		</Page>
	);
}

