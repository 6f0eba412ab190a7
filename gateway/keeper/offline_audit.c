#include "keeper/offline_audit.h"

#include <stdio.h>

#include "base/reason.h"
#include "base/text.h"
#include "keeper/checkpoint_maker.h"
#include "setup/data_dir.h"
#include "store/journal_audit.h"
#include "store/store_open.h"

static int verify(const struct offline_audit_plan *plan, const struct data_dir *dir,
	struct store *store, json_t **ret)
{
	char file[DATA_DIR_PATH];
	const char *const files[] = {file, plan->copy};
	struct journal_signer *signer = NULL;
	struct journal_audit audit;

	data_dir_file(dir->path, CHECKPOINT_MAKER_FILE, file);
	int status = journal_checkpoint_signer_new(dir->master, &signer);
	if (!status)
		status = journal_audit_run(store, signer, files, plan->copy ? 2 : 1,
			&audit);
	if (!status)
		*ret = journal_audit_json(&audit, signer);
	journal_checkpoint_signer_free(signer);
	return status;
}

int offline_audit_run(const struct offline_audit_plan *plan, json_t **ret,
	char error[static OFFLINE_AUDIT_ERROR])
{
	char address[DATA_DIR_PATH + 16], more[STORE_ERROR] = "";
	struct data_dir dir = {.lock = -1};
	struct store *store = NULL;
	int status = data_dir_open(plan->data, &dir, error);

	if (status)
		return status;
	snprintf(address, sizeof(address), "sqlite:%.4000s/engawa.db", dir.path);
	status = store_open_reader(plan->store ? plan->store : address, &store, more);
	if (status)
		text_clip(error, OFFLINE_AUDIT_ERROR, more);
	else
		status = verify(plan, &dir, store, ret);
	if (status && !*error)
		text_clip(error, OFFLINE_AUDIT_ERROR, reason_text(status, REASON_EN));
	store_close(store);
	data_dir_close(&dir);
	return status;
}
