/* session_lock: locks the screen of the office PC with whatever its desktop has for that.
 *
 * Thread: any; returns at once, the command runs beside and the log says how it ended.
 */
#ifndef DESKTOP_SESSION_LOCK_H
#define DESKTOP_SESSION_LOCK_H

/* `command` is for /bin/sh; NULL: the usual ones in turn. `display` NULL: as in the environment. */
void session_lock_run(const char *command, const char *display);

#endif
