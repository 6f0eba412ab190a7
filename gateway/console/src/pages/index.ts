// pages: the pages of the console in the order of the menu. A page is shown to those who have its
// permission (rules/role.def); "" is everybody.

import type { ComponentType } from "preact";

import { may } from "../api/client";
import type { IconName } from "../parts/icons";
import type { Words } from "../words";
import { Accounts } from "./accounts";
import { Alerts } from "./alerts";
import { Audit } from "./audit";
import { Checksheet } from "./checksheet";
import { History } from "./history";
import { Hosts } from "./hosts";
import { Licenses } from "./licenses";
import { Nodes } from "./nodes";
import { Notices } from "./notices";
import { Overview } from "./overview";
import { Policies } from "./policies";
import { Sessions } from "./sessions";
import { Settings } from "./settings";

export interface PageRow {
	name: IconName;
	group: keyof Words["groups"];
	needs: string;
	/** Gets what stands behind the page's name in the address. */
	show: ComponentType<{ id: string; query: Record<string, string> }>;
}

export const pages: PageRow[] = [
	{ name: "overview", group: "work", needs: "", show: Overview },
	{ name: "licenses", group: "work", needs: "license.read", show: Licenses },
	{ name: "sessions", group: "work", needs: "session.read", show: Sessions },
	{ name: "hosts", group: "work", needs: "host.read", show: Hosts },
	{ name: "history", group: "records", needs: "journal.read", show: History },
	{ name: "audit", group: "records", needs: "journal.read", show: Audit },
	{ name: "checksheet", group: "records", needs: "report.read", show: Checksheet },
	{ name: "policies", group: "rules", needs: "policy.read", show: Policies },
	{ name: "alerts", group: "rules", needs: "alert.read", show: Alerts },
	{ name: "accounts", group: "rules", needs: "account.read", show: Accounts },
	{ name: "nodes", group: "system", needs: "node.read", show: Nodes },
	{ name: "notices", group: "system", needs: "notice.read", show: Notices },
	{ name: "settings", group: "system", needs: "", show: Settings },
];

export function permitted(page: PageRow): boolean {
	return !page.needs || may(page.needs);
}
