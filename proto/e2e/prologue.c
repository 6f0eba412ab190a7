#include "e2e/prologue.h"

#include <string.h>

#include "base/reason.h"

static int check_psk(const struct prologue *prologue)
{
	if (prologue->purpose == PROLOGUE_SESSION)
		return prologue->psk == PROLOGUE_PSK_PAIR && prologue->ticket_id == 0;
	return prologue->purpose == PROLOGUE_PAIRING &&
	       prologue->psk == PROLOGUE_PSK_TICKET && prologue->ticket_id != 0;
}

int prologue_build(const struct prologue *prologue, uint8_t ret[static PROLOGUE_SIZE])
{
	if (!check_psk(prologue) || prologue->viewer_min > prologue->viewer_max ||
		prologue->host_min > prologue->host_max)
		return -REASON_E2E_FAILED;
	memset(ret, 0, PROLOGUE_SIZE);
	memcpy(ret, "ENGAWA-1", 8);
	ret[8] = 1; /* suite: Noise_XXpsk3_25519_AESGCM_SHA256 */
	ret[9] = (uint8_t)prologue->purpose;
	ret[10] = (uint8_t)prologue->psk;
	ret[12] = prologue->viewer_min;
	ret[13] = prologue->viewer_max;
	ret[14] = prologue->host_min;
	ret[15] = prologue->host_max;
	memcpy(ret + 16, prologue->license_id, PROLOGUE_ID);
	memcpy(ret + 32, prologue->session_id, PROLOGUE_ID);
	for (int i = 0; i < 4; i++)
		ret[48 + i] = (uint8_t)(prologue->ticket_id >> (24 - 8 * i));
	return 0;
}

int prologue_version(const struct prologue *prologue, uint8_t *ret)
{
	uint8_t most = prologue->viewer_max < prologue->host_max ? prologue->viewer_max
								 : prologue->host_max;
	if (most < prologue->viewer_min || most < prologue->host_min)
		return -REASON_VERSION;
	*ret = most;
	return 0;
}
