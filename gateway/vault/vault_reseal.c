#include "vault/vault_reseal.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/reason.h"
#include "store/sealed/sealed_renew.h"
#include "store/sealed/sealed_store.h"
#include "store/store_open.h"
#include "store/store_wait.h"
#include "vault/vault_inside.h"
#include "vault/vault_record.h"

#define RESEAL "reseal/"

static void run_reseal(struct vault *vault, const char *tenant)
{
	struct store *store = vault->parts.store;
	struct sealed_renew count = {0};
	char mark[sizeof(RESEAL) + STATE_TENANT_MAX];
	snprintf(mark, sizeof(mark), RESEAL "%.*s", STATE_TENANT_MAX, tenant);
	int r = sealed_renew_run(sealed_store_below(store)->state,
		sealed_store_keys(store), tenant, SEALED_RENEW_OLD, vault_is_stopping,
		vault, &count);
	if (r == 0)
		r = vault_record_mark(store, mark, NULL);
	log_line(r ? LOG_WARN : LOG_INFO,
		r ? "documents wait for their new key" : "documents sealed anew",
		LOG_S("tenant", tenant), LOG_U("count", count.sealed),
		LOG_S("reason", reason_symbol(r)));
}

int vault_reseal_rotate(struct vault *vault, const char *tenant, uint32_t *ret_generation)
{
	CHECK_OBJ(vault, VAULT_MAGIC);
	struct store *store = vault->parts.store;
	char mark[sizeof(RESEAL) + STATE_TENANT_MAX];
	json_t *value = json_pack("{s:s, s:I}", "tenant", tenant, "at_ms",
		(json_int_t)clock_wall_ms());
	snprintf(mark, sizeof(mark), RESEAL "%.*s", STATE_TENANT_MAX, tenant);
	int r = value ? vault_record_mark(store, mark, value) : -REASON_NO_MEMORY;
	json_decref(value);
	if (r == 0)
		r = sealed_keys_rotate(sealed_store_keys(store), tenant, ret_generation);
	if (r == 0)
		r = sealed_store_tell(store, tenant);
	return r ? r : vault_put_job(vault, run_reseal, tenant);
}

void vault_reseal_go_on(struct vault *vault)
{
	struct store_docs docs = {0};
	int r = store_wait_list(vault->parts.store->state, STATE_META, NULL, RESEAL, 1000,
		&docs);
	/* The operator's own mark is what the list begins after. */
	struct store_docs own = {0};
	if (r == 0 &&
		!store_wait_get(vault->parts.store->state, STATE_META, RESEAL, &own))
		run_reseal(vault, "");
	store_docs_free(&own);
	for (size_t i = 0; i < docs.count && !vault_is_stopping(vault); i++) {
		const char *id = docs.docs[i].id;
		if (strncmp(id, RESEAL, sizeof(RESEAL) - 1))
			break;
		run_reseal(vault, id + sizeof(RESEAL) - 1);
	}
	store_docs_free(&docs);
}
