#include "admin/directory_desk.h"

#include <stdlib.h>
#include <string.h>

#include "base/reason.h"
#include "base/secret.h"
#include "directory/directories.h"

int directory_desk_blank(struct call *call, struct directory_desk *ret)
{
	*ret = (struct directory_desk){
		.directory = secret_alloc(sizeof(*ret->directory))};
	return ret->directory ? 0 : call_fail(call, -REASON_NO_MEMORY, NULL);
}

int directory_desk_load(struct call *call, struct directory_desk *ret)
{
	const char *id = exchange_param(call->exchange, "id");
	struct field_error error;
	int status = directory_desk_blank(call, ret);

	if (status)
		return status;
	status = call_get(call, STATE_DIRECTORY, id, &ret->docs);
	if (!status && directory_read(ret->docs.docs[0].body, ret->directory, &error))
		status = call_fail(call, -REASON_STATE_DAMAGED, id);
	if (status)
		directory_desk_unload(ret);
	return status;
}

void directory_desk_unload(struct directory_desk *desk)
{
	desk->directory = secret_free(desk->directory, sizeof(*desk->directory));
	store_docs_free(&desk->docs);
}

int directory_desk_put(struct call *call, struct directory_desk *desk)
{
	struct state_doc doc = {.kind = STATE_DIRECTORY,
		.id = desk->directory->id,
		.tenant = desk->directory->tenant,
		.version = desk->docs.count ? desk->docs.docs[0].version : 0};
	uint64_t version;
	char *body;
	int status = directory_write(desk->directory,
		desk->docs.count ? desk->docs.docs[0].body : NULL, &body);

	if (status)
		return status;
	doc.body = body;
	status = store_wait_put(call_store(call)->state, &doc, &version);
	secret_wipe(body, strlen(body));
	free(body);
	return status;
}

json_t *directory_desk_show(const struct directory *directory)
{
	char *text;

	if (directory_show(directory, &text))
		return NULL;
	json_t *object = json_loads(text, 0, NULL);
	free(text);
	if (object)
		call_add_times(object);
	return object;
}

int directory_desk_permits(struct call *call, const char *id, const char *tenant,
	enum directory_use use)
{
	struct directories *directories = call->admin->parts.directories;
	struct directory_desk desk;

	if (!*id)
		return 0;
	int status = directory_desk_blank(call, &desk);
	if (status)
		return status;
	status = directories_load(directories, id, desk.directory);
	/* That it is disabled now is no reason not to name it. */
	if (!status)
		desk.directory->state = DIRECTORY_ENABLED;
	if (status == -REASON_NOT_FOUND ||
		(!status && !directory_serves(desk.directory, tenant, use)))
		status = call_wrong(call, "directory",
			use == DIRECTORY_HOLDERS
				? "none of this name serves holders of this company"
				: "none of this name serves accounts of this company");
	else if (status)
		call_fail(call, status, NULL);
	directory_desk_unload(&desk);
	return status;
}
