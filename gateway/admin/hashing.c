#include "admin/hashing.h"

#include "base/reason.h"

int hashing_begin(struct call *call)
{
	struct admin *admin = call->admin;
	int most = admin->parts.streams > 1 ? (int)admin->parts.streams - 1 : 1;

	if (atomic_fetch_add(&admin->hashing, 1) < most)
		return 0;
	atomic_fetch_sub(&admin->hashing, 1);
	return -REASON_BUSY;
}

void hashing_end(struct call *call)
{
	CHECK(atomic_fetch_sub(&call->admin->hashing, 1) > 0);
}

static void enter(struct call *call)
{
	while (sem_wait(&call->admin->scrypts)) {
		/* a signal; the wait goes on */
	}
}

int hashing_check(struct call *call, const char *record, const char *password)
{
	int status = -REASON_PASSWORD_WRONG;

	enter(call);
	if (record && *record)
		status = password_check(record, password);
	else
		password_spend(password);
	sem_post(&call->admin->scrypts);
	return status;
}

int hashing_make(struct call *call, const char *password,
	char ret[static PASSWORD_RECORD])
{
	enter(call);
	int status = password_hash(password, ret);
	sem_post(&call->admin->scrypts);
	return status;
}
