// places_view: the office PCs that this browser knows, with what was seen of them last; one click connects.

import { useLayoutEffect, useState } from "preact/hooks";

import { ago, moment } from "../../../gateway/console/src/format";
import { language } from "../../../gateway/console/src/settings";
import { type Place, placeName } from "../store/places";
import { connect, elsewhere, ended, knownPassword } from "./model";
import { Button, RefusalBox } from "./parts";
import { ForgetDialog, PasswordDialog, RenameDialog, TabDialog } from "./place_dialogs";
import { fill, w } from "./words";

const MOODS = { online: "good", offline: "calm", in_use: "warn", refused: "bad" } as const;

function State(props: { place: Place }) {
	const { place } = props;
	const words = w().list;
	if (elsewhere.use().has(place.id)) return <span class="badge info">{words.in_tab}</span>;
	const { seen } = place;
	if (!seen) return <span class="badge">{words.never}</span>;
	return <span class={`badge ${MOODS[seen.state]}`}>{fill(words.seen, { state: words.state[seen.state], ago: ago(seen.atMs) })}</span>;
}

interface CardProps {
	place: Place;
	onConnect: () => void;
	onRename: () => void;
	onForget: () => void;
	onPair: () => void;
}

function PlaceCard(props: CardProps) {
	const { place } = props;
	const words = w().list;
	const facts: [string, string][] = [
		[words.license, place.id],
		[words.gateway, place.gateways.join(", ")],
		[words.device, place.deviceName],
		[words.paired, place.pin ? moment(place.pin.pairedMs) : "–"],
	];
	return (
		<li class="card place" data-place={place.id}>
			<div class="place-head">
				<div>
					<h2>{placeName(place)}</h2>
					<p>
						<State place={place} />
					</p>
				</div>
				<Button tone="main" label={`${w().act.connect}: ${placeName(place)}`} onClick={props.onConnect}>
					{w().act.connect}
				</Button>
			</div>
			<details>
				<summary>{w().act.more}</summary>
				<dl class="facts">
					{facts.map(([name, value]) => (
						<div key={name}>
							<dt>{name}</dt>
							<dd>{value}</dd>
						</div>
					))}
				</dl>
				<div class="actions">
					<Button small onClick={props.onRename}>
						{w().act.rename}
					</Button>
					<Button small onClick={props.onPair}>
						{w().act.pair_again}
					</Button>
					<Button small tone="danger" onClick={props.onForget}>
						{w().act.forget}
					</Button>
				</div>
			</details>
		</li>
	);
}

type Open = { what: "password" | "rename" | "forget" | "tab"; place: Place; password: string };

export function PlacesView(props: { places: Place[]; onAdd: () => void }) {
	language.use();
	const [open, setOpen] = useState<Open | null>(null);
	const last = ended.use();
	const close = () => setOpen(null);

	const go = async (place: Place, password: string, takeOver = false) => {
		close();
		if (!password) return setOpen({ what: "password", place, password });
		const alone = await connect(place, { password, totp: "", ticket: "", takeOver });
		if (!alone) setOpen({ what: "tab", place, password });
	};
	const start = (place: Place) => void go(place, knownPassword(place.id));
	// A mistyped password is asked for again where it was typed.
	useLayoutEffect(() => {
		if (last?.why === "PASSWORD_WRONG") setOpen({ what: "password", place: last.place, password: "" });
	}, [last]);
	// What it is called now: the session that ended may have been the one that learned the name.
	const name = last ? placeName(props.places.find((place) => place.id === last.place.id) ?? last.place) : "";
	const wrong = last?.why === "PASSWORD_WRONG" && open?.what === "password" && open.place.id === last.place.id;

	return (
		<>
			<header class="page-head">
				<h1>{w().list.title}</h1>
				<Button onClick={props.onAdd}>{w().act.add}</Button>
			</header>
			{last?.why && !wrong && (
				<RefusalBox refusal={last} title={fill(last.wasUp ? w().ended.title : w().ended.refused, { name })}>
					<Button small onClick={() => start(last.place)}>
						{w().act.again}
					</Button>
				</RefusalBox>
			)}
			{last?.taken && !last.why && (
				<p class="note" role="status">
					{w().tab.taken}
				</p>
			)}
			<ul class="places">
				{props.places.map((place) => (
					<PlaceCard
						key={place.id}
						place={place}
						onConnect={() => start(place)}
						onPair={props.onAdd}
						onRename={() => setOpen({ what: "rename", place, password: "" })}
						onForget={() => setOpen({ what: "forget", place, password: "" })}
					/>
				))}
			</ul>
			<p class="muted">{w().list.on_device}</p>
			{open?.what === "password" && (
				<PasswordDialog place={open.place} refusal={wrong ? last : null} onClose={close} onGo={(password) => void go(open.place, password)} />
			)}
			{open?.what === "rename" && <RenameDialog place={open.place} onClose={close} />}
			{open?.what === "forget" && <ForgetDialog place={open.place} onClose={close} />}
			{open?.what === "tab" && <TabDialog name={placeName(open.place)} onClose={close} onGo={() => void go(open.place, open.password, true)} />}
		</>
	);
}
