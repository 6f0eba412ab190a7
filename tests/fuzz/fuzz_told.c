/* links: agent_agent proto_link */
/* What a gateway tells an end as JSON: the policy never widens a veto, and notices cannot harm a terminal. The first
 * byte says how strict the veto is. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "link/news.h"
#include "permitted.h"
#include "veto.h"

static void must(int condition)
{
	if (!condition)
		abort();
}

static void no_wider(int64_t limit, int64_t of)
{
	must(!of || (limit > 0 && limit <= of));
}

static void try_policy(const char *text, uint8_t bits)
{
	const struct veto veto = {.view_only = bits & 1,
		.clipboard_to_host = bits & 2,
		.clipboard_to_viewer = bits & 4,
		.file_to_host = bits & 8,
		.kinds = (char *)(bits & 16 ? "native" : "native,web"),
		.max_session_ms = bits & 32 ? 1000 : 0,
		.idle_ms = bits & 64 ? 500 : 0,
		.clip_max_bytes = bits & 128 ? 10 : 0,
		.consent = bits & 1,
		.watermark = bits & 2,
		.lock_at_end = bits & 4};
	struct permitted own, told;
	permitted_by_veto(&veto, &own);
	permitted_by_policy(text, &told);
	permitted_narrow(&told, &own);
	must(!(told.rights & ~own.rights) && !(told.kinds & ~own.kinds));
	no_wider(told.max_session_ms, own.max_session_ms);
	no_wider(told.idle_ms, own.idle_ms);
	no_wider(told.clip_max_bytes, own.clip_max_bytes);
	must(told.until_ms >= 0);
	must(told.consent >= own.consent && told.watermark >= own.watermark &&
		told.lock_at_end >= own.lock_at_end);
}

static void try_news(const char *text)
{
	static struct news news;
	char line[NEWS_LINE];
	news_read(&news, text);
	must(news.count <= NEWS_MAX);
	for (size_t i = 0; i < news.count; i++) {
		news_line(&news.items[i], i % 2 ? REASON_JA : REASON_EN, line);
		must(strlen(line) < sizeof(line));
		for (const char *at = line; *at; at++)
			must((unsigned char)*at >= 0x20 && *at != 0x7f);
	}
	(void)news_first(&news, 1795348800000);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	if (len == 0)
		return 0;
	char *text = malloc(len);
	memcpy(text, bytes + 1, len - 1);
	text[len - 1] = 0;
	try_policy(text, bytes[0]);
	try_news(text);
	free(text);
	return 0;
}
