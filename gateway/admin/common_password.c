#include "admin/common_password.h"

#include <crack.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "base/reason.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* The library ends the process when its files are away. */
static int has_list(const char *path)
{
	static const char *const ends[] = {"pwd", "pwi"};
	char file[4096];

	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		snprintf(file, sizeof(file), "%s.%s", path, ends[i]);
		if (access(file, R_OK))
			return 0;
	}
	return 1;
}

int common_password_check(const char *name, const char *password,
	struct field_error *error)
{
	const char *path = GetDefaultCracklibDict();

	if (!has_list(path))
		return -REASON_MISSING_PROGRAM;
	pthread_mutex_lock(&lock);
	const char *fault = FascistCheckUser(password, path, name, "");
	pthread_mutex_unlock(&lock);
	return fault ? field_fail(error, "password",
			       "is too common or too simple: others try it first")
		     : 0;
}
