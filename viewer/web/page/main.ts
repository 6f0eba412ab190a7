// main: the page of the browser viewer.

import "../../../gateway/console/src/style/tokens.css";
import "./page.css";
import { startWorker } from "../worker/worker_start";

const language = navigator.language.startsWith("ja") ? "ja" : "en";
const title = document.createElement("h1");
const text = document.createElement("p");

document.documentElement.lang = language;
title.textContent = "Engawa";
text.textContent = language === "ja" ? "会社のPCにブラウザーから接続します。" : "Your office PC, in this browser.";
document.getElementById("app")?.replaceChildren(title, text);

const worker = startWorker();
worker.onmessage = () => {
	document.documentElement.dataset.worker = "ready";
};
