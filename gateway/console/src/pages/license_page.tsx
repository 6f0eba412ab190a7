// license_page: everything about one license, and what can be done with it.

import { useState } from "preact/hooks";

import { all, ask, get, may } from "../api/client";
import { useData } from "../api/data";
import { type Problem, problemOf } from "../api/problem";
import { isEmpty, usage } from "../api/usage";
import type { Device, Host, Items, License, PolicyBody, Session } from "../api/types";
import { Button, Card, Empty, Facts, Loading, Page, ProblemBox, Shown, Tabs, When } from "../parts/basics";
import { confirm } from "../parts/dialog";
import { Table } from "../parts/table";
import { say } from "../parts/toast";
import { minute } from "../format";
import { path } from "../route";
import { fill, named, w } from "../words";
import { hostName, unbind } from "./hosts";
import { editLicense, renew, setLicenseTotp } from "./license_forms";
import { Labels, LicenseState, Online } from "./license_words";
import { PolicyFacts } from "./policy_words";
import { sessionColumns } from "./sessions";
import { UsageChart } from "./usage_chart";

const DAY_MS = 86400000;
const USAGE_DAYS = 30;

function at(id: string, rest = ""): string {
	return `/licenses/${encodeURIComponent(id)}${rest}`;
}

async function disable(license: License): Promise<boolean> {
	const words = w().licenses;
	const done = await confirm({
		title: fill(words.disable_title, { holder: license.holder }),
		text: fill(words.disable_text, { id: license.id }),
		act: w().act.disable,
		danger: true,
		run: () => ask("PATCH", at(license.id), { body: { state: "disabled" } }),
	});
	if (done) say(words.disabled);
	return done;
}

async function remove(license: License): Promise<boolean> {
	const words = w().licenses;
	const done = await confirm({
		title: fill(words.delete_title, { holder: license.holder }),
		text: fill(words.delete_text, { id: license.id }),
		act: w().act.delete,
		danger: true,
		run: () => ask("DELETE", at(license.id)),
	});
	if (done) say(words.deleted);
	return done;
}

function Actions(props: { license: License; bound: boolean; again: () => void; fail: (problem: Problem) => void }) {
	const words = w().licenses;
	const { license, again } = props;
	const doing = (act: () => Promise<unknown>) => () => {
		act().then(again, (error: unknown) => props.fail(problemOf(error)));
	};
	const write = may("license.write");
	return (
		<>
			{may("license.reset") && license.locked_until_ms && (
				<Button
					onClick={doing(async () => {
						await ask("POST", at(license.id, "/unlock"), { body: {} });
						say(words.unlocked);
					})}
				>
					{words.unlock}
				</Button>
			)}
			{may("license.reset") && <Button onClick={doing(() => renew(license, "password"))}>{words.reset}</Button>}
			{write && <Button onClick={doing(() => renew(license, "rotate"))}>{words.rotate}</Button>}
			{props.bound && may("host.write") && <Button onClick={doing(() => unbind(license.id, license.holder))}>{words.unbind}</Button>}
			{write &&
				(license.state === "enabled" ? (
					<Button onClick={doing(() => disable(license))}>{w().act.disable}</Button>
				) : (
					<Button
						onClick={doing(async () => {
							await ask("PATCH", at(license.id), { body: { state: "enabled" } });
							say(words.enabled);
						})}
					>
						{w().act.enable}
					</Button>
				))}
			{write && (
				<Button
					tone="danger"
					onClick={() =>
						void remove(license).then((done) => {
							if (done) location.hash = path("licenses");
						})
					}
				>
					{w().act.delete}
				</Button>
			)}
			{write && (
				<Button tone="main" onClick={doing(() => editLicense(license))}>
					{words.edit}
				</Button>
			)}
		</>
	);
}

