// qr: a QR code from rows of "0" and "1", as one SVG path on white with its quiet zone.

import type { Qr } from "../api/types";

const QUIET = 4;

export function QrCode(props: { qr: Qr; label: string }) {
	const side = props.qr.size + 2 * QUIET;
	let path = "";
	props.qr.rows.forEach((row, y) => {
		for (let x = 0; x < row.length; x++) if (row[x] === "1") path += `M${x + QUIET} ${y + QUIET}h1v1h-1z`;
	});
	return (
		<svg class="qr" viewBox={`0 0 ${side} ${side}`} role="img" aria-label={props.label} shape-rendering="crispEdges">
			<rect width={side} height={side} fill="#fff" />
			<path d={path} fill="#000" />
		</svg>
	);
}
