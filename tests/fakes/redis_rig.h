/* redis_rig: a real redis-server of a test's own, on a Unix socket in a directory of its own.
 *
 * It ends with the test, whatever happens to it. Thread: that of the test.
 */
#ifndef FAKES_REDIS_RIG_H
#define FAKES_REDIS_RIG_H

#include <stdint.h>

#define REDIS_RIG_ARGS 16

struct redis_rig {
	char dir[64], socket[96];
	int port;                         /* of 127.0.0.1 too; 0: only the socket */
	const char *args[REDIS_RIG_ARGS]; /* further arguments, for the next start */
	int pid;                          /* 0: it does not run */
};

/* A port that nobody has, and that is given to nobody who asks for any. */
int redis_rig_port(void);
/* appendonly is on and appendfsync always (what was acknowledged survives SIGKILL) unless args say
 * otherwise. Returns when it answers. */
void redis_rig_start(struct redis_rig *rig);
/* Sends a signal; after SIGKILL and SIGTERM waits until it has ended. */
void redis_rig_signal(struct redis_rig *rig, int number);
/* One command, as redis-cli takes it; the answer as an integer, or as text to be freed. */
long long redis_rig_number(struct redis_rig *rig, const char *format, ...);
char *redis_rig_text(struct redis_rig *rig, const char *format, ...);
/* The same for one that wants a password. */
char *redis_rig_word(struct redis_rig *rig, const char *password, const char *command);
/* Asks and waits, at most for so long, as a thread that has other things to do must not. */
void redis_rig_wait_blocked(struct redis_rig *rig, int ms);
/* Lets time pass for everything that expires. */
void redis_rig_age(struct redis_rig *rig, int64_t ms);
/* A sentinel on rig->port that watches a primary under the name "engawa"; `password` is what its clients
 * need. It fails over within seconds. */
void redis_rig_sentinel(struct redis_rig *rig, int primary, const char *password);
/* Ends it if it runs, and removes the directory with everything in it. */
void redis_rig_end(struct redis_rig *rig);

#endif