function Codes(props: { license: License; again: () => void; fail: (problem: Problem) => void }) {
	const words = w().licenses;
	const { license } = props;
	if (license.totp === undefined) return null;
	const change = () => {
		const act = license.totp
			? confirm({
					title: fill(words.totp_remove_title, { holder: license.holder }),
					text: fill(words.totp_remove_text, { id: license.id }),
					act: words.totp_remove,
					danger: true,
					run: () => ask("DELETE", at(license.id, "/totp")),
				})
			: setLicenseTotp(license);
		(act as Promise<unknown>).then(props.again, (error: unknown) => props.fail(problemOf(error)));
	};
	return (
		<span class="actions">
			{license.totp ? words.totp_on : words.totp_off}
			{may("license.reset") && (
				<Button small onClick={change}>
					{license.totp ? words.totp_remove : words.totp_set}
				</Button>
			)}
		</span>
	);
}

function OverviewTab(props: { license: License; host: Host | null; again: () => void; fail: (problem: Problem) => void }) {
	const words = w().licenses;
	const { license, host } = props;
	return (
		<Card>
			{license.locked_until_ms ? <p class="warning">{fill(words.locked_until, { time: minute(license.locked_until_ms) })}</p> : null}
			<Facts
				rows={[
					[words.id, <code>{license.id}</code>],
					[words.holder, license.holder],
					[words.tenant, license.tenant],
					[words.group, license.group],
					[words.labels, Object.keys(license.labels).length > 0 && <Labels labels={license.labels} />],
					[words.expires, <When ms={license.expires_ms} none={w().state.never} />],
					[words.created, <When ms={license.created_ms} />],
					[words.changed, <When ms={license.changed_ms} />],
					[
						words.connection,
						host && (
							<>
								<a href={path("hosts", license.id)}>{hostName(host)}</a> <Online online={host.online} />
							</>
						),
					],
					[words.totp, license.totp !== undefined && <Codes license={license} again={props.again} fail={props.fail} />],
					[words.note, license.note],
				]}
			/>
		</Card>
	);
}

interface Levels {
	effective: PolicyBody;
	levels: { from: string; policy: PolicyBody }[];
}

function levelName(from: string): string {
	const words = w().licenses;
	const [kind, ...name] = from.split("/");
	const names: Record<string, string> = {
		default: words.policy_default,
		tenant: words.policy_tenant,
		group: words.policy_group,
		license: words.policy_license,
	};
	return [names[kind ?? ""] ?? kind, name.join("/")].filter(Boolean).join(": ");
}

function PolicyTab(props: { id: string }) {
	const words = w().licenses;
	const data = useData((signal) => get<Levels>(at(props.id, "/policy"), {}, signal), [props.id], ["policy", "license", "group"]);
	return (
		<Shown data={data}>
			{(found) => (
				<>
					<Card title={words.policy_effective}>
						<PolicyFacts policy={found.effective} />
					</Card>
					<Card title={words.policy_levels}>
						{found.levels.map((level) => (
							<div key={level.from} class="stack">
								<h3>{levelName(level.from)}</h3>
								<PolicyFacts policy={level.policy} />
							</div>
						))}
					</Card>
				</>
			)}
		</Shown>
	);
}

function DevicesTab(props: { license: License }) {
	const words = w().licenses;
	const { license } = props;
	const data = useData((signal) => all<Device>(at(license.id, "/devices"), {}, signal), [license.id], ["license", "session"]);
	const forget = async (device: Device) => {
		const id = device.id ?? device.device ?? "";
		const done = await confirm({
			title: fill(words.device_forget_title, { name: device.name || id }),
			text: fill(words.device_forget_text, { id: license.id }),
			act: words.device_forget,
			danger: true,
			run: () => ask("DELETE", at(license.id, `/devices/${encodeURIComponent(id)}`)),
		});
		if (done) data.again();
	};
	return (
		<Shown data={data}>
			{(devices) => (
				<>
					{license.devices.length > 0 && <p class="note">{fill(words.only_devices, { list: license.devices.join(", ") })}</p>}
					{devices.length ? (
						<Table
							label={words.devices}
							rows={devices}
							rowKey={(one) => one.id ?? one.device ?? ""}
							columns={[
								{
									head: words.device,
									width: "minmax(9rem, 2fr)",
									cell: (one) => (
										<>
											{one.name || "–"}
											<span class="sub">
												<code>{one.id ?? one.device}</code>
											</span>
										</>
									),
								},
								{ head: words.device_kind, width: "8rem", from: 560, cell: (one) => named(w().policy.kind_names, one.kind) || "–" },
								{ head: words.device_first, width: "10rem", from: 900, cell: (one) => <When ms={one.first_ms} short /> },
								{ head: words.device_last, width: "10rem", from: 700, cell: (one) => <When ms={one.last_ms ?? one.seen_ms} short /> },
								...(may("license.write")
									? [
											{
												head: words.device_forget,
												hideHead: true,
												end: true,
												width: "8rem",
												cell: (one: Device) => (
													<Button small tone="danger" label={`${words.device_forget}: ${one.name ?? ""}`} onClick={() => void forget(one)}>
														{words.device_forget}
													</Button>
												),
											},
										]
									: []),
							]}
						/>
					) : (
						<Empty text={words.devices_none} />
					)}
				</>
			)}
		</Shown>
	);
}

