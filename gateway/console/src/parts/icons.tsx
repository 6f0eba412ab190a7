// icons: lines on a 20 x 20 field, drawn in the colour of the text. They only accompany words.

const PATHS = {
	overview: "M3 10.5 10 4l7 6.5M5 9v7h10V9",
	licenses: "M3 6h14v9H3zM6 12h4M13 9.5h1.5",
	sessions: "M3 5h9v7H3zM5 15h5M14 8l3 2-3 2M10 10h6",
	hosts: "M3 4h14v9H3zM7 16h6M10 13v3",
	history: "M3 16V4M3 16h14M6 13l3-4 3 2 4-6",
	audit: "M5 3h7l3 3v11H5zM8 10l1.5 1.5L12.5 8.5",
	policies: "M10 3l6 2v5c0 3.5-2.5 6-6 7-3.5-1-6-3.5-6-7V5z",
	alerts: "M10 3a5 5 0 0 1 5 5v4l1.5 2h-13L5 12V8a5 5 0 0 1 5-5M8.5 16.5h3",
	accounts: "M10 9.5a3 3 0 1 0 0-6 3 3 0 0 0 0 6M4 17c0-3.5 2.5-5 6-5s6 1.5 6 5",
	nodes: "M4 4h12v4H4zM4 12h12v4H4zM7 6h.01M7 14h.01",
	notices: "M4 8v4l8 3.5v-11zM14.5 8a3 3 0 0 1 0 4M6 12.5V16h2",
	checksheet: "M5 3h10v14H5zM7.5 7.5l1 1 1.5-2M12 7.5h1M7.5 12.5l1 1 1.5-2M12 12.5h1",
	settings: "M3 6h7M14 6h3M12 4v4M3 14h3M10 14h7M8 12v4",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon(props: { name: IconName }) {
	return (
		<svg viewBox="0 0 20 20" aria-hidden="true">
			<path d={PATHS[props.name]} fill="none" stroke="currentColor" stroke-width="1.5" stroke-linecap="round" stroke-linejoin="round" />
		</svg>
	);
}

export function Mark() {
	return (
		<svg viewBox="0 0 32 32" aria-hidden="true">
			<rect width="32" height="32" rx="7" fill="#165e83" />
			<path d="M5 12 16 6l11 6" fill="none" stroke="#fff" stroke-width="2.4" stroke-linecap="round" stroke-linejoin="round" />
			<path d="M8.5 12v8m15-8v8" stroke="#fff" stroke-width="2.2" />
			<path d="M4.5 21.5h23M6.5 25.5h19" stroke="#f2c078" stroke-width="2.4" stroke-linecap="round" />
		</svg>
	);
}
