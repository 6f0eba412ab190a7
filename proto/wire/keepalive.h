/* keepalive: when to send PING and when a leg is dead, as pure arithmetic over time.
 *
 * Thread: that of the leg. Every received byte counts as life. One PING after `interval_ms` of
 * silence, dead after three intervals. PONG gives the round trip time.
 */
#ifndef WIRE_KEEPALIVE_H
#define WIRE_KEEPALIVE_H

#include <stdint.h>

#define KEEPALIVE_MS 15000

struct keepalive {
	int64_t interval_ms, heard_ms;
	int64_t pinged_ms;  /* -1: not in this silence */
	int64_t awaited_us; /* what the last PING carried, -1 when its PONG has come */
	int64_t rtt_us;     /* of the last PONG, 0 before */
};

enum keepalive_verdict { KEEPALIVE_WAIT, KEEPALIVE_PING, KEEPALIVE_DEAD };

void keepalive_start(struct keepalive *keepalive, int64_t interval_ms, int64_t now_ms);
void keepalive_heard(struct keepalive *keepalive, int64_t now_ms);
/* PING's 8 bytes are the sender's clock in us; a PONG that carries another value than the last
 * PING's is ignored. */
void keepalive_ping(struct keepalive *keepalive, int64_t now_us, uint8_t ret[static 8]);
void keepalive_pong(struct keepalive *keepalive, int64_t now_us,
	const uint8_t payload[static 8]);
/* What is due now, and in *ret_wait_ms how long to sleep before asking again. */
enum keepalive_verdict keepalive_due(const struct keepalive *keepalive, int64_t now_ms,
	int64_t *ret_wait_ms);

#endif
