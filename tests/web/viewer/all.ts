// all: every test of the browser viewer's protocol, as one bundle for Node and for a page.

import "./greeting.test";
import "./noise.test";
import "./tunnel.test";
import "./uplink.test";
import { runAll } from "./harness";

export { runAll };
