// device_name: what a browser calls itself, in words that people know: "Chrome (Windows)".

const BROWSERS: [RegExp, string][] = [
	[/Edg\//, "Edge"],
	[/Firefox\/|FxiOS\//, "Firefox"],
	[/Chrome\/|Chromium\/|CriOS\//, "Chrome"],
	[/Safari\//, "Safari"],
];
const SYSTEMS: [RegExp, string][] = [
	[/Windows/, "Windows"],
	[/Android/, "Android"],
	[/iPhone|iPad|iPod/, "iOS"],
	[/Mac OS X/, "macOS"],
	[/CrOS/, "ChromeOS"],
	[/Linux/, "Linux"],
];

export function deviceName(agent: string = navigator.userAgent): string {
	const find = (rows: [RegExp, string][]) => rows.find(([pattern]) => pattern.test(agent))?.[1];
	const system = find(SYSTEMS);
	return `${find(BROWSERS) ?? "Web"}${system ? ` (${system})` : ""}`;
}
