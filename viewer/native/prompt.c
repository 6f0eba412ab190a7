#include "prompt.h"

#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/program.h"
#include "base/reason.h"
#include "base/secret.h"
#include "link/state_dir.h"
#include "viewer.h"

static int from_file(const char *file, char ret[static PROMPT_SECRET])
{
	int status = state_dir_first_line(file, ret, PROMPT_SECRET);
	return status < 0 ? program_fail(status, "(%s)", file) : 0;
}

int prompt_can_ask(void)
{
	return isatty(STDIN_FILENO);
}

static int ask(const char *question, char ret[static PROMPT_SECRET])
{
	struct termios shown, hidden;
	if (tcgetattr(STDIN_FILENO, &shown) < 0)
		return -REASON_USAGE;
	hidden = shown;
	hidden.c_lflag &= (tcflag_t)~ECHO;
	fputs(question, stderr);
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
	int status = state_dir_first_line("-", ret, PROMPT_SECRET);
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown);
	fputc('\n', stderr);
	return status;
}

int prompt_password(const char *file, char ret[static PROMPT_SECRET])
{
	if (file)
		return from_file(file, ret);
	if (!prompt_can_ask())
		return program_fail(-REASON_USAGE,
			"Without a terminal a password needs --password-file.");
	int status =
		ask(reason_lang_env() == REASON_JA ? "パスワード: " : "Password: ", ret);
	return status == -REASON_USAGE
		       ? program_fail(status, "The password cannot be asked for here.")
		       : status;
}

int prompt_code(const char *code, const char *file, char ret[static PROMPT_SECRET])
{
	*ret = 0;
	if (code && file)
		return program_fail(-REASON_USAGE,
			"--totp and --totp-file exclude each other.");
	if (file)
		return from_file(file, ret);
	if (code && strlen(code) >= PROMPT_SECRET)
		return program_fail(-REASON_LIMIT, "--totp takes a one-time code.");
	if (code)
		memcpy(ret, code, strlen(code) + 1);
	return 0;
}

void prompt_ask_code(struct viewer *viewer, int reason)
{
	char code[PROMPT_SECRET] = "";
	enum reason_lang lang = reason_lang_env();
	if (reason == REASON_TOTP_WRONG)
		fprintf(stderr, "%s\n", reason_text(reason, lang));
	int status =
		ask(lang == REASON_JA ? "ワンタイムコード: " : "One-time code: ", code);
	if (status < 0 || !*code)
		viewer_leave(viewer, -reason);
	else
		viewer_code(viewer, code);
	secret_wipe(code, sizeof(code));
}
