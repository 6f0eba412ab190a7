/* x_world: a real X server and real programs for one test, ended with it. */
#ifndef UNIT_X_WORLD_H
#define UNIT_X_WORLD_H

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

struct x_world {
	pid_t server;
	char display[16];
	pid_t programs[16];
	int program_count;
};

/* Tests of a busy machine wait long and leave early. */
#define X_WORLD_TRIES 1500
#define X_WORLD_NAP_US 20000

static inline pid_t x_world_spawn(const char *const *words, const char *display,
	int keep_fd)
{
	pid_t pid = fork();
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (display)
		setenv("DISPLAY", display, 1);
	int null = open("/dev/null", O_RDWR);
	dup2(null, 0);
	dup2(null, 1);
	dup2(null, 2);
	for (int fd = 3; fd < 256; fd++)
		if (fd != keep_fd)
			close(fd);
	execvp(words[0], (char *const *)words);
	_exit(127);
}

/* `words` begins with Xvfb or Xvnc; "-displayfd" is added. 0: did not start. */
static inline int x_world_start_server(struct x_world *world, const char *const *words)
{
	const char *all[24];
	char number[16] = "", text[12];
	int ends[2], count = 0;
	memset(world, 0, sizeof(*world));
	if (pipe(ends) < 0)
		return 0;
	while (words[count]) {
		all[count] = words[count];
		count++;
	}
	snprintf(text, sizeof(text), "%d", ends[1]);
	all[count++] = "-displayfd";
	all[count++] = text;
	all[count] = NULL;
	world->server = x_world_spawn(all, NULL, ends[1]);
	close(ends[1]);
	size_t used = 0;
	ssize_t len;
	while (used < sizeof(number) - 1 &&
		(len = read(ends[0], number + used, sizeof(number) - 1 - used)) > 0) {
		used += (size_t)len;
		if (number[used - 1] == '\n')
			break;
	}
	close(ends[0]);
	number[strcspn(number, "\n")] = 0;
	snprintf(world->display, sizeof(world->display), ":%.12s", number);
	return used > 0;
}

static inline int x_world_start(struct x_world *world, const char *screen)
{
	const char *const words[] = {
		"Xvfb", "-screen", "0", screen, "-nolisten", "tcp", "-noreset", NULL};
	return x_world_start_server(world, words);
}

static inline pid_t x_world_run(struct x_world *world, const char *command)
{
	const char *const words[] = {"sh", "-c", command, NULL};
	pid_t pid = x_world_spawn(words, world->display, -1);
	world->programs[world->program_count++ % 16] = pid;
	return pid;
}

/* Waits for its end and says how it ended. */
static inline int x_world_call(struct x_world *world, const char *command)
{
	const char *const words[] = {"sh", "-c", command, NULL};
	int status = -1;
	waitpid(x_world_spawn(words, world->display, -1), &status, 0);
	return status;
}

static inline void x_world_kill_server(struct x_world *world)
{
	if (world->server > 0) {
		kill(world->server, SIGKILL);
		waitpid(world->server, NULL, 0);
	}
	world->server = 0;
}

static inline void x_world_stop(struct x_world *world)
{
	for (int i = 0; i < world->program_count && i < 16; i++) {
		kill(world->programs[i], SIGKILL);
		waitpid(world->programs[i], NULL, 0);
	}
	x_world_kill_server(world);
}

/* The file's text, or NULL while it is missing. Free it. */
static inline char *x_world_file(const char *path)
{
	FILE *file = fopen(path, "r");
	char *text = NULL;
	size_t size = 0;
	if (!file)
		return NULL;
	if (getdelim(&text, &size, 0, file) < 0 && text)
		text[0] = 0;
	fclose(file);
	return text;
}

#endif
