/* inventory: what the host tells its company of the machine: system, version, user, screens. Bounded and
 * without secrets; the gateway treats every string of it as hostile all the same.
 *
 * Thread: main. Owner: the caller frees the text.
 */
#ifndef AGENT_INVENTORY_H
#define AGENT_INVENTORY_H

/* A JSON object as text, at most 8 KiB; NULL when there is no memory. `source`: "x11", "vnc". */
char *inventory_collect(const char *source, int width, int height);

#endif
