// toast: short words about what was just done; read out politely, gone by themselves.

import { cell } from "../cell";

interface Toast {
	id: number;
	text: string;
}

const toasts = cell<Toast[]>([]);
let last = 0;

export function say(text: string) {
	const id = ++last;
	toasts.set([...toasts.get(), { id, text }]);
	setTimeout(() => toasts.set(toasts.get().filter((toast) => toast.id !== id)), 6000);
}

export function Toasts() {
	return (
		<div class="toasts" role="status" aria-live="polite">
			{toasts.use().map((toast) => (
				<div key={toast.id} class="toast">
					{toast.text}
				</div>
			))}
		</div>
	);
}
