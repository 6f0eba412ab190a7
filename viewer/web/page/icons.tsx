// icons: lines on a 20 x 20 field, drawn in the colour of the text. They only accompany words.

const PATHS = {
	keys: "M3 5h14v10H3zM6 8h.01M9 8h.01M12 8h.01M14.5 8h.01M6 11h.01M8 12h4M14.5 11h.01",
	keyboard: "M3 4h14v8H3zM7 9.5h6M7 15l3 2.5 3-2.5",
	clipboard: "M7 4H5v13h10V4h-2M7 3h6v3H7zM8 10h4M8 13h4",
	screen: "M3 4h14v9H3zM7 16h6M10 13v3",
	fit: "M3 7V4h4M13 4h4v3M17 13v3h-4M7 16H3v-3M7 8h6v4H7z",
	pan: "M10 3v14M3 10h14M10 3 8 5M10 3l2 2M10 17l-2-2M10 17l2-2M3 10l2-2M3 10l2 2M17 10l-2-2M17 10l-2 2",
	full: "M3 8V3h5M12 3h5v5M17 12v5h-5M8 17H3v-5",
	window: "M8 3v5H3M17 8h-5V3M12 17v-5h5M3 12h5v5",
	leave: "M8 4H4v12h4M12 6l4 4-4 4M16 10H8",
	meter: "M4 15v-3M8 15V9M12 15V6M16 15V3",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon(props: { name: IconName }) {
	return (
		<svg viewBox="0 0 20 20" aria-hidden="true">
			<path d={PATHS[props.name]} fill="none" stroke="currentColor" stroke-width="1.5" stroke-linecap="round" stroke-linejoin="round" />
		</svg>
	);
}
