set(links gateway_relay)
