/* neighbours: how many nodes serve, as their documents in the store say; the shares of companies
 * (shares.h) are divided by it.
 *
 * Thread: the desk's worker.
 */
#ifndef RELAY_NEIGHBOURS_H
#define RELAY_NEIGHBOURS_H

struct desk;

/* Reads and tells. A store that is away changes nothing. A node counts while its document was written
 * within the last NEIGHBOURS_FRESH_MS. */
#define NEIGHBOURS_FRESH_MS 45000
void neighbours_look(struct desk *desk);

#endif
