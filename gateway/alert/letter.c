#include "alert/letter.h"

#include "alert/mail.h"
#include "alert/syslog_out.h"
#include "alert/webhook.h"

int letter_send(const struct letter *letter, char error[static LETTER_ERROR])
{
	static int (*const ways[])(const struct letter *, char[static LETTER_ERROR]) = {
		[ROUTE_WEBHOOK] = webhook_send,
		[ROUTE_MAIL] = mail_send,
		[ROUTE_SYSLOG] = syslog_out_send};

	*error = '\0';
	return ways[letter->route->kind](letter, error);
}
