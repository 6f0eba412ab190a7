/* syslog_out: an alarm to a syslog receiver: the socket of this machine, UDP (RFC 5426), TCP (RFC 6587,
 * octet counting) or TLS (RFC 5425). UDP is sent once and nobody says whether it arrived.
 *
 * Thread and errors: alert/letter.h.
 */
#ifndef ALERT_SYSLOG_OUT_H
#define ALERT_SYSLOG_OUT_H

#include "alert/letter.h"

MUST_CHECK int syslog_out_send(const struct letter *letter,
	char error[static LETTER_ERROR]);

#endif
