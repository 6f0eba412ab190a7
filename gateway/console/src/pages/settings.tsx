// settings: one's own account, how people sign in, programs, companies, keys and backups.

import { may, me } from "../api/client";
import { Page, Tabs } from "../parts/basics";
import { path } from "../route";
import { w } from "../words";
import { Backups } from "./settings_backups";
import { Directories } from "./settings_directories";
import { Own } from "./settings_me";
import { Security } from "./settings_security";
import { Tenants } from "./settings_tenants";
import { Tokens } from "./settings_tokens";

const SECTIONS = [
	{ id: "me", needs: "", show: Own },
	{ id: "security", needs: "account.read", show: Security },
	{ id: "directories", needs: "directory.read", show: Directories },
	{ id: "tokens", needs: "token.read", show: Tokens },
	{ id: "tenants", needs: "tenant.read", show: Tenants },
	{ id: "backups", needs: "backup", show: Backups },
] as const;

export function Settings(props: { id: string }) {
	const words = w().settings;
	const shown = SECTIONS.filter((section) => !section.needs || may(section.needs));
	const now = shown.find((section) => section.id === props.id) ?? SECTIONS[0];
	const Section = now.show;
	return (
		<Page title={words.title}>
			<Tabs label={words.title} now={now.id} tabs={shown.map(({ id }) => ({ id, text: words.tabs[id], href: path("settings", id === "me" ? "" : id) }))} />
			<Section key={`${now.id} ${me.get()?.name}`} />
		</Page>
	);
}
