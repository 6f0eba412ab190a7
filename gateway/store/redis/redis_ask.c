#include "store/redis/redis_ask.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/reason.h"

int redis_ask_spell_out(struct redis_ask *ask)
{
	char head[64];
	const struct redis_script *script = ask->script;
	int len = snprintf(head, sizeof(head), "*%d\r\n$4\r\nEVAL\r\n$%zu\r\n",
		ask->words, script->len);
	size_t rest = ask->len - ask->rest;
	char *command = malloc((size_t)len + script->len + 2 + rest);
	if (!command)
		return -REASON_NO_MEMORY;
	char *at = command;
	memcpy(at, head, (size_t)len);
	at += len;
	memcpy(at, script->text, script->len);
	at += script->len;
	memcpy(at, "\r\n", 2);
	memcpy(at + 2, ask->command + ask->rest, rest);
	free(ask->command);
	ask->command = command;
	ask->len = (size_t)len + script->len + 2 + rest;
	ask->script = NULL;
	return 0;
}

void redis_ask_done(struct redis_ask *ask)
{
	free(ask->command);
	ask->command = NULL;
}
