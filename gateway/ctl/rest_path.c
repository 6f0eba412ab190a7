#include "ctl/rest_path.h"

#include <stdio.h>
#include <string.h>

void rest_path(struct rest_path *path, const char *base)
{
	*path = (struct rest_path){0};
	rest_path_plain(path, base);
}

void rest_path_plain(struct rest_path *path, const char *text)
{
	size_t len = strlen(path->text);
	if (len + strlen(text) >= sizeof(path->text))
		path->overflow = 1;
	else
		memcpy(path->text + len, text, strlen(text) + 1);
}

static void add_encoded(struct rest_path *path, const char *text)
{
	char piece[4];
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;
		int plain = (c >= '0' && c <= '9') ||
			    ((c | 32) >= 'a' && (c | 32) <= 'z') || c == '-' ||
			    c == '_' || c == '.' || c == '~';
		snprintf(piece, sizeof(piece), plain ? "%c" : "%%%02X", c);
		rest_path_plain(path, piece);
	}
}

void rest_path_segment(struct rest_path *path, const char *segment)
{
	rest_path_plain(path, "/");
	add_encoded(path, segment);
}

void rest_path_query(struct rest_path *path, const char *name, const char *value)
{
	if (!value)
		return;
	rest_path_plain(path, path->queries++ ? "&" : "?");
	rest_path_plain(path, name);
	rest_path_plain(path, "=");
	add_encoded(path, value);
}
