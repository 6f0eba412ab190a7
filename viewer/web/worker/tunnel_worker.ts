// tunnel_worker: the tunnel's own thread, so that sealing and opening never wait for the page.

postMessage({ state: "ready" });
