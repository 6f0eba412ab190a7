// chart: a course over time by uPlot, with a table of the same numbers for those who do not see it.

import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";

import { clock, day, minute } from "../format";
import { language, theme } from "../settings";
import { w } from "../words";
import { Button } from "./basics";

const DAY_MS = 86400000;

export interface Series {
	label: string;
	values: (number | null)[];
	/** Name of a colour in tokens.css: "--chart-1". */
	color: string;
	/** Filled to the axis. */
	fill?: boolean;
}

export interface ChartProps {
	label: string;
	/** ms since 1970, rising. */
	times: number[];
	series: Series[];
	format: (value: number) => string;
	height?: number;
}

function colorOf(name: string): string {
	return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function optionsOf(props: ChartProps, width: number): uPlot.Options {
	const span = (props.times.at(-1) ?? 0) - (props.times[0] ?? 0);
	const axis = {
		stroke: colorOf("--muted"),
		grid: { stroke: colorOf("--line"), width: 1 },
		ticks: { stroke: colorOf("--line"), width: 1 },
		font: "12px system-ui, sans-serif",
	};
	return {
		width,
		height: props.height ?? 220,
		ms: 1,
		legend: { live: true },
		cursor: { drag: { x: false, y: false } },
		scales: { x: { time: true }, y: { range: (_u, _min, max) => [0, max > 0 ? max * 1.1 : 1] } },
		axes: [
			{ ...axis, values: (_u, splits) => splits.map((ms) => (span > 2 * DAY_MS ? day(ms).slice(5) : clock(ms))), space: 70 },
			{ ...axis, size: 78, values: (_u, splits) => splits.map((value) => props.format(value)) },
		],
		series: [
			{ label: w().state.time, value: (_u, ms) => (ms ? minute(ms) : "–") },
			...props.series.map((one) => ({
				label: one.label,
				stroke: colorOf(one.color),
				width: 2,
				fill: one.fill ? `${colorOf(one.color)}22` : undefined,
				points: { show: props.times.length < 3 },
				value: (_u: uPlot, value: number | null) => (value === null ? "–" : props.format(value)),
			})),
		],
	};
}

function ChartTable(props: ChartProps) {
	return (
		<div class="chart-table" tabIndex={0} role="region" aria-label={props.label}>
			<table>
				<thead>
					<tr>
						<th scope="col" />
						{props.series.map((one) => (
							<th key={one.label} scope="col">
								{one.label}
							</th>
						))}
					</tr>
				</thead>
				<tbody>
					{props.times.map((ms, index) => (
						<tr key={ms}>
							<th scope="row">{minute(ms)}</th>
							{props.series.map((one) => (
								<td key={one.label}>{one.values[index] === null ? "–" : props.format(one.values[index] as number)}</td>
							))}
						</tr>
					))}
				</tbody>
			</table>
		</div>
	);
}

export function Chart(props: ChartProps) {
	const place = useRef<HTMLDivElement>(null);
	const plot = useRef<uPlot | null>(null);
	const [asTable, setAsTable] = useState(false);
	const look = theme.use();
	const tongue = language.use();
	const [dark, setDark] = useState(0);

	useEffect(() => {
		const query = matchMedia("(prefers-color-scheme: dark)");
		const change = () => setDark((n) => n + 1);
		query.addEventListener("change", change);
		return () => query.removeEventListener("change", change);
	}, []);

	const shape = props.series.map((one) => one.label + one.color).join("|");
	useLayoutEffect(() => {
		const at = place.current;
		if (!at || asTable) return undefined;
		const data = () => [props.times, ...props.series.map((one) => one.values)] as uPlot.AlignedData;
		const made = new uPlot(optionsOf(props, Math.max(200, at.clientWidth)), data(), at);
		plot.current = made;
		const observer = new ResizeObserver(() => made.setSize({ width: Math.max(200, at.clientWidth), height: props.height ?? 220 }));
		observer.observe(at);
		return () => {
			observer.disconnect();
			made.destroy();
			plot.current = null;
		};
	}, [asTable, look, tongue, dark, shape, props.times, props.height]);

	return (
		<div class="chart-box">
			{asTable ? <ChartTable {...props} /> : <div ref={place} class="chart" role="img" aria-label={props.label} />}
			<Button small tone="quiet" onClick={() => setAsTable(!asTable)}>
				{asTable ? w().act.show_chart : w().act.show_table}
			</Button>
		</div>
	);
}
