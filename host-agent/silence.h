/* silence: notices that the other end of a session says nothing any more although the gateway's line is
 * fine. A viewer answers the tunnel's probes every few seconds; a gateway that keeps both lines up and
 * passes nothing on would otherwise keep a session, and the desktop unlocked, for as long as it likes.
 *
 * Counted in turns of the agent's clock and not in time: a machine that slept or a program that was
 * stopped has heard nothing either, and that is nobody's fault.
 * Thread: main. Owner: the session. All zero is a good beginning.
 */
#ifndef AGENT_SILENCE_H
#define AGENT_SILENCE_H

#include <stdint.h>

#define SILENCE_TURNS                                                                    \
	23 /* of two seconds each: as long as a gateway's own silence may last */

struct silence {
	uint64_t records;
	unsigned turns;
};

/* Once per turn while the tunnel is up: how many records it has opened on this leg. 1: too long. */
int silence_turn(struct silence *silence, uint64_t records);

#endif
