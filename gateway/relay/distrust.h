/* distrust: another node's certificate was revoked, or the CA changed, while connections with it are open: they are
 * closed, those that it carries viewers over to us and those that we carry viewers over to it.
 *
 * A viewer that we carry is told what it is told when that node is lost (NODE_STOPPED); one that it carries is cut, and
 * its host is told the same. So their session waits its grace time and goes on as soon as the viewer comes by another
 * way. The log says why.
 *
 * Thread: the desk's worker.
 */
#ifndef RELAY_DISTRUST_H
#define RELAY_DISTRUST_H

struct conn;
struct desk;

/* After CA and list were read again. */
void distrust_look(struct desk *desk);
/* A conn that has just come from another node or been made to it. Its handshake may have begun with an older list: 1,
 * and it is being closed, when it is not to be trusted any more. */
int distrust_closes(struct desk *desk, struct conn *conn, const char *node);

#endif
