/* notify: tells the service manager how the program is doing (sd_notify(3), by a plain datagram).
 *
 * Thread: main. Without NOTIFY_SOCKET nothing happens; a manager that cannot be told is no error.
 */
#ifndef SETUP_NOTIFY_H
#define SETUP_NOTIFY_H

/* "READY=1", "STOPPING=1", "RELOADING=1\nMONOTONIC_USEC=…" */
void notify_send(const char *state);

#endif
