// page: what of the tests needs no office PC, for a browser.

import "./canvas.test";
import "./greeting.test";
import "./noise.test";
import { runAll } from "./harness";

Object.assign(globalThis, { runAll });
