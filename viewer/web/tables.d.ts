// The shape of what tables.mjs makes; the numbers themselves come with the build.
declare module "tables" {
	type Kind = "NUM" | "STR" | "BIN" | "OBJ";
	type InnerType = "u8" | "u16" | "u32" | "u64" | "text" | "name" | "key" | "lanes" | "acks";
	export const reasons: readonly (readonly [number, string, string, string, string, string])[];
	export const messages: Readonly<
		Record<string, { number: number; symbol: string; fields: readonly (readonly [string, Kind, number, boolean])[] }>
	>;
	export const inner: Readonly<
		Record<string, { number: number; sender: "HOST" | "VIEWER" | "EITHER"; fields: readonly (readonly [string, InnerType])[] }>
	>;
}
