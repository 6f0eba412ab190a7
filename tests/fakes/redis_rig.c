#include "fakes/redis_rig.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <hiredis/hiredis.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/check.h"

static redisContext *connect_to(struct redis_rig *rig)
{
	struct timeval wait = {20, 0};
	redisContext *redis = redisConnectUnixWithTimeout(rig->socket, wait);
	CHECK(redis && !redis->err && redisSetTimeout(redis, wait) == REDIS_OK);
	return redis;
}

static void run(struct redis_rig *rig)
{
	char port[16];
	snprintf(port, sizeof(port), "%d", rig->port);
	const char *args[REDIS_RIG_ARGS + 16] = {"redis-server", "--port", port,
		"--unixsocket", rig->socket, "--dir", rig->dir, "--appendonly", "yes",
		"--appendfsync", "always", "--save", "", "--logfile", "redis.log"};
	int count = 15;
	for (int i = 0; i < REDIS_RIG_ARGS && rig->args[i]; i++)
		args[count++] = rig->args[i];
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	execvp(args[0], (char **)args);
	_exit(127);
}

/* With a password set, NOAUTH is an answer too. */
static int answers(struct redis_rig *rig)
{
	redisContext *redis = redisConnectUnix(rig->socket);
	redisReply *reply = redis && !redis->err ? redisCommand(redis, "PING") : NULL;
	int good = reply && (reply->type != REDIS_REPLY_ERROR ||
				    strncmp(reply->str, "LOADING", 7) != 0);
	if (reply)
		freeReplyObject(reply);
	if (redis)
		redisFree(redis);
	return good;
}

static void make_dir(struct redis_rig *rig)
{
	if (*rig->dir)
		return;
	snprintf(rig->dir, sizeof(rig->dir), "/tmp/engawa-redis-XXXXXX");
	CHECK(mkdtemp(rig->dir));
	snprintf(rig->socket, sizeof(rig->socket), "%s/socket", rig->dir);
}

int redis_rig_port(void)
{
	static int next;
	int one = 1;
	if (!next)
		next = 20000 + getpid() % 1500 * 8;
	for (;; next = next < 32000 ? next + 1 : 20000) {
		struct sockaddr_in at = {.sin_family = AF_INET,
			.sin_port = htons((uint16_t)next),
			.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		CHECK(fd >= 0);
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
		int taken = bind(fd, (struct sockaddr *)&at, sizeof(at));
		close(fd);
		if (!taken)
			return next++;
	}
}

static void start(struct redis_rig *rig, void (*be)(struct redis_rig *))
{
	rig->pid = fork();
	CHECK(rig->pid >= 0);
	if (rig->pid == 0)
		be(rig);
	for (int tries = 0; tries < 2000 && !answers(rig); tries++) {
		CHECK(waitpid(rig->pid, NULL, WNOHANG) == 0);
		usleep(10000);
	}
	CHECK(answers(rig));
}

void redis_rig_start(struct redis_rig *rig)
{
	make_dir(rig);
	start(rig, run);
}

static void be_sentinel(struct redis_rig *rig)
{
	char file[96];
	snprintf(file, sizeof(file), "%s/sentinel.conf", rig->dir);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	execlp("redis-server", "redis-server", file, "--sentinel", NULL);
	_exit(127);
}

void redis_rig_sentinel(struct redis_rig *rig, int primary, const char *password)
{
	char path[96];
	make_dir(rig);
	snprintf(path, sizeof(path), "%s/sentinel.conf", rig->dir);
	FILE *file = fopen(path, "w");
	CHECK(file);
	fprintf(file,
		"port %d\nbind 127.0.0.1\nunixsocket %s\ndir %s\nlogfile redis.log\n"
		"requirepass %s\nsentinel monitor engawa 127.0.0.1 %d 1\n"
		"sentinel auth-user engawa sentinel\nsentinel auth-pass engawa watch\n"
		"sentinel down-after-milliseconds engawa 4000\n"
		"sentinel failover-timeout engawa 10000\n",
		rig->port, rig->socket, rig->dir, password, primary);
	CHECK(fclose(file) == 0);
	start(rig, be_sentinel);
}

void redis_rig_signal(struct redis_rig *rig, int number)
{
	CHECK(rig->pid > 0 && kill(rig->pid, number) == 0);
	if (number != SIGKILL && number != SIGTERM)
		return;
	CHECK(waitpid(rig->pid, NULL, 0) == rig->pid);
	rig->pid = 0;
}

/* Once more when the connection was cut: a sentinel does that to all who talk to a Redis that it demotes. */
static redisReply *ask(struct redis_rig *rig, const char *format, va_list args)
{
	redisReply *reply = NULL;
	for (int tries = 0; tries < 10 && !reply; tries++) {
		va_list again;
		redisContext *redis = connect_to(rig);
		va_copy(again, args);
		reply = redisvCommand(redis, format, again);
		va_end(again);
		redisFree(redis);
	}
	CHECK(reply);
	return reply;
}

long long redis_rig_number(struct redis_rig *rig, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	redisReply *reply = ask(rig, format, args);
	va_end(args);
	long long number = reply->type == REDIS_REPLY_INTEGER ? reply->integer
			   : reply->type == REDIS_REPLY_ERROR ? -1
			   : reply->str                       ? atoll(reply->str)
							      : 0;
	freeReplyObject(reply);
	return number;
}

char *redis_rig_text(struct redis_rig *rig, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	redisReply *reply = ask(rig, format, args);
	va_end(args);
	char *text = strdup(reply->str ? reply->str : "");
	CHECK(text);
	freeReplyObject(reply);
	return text;
}

char *redis_rig_word(struct redis_rig *rig, const char *password, const char *command)
{
	redisContext *redis = connect_to(rig);
	redisReply *reply = redisCommand(redis, "AUTH %s", password);
	CHECK(reply);
	freeReplyObject(reply);
	reply = redisCommand(redis, command);
	CHECK(reply);
	redisFree(redis);
	char *text = strdup(reply->str ? reply->str : "");
	CHECK(text);
	freeReplyObject(reply);
	return text;
}

void redis_rig_wait_blocked(struct redis_rig *rig, int ms)
{
	struct timeval wait = {ms / 1000, (ms % 1000) * 1000};
	redisContext *redis = redisConnectUnixWithTimeout(rig->socket, wait);
	CHECK(redis && redisSetTimeout(redis, wait) == REDIS_OK);
	redisReply *reply = redisCommand(redis, "PING");
	if (reply)
		freeReplyObject(reply);
	redisFree(redis);
}

void redis_rig_age(struct redis_rig *rig, int64_t ms)
{
	static const char script[] =
		"for _, key in ipairs(redis.call('KEYS', '*')) do "
		"local left = redis.call('PTTL', key) "
		"if left >= 0 then redis.call('PEXPIRE', key, left - ARGV[1]) end end "
		"return 1";
	CHECK(redis_rig_number(rig, "EVAL %s 0 %lld", script, (long long)ms) == 1);
}

static int remove_one(const char *path, const struct stat *st UNUSED, int type UNUSED,
	struct FTW *where UNUSED)
{
	return remove(path);
}

void redis_rig_end(struct redis_rig *rig)
{
	if (rig->pid)
		redis_rig_signal(rig, SIGKILL);
	if (*rig->dir)
		CHECK(nftw(rig->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS) == 0);
	*rig = (struct redis_rig){0};
}