function SessionsTab(props: { id: string }) {
	const words = w().licenses;
	const data = useData((signal) => get<Items<Session>>("/sessions", { license: props.id }, signal), [props.id], ["session"]);
	return (
		<Shown data={data}>
			{(page) =>
				page.items.length ? (
					<Table label={words.sessions} columns={sessionColumns()} rows={page.items} rowKey={(one) => one.id} />
				) : (
					<Empty text={words.sessions_none} />
				)
			}
		</Shown>
	);
}

function UsageTab(props: { id: string }) {
	const words = w().licenses;
	const data = useData(
		(signal) => {
			const to = Date.now();
			return usage({ license: props.id }, to - USAGE_DAYS * DAY_MS, to, "day", signal);
		},
		[props.id],
		["session"],
	);
	return (
		<Card title={words.usage_30} actions={<a href={path("history", "", { license: props.id })}>{words.to_history}</a>}>
			<Shown data={data}>
				{(found) => (isEmpty(found) ? <Empty text={words.usage_none} /> : <UsageChart label={words.usage_30} usage={found} />)}
			</Shown>
		</Card>
	);
}

async function hostOf(id: string, signal: AbortSignal): Promise<Host | null> {
	try {
		return await get<Host>(`/hosts/${encodeURIComponent(id)}`, {}, signal);
	} catch (error) {
		if (problemOf(error).status === 404) return null;
		throw error;
	}
}

export function LicensePage(props: { id: string; tab: string }) {
	const words = w().licenses;
	const { id } = props;
	const data = useData(
		async (signal) => ({ license: await get<License>(at(id), {}, signal), host: may("host.read") ? await hostOf(id, signal) : null }),
		[id],
		["license", "host"],
	);
	const [problem, setProblem] = useState<Problem | null>(null);
	const license = data.value?.license;
	const tabs = [
		{ id: "overview", text: words.overview },
		...(may("policy.read") ? [{ id: "policy", text: words.policy }] : []),
		{ id: "devices", text: words.devices },
		...(may("session.read") ? [{ id: "sessions", text: words.sessions }] : []),
		...(may("journal.read") ? [{ id: "usage", text: words.history }] : []),
	].map((tab) => ({ ...tab, href: path("licenses", id, tab.id === "overview" ? {} : { tab: tab.id }) }));
	const again = () => {
		setProblem(null);
		data.again();
	};
	return (
		<Page
			title={license?.holder ?? id}
			back={{ href: path("licenses"), text: words.title }}
			lead={
				license && (
					<>
						<code>{license.id}</code> <LicenseState license={license} />
					</>
				)
			}
			actions={license && <Actions license={license} bound={Boolean(data.value?.host)} again={again} fail={setProblem} />}
		>
			<ProblemBox problem={problem} />
			<Tabs tabs={tabs} now={props.tab} label={words.title} />
			<ProblemBox problem={data.problem} retry={data.again} />
			{data.value ? (
				<>
					{props.tab === "overview" && <OverviewTab license={data.value.license} host={data.value.host} again={again} fail={setProblem} />}
					{props.tab === "policy" && <PolicyTab id={id} />}
					{props.tab === "devices" && <DevicesTab license={data.value.license} />}
					{props.tab === "sessions" && <SessionsTab id={id} />}
					{props.tab === "usage" && <UsageTab id={id} />}
				</>
			) : (
				!data.problem && <Loading />
			)}
		</Page>
	);
}

