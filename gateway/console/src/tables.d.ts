// What build.mjs makes of rules/audit.def and base/reason.def.
declare module "tables" {
	type Text = { en: string; ja: string };
	export const events: Record<string, Text>;
	export const reasons: Record<string, Text>;
	/** What to do about it. */
	export const hints: Record<string, Text>;
}
