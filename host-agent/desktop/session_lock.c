#include "desktop/session_lock.h"

#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"

#define USUAL "loginctl lock-session || xdg-screensaver lock || xset s activate"
#define DISPLAY_VARIABLE "DISPLAY="

struct job {
	char *command, *display;
};

/* The environment with another DISPLAY; the strings are borrowed. */
static char **environment(char *display)
{
	size_t count = 0, kept = 0;
	while (environ[count])
		count++;
	char **list = calloc(count + 2, sizeof(*list));
	for (size_t i = 0; list && i < count; i++)
		if (!display || strncmp(environ[i], DISPLAY_VARIABLE,
					strlen(DISPLAY_VARIABLE)) != 0)
			list[kept++] = environ[i];
	if (list && display)
		list[kept] = display;
	return list;
}

static int run(const struct job *job)
{
	char shell[] = "sh", flag[] = "-c";
	char *const words[] = {shell, flag, job->command, NULL};
	char **list = environment(job->display);
	posix_spawnattr_t attributes;
	sigset_t none;
	pid_t pid;
	int status = -1;
	/* This thread blocks all signals; the command must not inherit that. */
	sigemptyset(&none);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
	posix_spawnattr_setsigmask(&attributes, &none);
	if (list && posix_spawn(&pid, "/bin/sh", NULL, &attributes, words, list) == 0)
		waitpid(pid, &status, 0);
	posix_spawnattr_destroy(&attributes);
	free(list);
	return status;
}

static void *job_main(void *ctx)
{
	struct job *job = ctx;
	if (run(job) == 0)
		log_line(LOG_INFO, "screen locked");
	else
		log_line(LOG_ERROR, "screen NOT locked", LOG_S("command", job->command));
	free(job->command);
	free(job->display);
	free(job);
	return NULL;
}

static int start(struct job *job)
{
	pthread_t thread;
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int started = pthread_create(&thread, NULL, job_main, job) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (started)
		pthread_detach(thread);
	return started;
}

void session_lock_run(const char *command, const char *display)
{
	struct job *job = calloc(1, sizeof(*job));
	if (!job)
		return;
	job->command = strdup(command ? command : USUAL);
	if (display && asprintf(&job->display, DISPLAY_VARIABLE "%s", display) < 0)
		job->display = NULL;
	if (job->command && start(job))
		return;
	log_line(LOG_ERROR, "screen NOT locked", LOG_S("because", "no memory"));
	free(job->command);
	free(job->display);
	free(job);
}
