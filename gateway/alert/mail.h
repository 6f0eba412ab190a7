/* mail: an alarm as mail, by SMTP over TLS (RFC 5321, 3207, 8314) in the language of the route.
 *
 * Thread and errors: alert/letter.h.
 */
#ifndef ALERT_MAIL_H
#define ALERT_MAIL_H

#include "alert/letter.h"

MUST_CHECK int mail_send(const struct letter *letter, char error[static LETTER_ERROR]);

#endif
