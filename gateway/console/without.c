/* without: what is served where the console was not built (no node and npm at build time). */
#include "console/console.h"

static const char page[] =
	"<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n"
	"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	"<title>Engawa</title>\n<h1>Engawa</h1>\n"
	"<p "
	"lang=\"ja\">"
	"このゲートウェイは管理画面なしでビルドされています。engawactlまたはREST "
	"API (/api/v1) "
	"をお使いください。</p>\n"
	"<p lang=\"en\">This gateway was built without its web console (node, npm "
	"or what they fetch was not there). engawactl and the REST API (/api/v1) do "
	"everything.</p>\n</html>\n";

static const struct assets_file files[] = {{"/", "text/html; charset=utf-8",
	"without-console-1", ASSETS_ASK, {{(const uint8_t *)page, sizeof(page) - 1}}}};

const struct assets console_assets = {
	files, sizeof(files) / sizeof(*files), CONSOLE_POLICY};
