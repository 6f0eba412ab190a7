#include "fakes/redis_rig.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <hiredis/hiredis.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
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
	const char *args[REDIS_RIG_ARGS + 16] = {"redis-server", "--port", "0",
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

void redis_rig_start(struct redis_rig *rig)
{
	if (!*rig->dir) {
		snprintf(rig->dir, sizeof(rig->dir), "/tmp/engawa-redis-XXXXXX");
		CHECK(mkdtemp(rig->dir));
		snprintf(rig->socket, sizeof(rig->socket), "%s/socket", rig->dir);
	}
	rig->pid = fork();
	CHECK(rig->pid >= 0);
	if (rig->pid == 0)
		run(rig);
	for (int tries = 0; tries < 2000 && !answers(rig); tries++) {
		CHECK(waitpid(rig->pid, NULL, WNOHANG) == 0);
		usleep(10000);
	}
	CHECK(answers(rig));
}

void redis_rig_signal(struct redis_rig *rig, int number)
{
	CHECK(rig->pid > 0 && kill(rig->pid, number) == 0);
	if (number != SIGKILL && number != SIGTERM)
		return;
	CHECK(waitpid(rig->pid, NULL, 0) == rig->pid);
	rig->pid = 0;
}

static redisReply *ask(struct redis_rig *rig, const char *format, va_list args)
{
	redisContext *redis = connect_to(rig);
	redisReply *reply = redisvCommand(redis, format, args);
	CHECK(reply);
	redisFree(redis);
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
