#include "alert/curl_out.h"

#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/reason.h"
#include "rules/field.h"

#define CONNECT_MS 5000L

/* Asked with the address that was resolved, right before the connect: a name that means something else
 * the second time gains nothing. */
static curl_socket_t open_socket(void *arg, curlsocktype purpose UNUSED,
	struct curl_sockaddr *address)
{
	struct curl_out *out = arg;

	if (!target_permits(out->letter->targets, out->letter->route->tenant,
		    &address->addr)) {
		out->refused = 1;
		return CURL_SOCKET_BAD;
	}
	return socket(address->family, address->socktype | SOCK_CLOEXEC,
		address->protocol);
}

static int on_progress(void *arg, curl_off_t a UNUSED, curl_off_t b UNUSED,
	curl_off_t c UNUSED, curl_off_t d UNUSED)
{
	const struct letter *letter = ((struct curl_out *)arg)->letter;

	return letter->gives_up && atomic_load(letter->gives_up);
}

/* What a receiver says back is of no interest, however long it is. */
static size_t drop(char *bytes UNUSED, size_t size, size_t count, void *arg UNUSED)
{
	return size * count;
}

int curl_out_open(struct curl_out *out, const struct letter *letter, const char *url,
	const char *protocols)
{
	CURL *curl = curl_easy_init();
	int failed = 0;

	*out = (struct curl_out){.curl = curl, .letter = letter};
	if (!curl)
		return -REASON_NO_MEMORY;
#define SET(option, value) failed |= curl_easy_setopt(curl, option, value) != CURLE_OK
	SET(CURLOPT_URL, url);
	SET(CURLOPT_PROTOCOLS_STR, protocols);
	SET(CURLOPT_FOLLOWLOCATION, 0L);
	SET(CURLOPT_PROXY, "");
	SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MS);
	SET(CURLOPT_TIMEOUT_MS, (long)LETTER_TIME_MS);
	SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	SET(CURLOPT_SSL_VERIFYPEER, 1L);
	SET(CURLOPT_SSL_VERIFYHOST, 2L);
	if (*letter->ca_file)
		SET(CURLOPT_CAINFO, letter->ca_file);
	SET(CURLOPT_OPENSOCKETFUNCTION, open_socket);
	SET(CURLOPT_OPENSOCKETDATA, out);
	SET(CURLOPT_NOPROGRESS, 0L);
	SET(CURLOPT_XFERINFOFUNCTION, on_progress);
	SET(CURLOPT_XFERINFODATA, out);
	SET(CURLOPT_WRITEFUNCTION, drop);
	SET(CURLOPT_ERRORBUFFER, out->said);
#undef SET
	/* A guard that could not be set is no guard. */
	if (!failed)
		return 0;
	curl_out_close(out);
	return -REASON_INTERNAL;
}

int curl_out_reason(const struct curl_out *out, CURLcode code,
	char error[static LETTER_ERROR])
{
	if (code == CURLE_OK)
		return 0;
	if (out->refused) {
		snprintf(error, LETTER_ERROR,
			"alarms may not be sent to this address (alerts.targets)");
		return -REASON_ADDRESS_REFUSED;
	}
	field_plain(error, LETTER_ERROR,
		*out->said ? out->said : curl_easy_strerror(code));
	if (code == CURLE_PEER_FAILED_VERIFICATION)
		return -REASON_TLS_UNTRUSTED;
	if (code == CURLE_OPERATION_TIMEDOUT)
		return -REASON_TIMEOUT;
	return -REASON_RECEIVER_FAILED;
}

void curl_out_close(struct curl_out *out)
{
	curl_easy_cleanup(out->curl);
	out->curl = NULL;
}
