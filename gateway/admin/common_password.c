#include "admin/common_password.h"

#include <crack.h>
#include <ctype.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/reason.h"
#include "rules/password.h"

#define WORD_LEAST 6

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

static char letter_of(char c)
{
	static const char figures[] = "0134579@$!|", letters[] = "oleastgasil";
	const char *found = c ? strchr(figures, c) : NULL;

	return found ? letters[found - figures] : (char)tolower((unsigned char)c);
}

/* What is left of "(P@ssw0rd2026!)" without the figures and signs around it: "password". 0: it is not
 * one word; with letters of other scripts around it it is none either. */
static size_t word_of(const char *password, char ret[static PASSWORD_MAX + 1])
{
	size_t first = 0, end = strlen(password);

	for (size_t i = 0; i < end; i++)
		if (password[i] & 0x80)
			return 0;
	while (password[first] && !isalpha((unsigned char)password[first]))
		first++;
	while (end > first && !isalpha((unsigned char)password[end - 1]))
		end--;
	size_t len = end - first;
	if (len > PASSWORD_MAX)
		return 0;
	for (size_t i = 0; i < len; i++) {
		ret[i] = letter_of(password[first + i]);
		if (!isalpha((unsigned char)ret[i]))
			return 0;
	}
	ret[len] = '\0';
	return len;
}

static int is_common(const char *password, const char *name, const char *path)
{
	char word[PASSWORD_MAX + 1];
	size_t len = word_of(password, word);

	if (FascistCheckUser(password, path, name, ""))
		return 1;
	/* cracklib does not look up short ones; three letters among figures are no word to guess, but
	 * nothing to keep a secret with either. */
	return len && (len < WORD_LEAST || FascistCheckUser(word, path, name, ""));
}

int common_password_check(const char *name, const char *password,
	struct field_error *error)
{
	const char *path = GetDefaultCracklibDict();

	if (!has_list(path))
		return -REASON_MISSING_PROGRAM;
	pthread_mutex_lock(&lock);
	int common = is_common(password, name, path);
	pthread_mutex_unlock(&lock);
	return common ? field_fail(error, "password",
				"is too common or too simple: others try it first")
		      : 0;
}
