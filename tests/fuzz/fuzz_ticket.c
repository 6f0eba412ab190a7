/* links: proto_e2e */
/* ticket: whatever is typed as a pairing code is refused, or prints back as the same ticket. */
#include <stdlib.h>
#include <string.h>

#include "e2e/ticket.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ticket ticket, again;
	char text[256], printed[TICKET_TEXT_SIZE];
	if (size >= sizeof(text))
		return 0;
	if (size)
		memcpy(text, data, size);
	text[size] = 0;
	if (ticket_parse(text, &ticket) < 0)
		return 0;
	ticket_print(&ticket, printed);
	if (ticket_parse(printed, &again) < 0 || ticket.id != again.id || !ticket.id ||
		memcmp(ticket.secret, again.secret, sizeof(ticket.secret)) != 0)
		abort();
	return 0;
}
