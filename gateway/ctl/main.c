/* engawactl: administration from the command line. Verbs: ctl/verbs.def. */
#include <curl/curl.h>
#include <locale.h>

#include "base/log.h"
#include "ctl/ctl_verbs.h"

int main(int argc, char **argv)
{
	setlocale(LC_ALL, "");
	log_open("engawactl", 2, LOG_TEXT, LOG_WARN);
	curl_global_init(CURL_GLOBAL_DEFAULT);
	int code = program_main(&ctl_verbs_program, argc, argv);
	curl_global_cleanup();
	return code;
}
