/* systemd_notify: tells systemd how the service is: one datagram to $NOTIFY_SOCKET (sd_notify(3)).
 *
 * Thread: main. Nothing happens where the variable is not set. Small enough that a library for it
 * would be the larger part.
 */
#ifndef SERVICE_SYSTEMD_NOTIFY_H
#define SERVICE_SYSTEMD_NOTIFY_H

void systemd_notify(const char *state);

#endif
