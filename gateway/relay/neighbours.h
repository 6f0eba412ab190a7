/* neighbours: how many nodes serve, as their documents in the store say; the shares of companies
 * (shares.h) are divided by it.
 *
 * Thread: the desk's worker.
 */
#ifndef RELAY_NEIGHBOURS_H
#define RELAY_NEIGHBOURS_H

struct desk;

/* Reads and tells. A store that is away changes nothing. A node counts while its document changes,
 * by our own clock at least every NEIGHBOURS_FRESH_MS; in the first of these after our start every one does. */
#define NEIGHBOURS_FRESH_MS 45000
void neighbours_look(struct desk *desk);

#endif
