// types: what the REST API answers, as far as the console reads it (docs/openapi.yaml has all of it).

export interface Items<T> {
	items: T[];
	next: string | null;
	total?: number;
}

export interface Me {
	name: string;
	full_name: string;
	mail: string;
	tenant: string;
	language: string;
	roles: string[];
	permissions: string[];
	must: string[];
	csrf: string;
	totp: boolean;
	recovery_codes_left: number;
	step_up_until_ms: number;
	idle_end_ms: number;
	end_ms: number;
	/** Where the person signed in; "": here, by password. */
	directory: string;
}

export interface Directory {
	id: string;
	name: string;
	kind: "oidc" | "ldap";
}

export interface Qr {
	size: number;
	rows: string[];
}

export interface TotpSetup {
	secret: string;
	uri: string;
	qr: Qr;
}

export type PolicyBody = Record<string, unknown>;

export interface License {
	id: string;
	tenant: string;
	holder: string;
	group: string;
	labels: Record<string, string>;
	note: string;
	state: "enabled" | "disabled";
	expired: boolean;
	expires_ms: number;
	created_ms: number;
	changed_ms: number;
	devices: string[];
	policy: PolicyBody;
	online?: boolean;
	locked_until_ms?: number;
	directory?: string;
	directory_user?: string;
	totp?: boolean;
}

export interface LicenseSecrets extends License {
	key?: string;
	password?: string;
}

export interface Host {
	license: string;
	tenant: string;
	holder?: string;
	device?: string;
	device_id?: string;
	name?: string;
	online: boolean;
	node?: string;
	address?: string;
	program?: string;
	inventory?: Record<string, unknown>;
	seen?: string | number;
	seen_ms?: number;
	bound?: string | number;
	bound_ms?: number;
}

export interface Session {
	id: string;
	tenant: string;
	license: string;
	holder: string;
	node: string;
	started: string;
	state: "live" | "away";
	host: string;
	host_address: string;
	viewer: string;
	viewer_address: string;
	viewer_kind: string;
	purpose: string;
	bytes_to_viewer: number;
	bytes_to_host: number;
	resumed: number;
	seen: string;
}

export interface Version {
	version: string;
	node: string;
	sessions: number;
	hosts: number;
	viewers: number;
	draining: boolean;
	started_ms: number;
	certificate_expires_ms: number;
}

export interface Device {
	id?: string;
	device?: string;
	name?: string;
	kind?: string;
	program?: string;
	first_ms?: number;
	last_ms?: number;
	seen_ms?: number;
	address?: string;
}

export interface Usage {
	step_ms: number;
	points: [number, number, number, number, number][];
	sums: { bytes_to_viewer: number; bytes_to_host: number; sessions: number; session_ms: number };
}

export interface JournalRow {
	seq: number;
	at?: string;
	at_ms?: number;
	tenant?: string;
	license?: string;
	[member: string]: unknown;
}

export interface Alarm {
	id: string;
	tenant: string;
	when: string;
	name?: string;
	text?: { en: string; ja: string } | string;
	at_ms?: number;
	fired_ms?: number;
	seen?: boolean;
	seen_ms?: number;
	[member: string]: unknown;
}

export interface Notice {
	id: string;
	tenant: string;
	kind: "planned_stop" | "end_of_service" | "news";
	text: { en: string; ja: string };
	from_ms: number;
	to_ms: number;
	show_from_ms?: number;
	places?: string[];
}
