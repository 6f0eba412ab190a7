// usage_chart: what was carried over time, and the sums of it.

import type { ComponentChildren } from "preact";

import type { Usage } from "../api/types";
import { Facts } from "../parts/basics";
import { Chart } from "../parts/chart";
import { bytes, duration, number } from "../format";
import { w } from "../words";

export function UsageChart(props: { label: string; usage: Usage }) {
	const { usage } = props;
	const words = w().overview;
	const sums: [string, ComponentChildren][] = [
		[words.to_home, bytes(usage.sums.bytes_to_viewer)],
		[words.to_office, bytes(usage.sums.bytes_to_host)],
		[w().licenses.usage_sessions, number(usage.sums.sessions)],
		[w().licenses.usage_time, duration(usage.sums.session_ms)],
	];
	return (
		<>
			<Chart
				label={props.label}
				times={usage.points.map((point) => point[0])}
				series={[
					{ label: words.to_home, values: usage.points.map((point) => point[1]), color: "--chart-1", fill: true },
					{ label: words.to_office, values: usage.points.map((point) => point[2]), color: "--chart-2" },
				]}
				format={(value) => bytes(value)}
			/>
			<Facts rows={sums} />
		</>
	);
}

