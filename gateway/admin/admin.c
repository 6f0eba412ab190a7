#include "admin/admin.h"

#include <stdlib.h>
#include <string.h>

#include "admin/api_accounts.h"
#include "admin/api_alarms.h"
#include "admin/api_alerts.h"
#include "admin/api_backups.h"
#include "admin/api_directories.h"
#include "admin/api_events.h"
#include "admin/api_groups.h"
#include "admin/api_holders.h"
#include "admin/api_hosts.h"
#include "admin/api_journal.h"
#include "admin/api_journal_chain.h"
#include "admin/api_journal_state.h"
#include "admin/api_keys.h"
#include "admin/api_license_acts.h"
#include "admin/api_license_bulk.h"
#include "admin/api_license_devices.h"
#include "admin/api_license_import.h"
#include "admin/api_license_list.h"
#include "admin/api_license_totp.h"
#include "admin/api_licenses.h"
#include "admin/api_me.h"
#include "admin/api_metrics.h"
#include "admin/api_nodes.h"
#include "admin/api_notices.h"
#include "admin/api_outages.h"
#include "admin/api_policies.h"
#include "admin/api_reports.h"
#include "admin/api_routes.h"
#include "admin/api_security.h"
#include "admin/api_sessions.h"
#include "admin/api_sign_in.h"
#include "admin/api_sign_in_oidc.h"
#include "admin/api_statements.h"
#include "admin/api_tenant_end.h"
#include "admin/api_tenants.h"
#include "admin/api_tokens.h"
#include "admin/api_usage.h"
#include "admin/call.h"
#include "admin/permit.h"
#include "admin/reading_log.h"
#include "admin/repeat.h"
#include "base/log.h"
#include "base/reason.h"
#include "http/assets.h"
#include "http/router.h"

#define SCRYPTS 2

/* As routes.def writes them behind a permission. */
enum {
	STEP_UP = PERMIT_STEP_UP,
	OWN = PERMIT_OWN,
	QUIET = PERMIT_QUIET,
	SERVICE = PERMIT_SERVICE,
};

static const struct router_route routes[] = {
#define ROUTE(handler, method, path, permission, answer, verb, summary)                  \
	{REQUEST_##method, path, ROLE_MAY_##permission, handler},
#define OPEN_ROUTE(handler, method, path, summary)                                       \
	{REQUEST_##method, path, PERMIT_OPEN, handler},
#define QUERY(name, help)
#define MEMBER(name, kind, need, help)
#include "admin/routes.def"
#undef ROUTE
#undef OPEN_ROUTE
#undef QUERY
#undef MEMBER
};

int admin_new(const struct admin_parts *parts, struct admin **ret)
{
	struct admin *admin = calloc(1, sizeof(*admin));

	if (!admin)
		return -REASON_NO_MEMORY;
	admin->parts = *parts;
	int status = once_new(&admin->once);
	if (!status)
		status = license_index_new(parts->store, &admin->licenses);
	if (!status)
		status = reading_log_new(&admin->readings);
	if (status) {
		license_index_free(admin->licenses);
		once_free(admin->once);
		free(admin);
		return status;
	}
	sem_init(&admin->streams, 0, (unsigned)(parts->streams ? parts->streams : 1));
	sem_init(&admin->scrypts, 0, SCRYPTS);
	*ret = admin;
	return 0;
}

struct admin *admin_free(struct admin *admin)
{
	if (!admin)
		return NULL;
	reading_log_free(admin->readings);
	license_index_free(admin->licenses);
	once_free(admin->once);
	sem_destroy(&admin->streams);
	sem_destroy(&admin->scrypts);
	free(admin);
	return NULL;
}

/* Files first: no route of the API has a file's name. A page that is in neither is missing. */
static int serve_console(const struct router *router, struct exchange *exchange)
{
	const struct assets *assets = call_of(exchange)->admin->parts.assets;

	if (!assets)
		return 0;
	return assets_answer(assets, exchange) ||
	       (!router_match(router, exchange) && assets_missing(assets, exchange));
}

int admin_listen(struct admin *admin, struct post_box *box)
{
	return api_events_start(admin, box);
}

void admin_deafen(struct admin *admin)
{
	api_events_stop(admin);
}

static int takes_upload(const struct router_route *route)
{
	return route->handler == api_license_import;
}

void admin_handle(void *arg, struct exchange *exchange)
{
	const struct router router = {.routes = routes,
		.count = ARRAY_LEN(routes),
		.gate = permit_check,
		.uploads = takes_upload,
		.ctx = arg};
	struct call call = {.admin = arg, .exchange = exchange};

	exchange->who = &call;
	if (!serve_console(&router, exchange))
		router_dispatch(&router, exchange);
	repeat_end(&call);
	api_events_tell(&call);
	exchange->who = NULL;
	/* The path without its query, and never a body or header. */
	log_line(exchange->status >= 500 ? LOG_WARN : LOG_DEBUG, "request",
		LOG_S("method", request_method_name(exchange->request->method)),
		LOG_S("path", exchange->request->path), LOG_U("status", exchange->status),
		LOG_S("reason", reason_symbol(exchange->reason)),
		LOG_S("by", *call.by.name ? call.by.name : "-"),
		LOG_S("address", exchange->address));
}
