/* without_page: what the public port serves where the viewer's page was not built (no node and npm at
 * build time). */
#include "web/viewer_web.h"

static const char page[] =
	"<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n"
	"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	"<meta name=\"robots\" content=\"noindex\">\n"
	"<title>Engawa</title>\n<h1>Engawa</h1>\n"
	"<p "
	"lang=\"ja\">このゲートウェイはブラウザー版ビューアーなしでビルドされています。"
	"会社のPCにはengawa-viewerで接続してください。</p>\n"
	"<p lang=\"en\">This gateway was built without the browser viewer (node, npm "
	"or what they fetch was not there). engawa-viewer connects to your office "
	"PC.</p>\n</html>\n";

static const struct assets_file files[] = {{"/", "text/html; charset=utf-8",
	"without-page-1", ASSETS_ASK, {{(const uint8_t *)page, sizeof(page) - 1}}}};

const struct assets viewer_web_assets = {
	files, sizeof(files) / sizeof(*files), VIEWER_WEB_POLICY};
