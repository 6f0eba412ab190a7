// main: the page of the browser viewer.

import { h, render } from "preact";

import "../../../gateway/console/src/style/tokens.css";
import "../../../gateway/console/src/style/base.css";
import "../../../gateway/console/src/style/parts.css";
import "./page.css";
import "./session.css";
import { App } from "./app";
import { load } from "./model";

render(h(App, null), document.getElementById("app") as HTMLElement);
void load();
