#include "enrolment.h"

#include <stdio.h>

#include "base/reason.h"
#include "base/text.h"
#include "e2e/private_file.h"

#define FILE_NAME "enrolment"

int enrolment_read(const char *dir, struct enrolment *ret)
{
	char path[PRIVATE_FILE_PATH];
	int status = private_file_path(path, dir, FILE_NAME, "json");
	json_t *object = NULL;
	if (!status)
		status = private_file_read(path, &object);
	if (status == -REASON_NOT_FOUND)
		return -REASON_NOT_ENROLLED;
	if (status < 0)
		return status;
	struct enrolment enrolment = {0};
	status = access_parse(json_object_get(object, "access"), &enrolment.access);
	if (!status)
		status = private_file_get_text(object, "name", enrolment.name,
			sizeof(enrolment.name));
	if (!status)
		status = private_file_get_number(object, "enrolled_ms", 0, INT64_MAX,
			&enrolment.enrolled_ms);
	json_decref(object);
	if (!status)
		*ret = enrolment;
	access_wipe(&enrolment.access);
	return status;
}

int enrolment_write(const char *dir, const struct enrolment *enrolment)
{
	char path[PRIVATE_FILE_PATH];
	int status = private_file_path(path, dir, FILE_NAME, "json");
	if (status < 0)
		return status;
	json_t *object = json_pack("{s:o, s:s, s:I}", "access",
		access_pack(&enrolment->access), "name", enrolment->name, "enrolled_ms",
		(json_int_t)enrolment->enrolled_ms);
	if (!object)
		return -REASON_NO_MEMORY;
	status = private_file_write(path, object);
	json_decref(object);
	return status;
}

const char *enrolment_ca(const char *dir, const struct enrolment *enrolment, char *ret,
	size_t size)
{
	if (!enrolment->access.own_ca)
		return NULL;
	snprintf(ret, size, "%s/ca.pem", dir);
	return ret;
}

int enrolment_ca_check(const char *dir, const struct enrolment *enrolment)
{
	char path[1024];
	const char *ca = enrolment_ca(dir, enrolment, path, sizeof(path));
	int status = ca ? access_ca_readable(ca) : 0;
	return status == -REASON_BAD_VALUE ? -REASON_STATE_DAMAGED : status;
}

struct uplink_config enrolment_uplink(const struct enrolment *enrolment,
	const struct identity *identity, const char *ca_file, const char *inventory)
{
	const struct access *access = &enrolment->access;
	return (struct uplink_config){
		.gateways = access->gateways,
		.gateway_count = access->gateway_count,
		.ca_file = ca_file,
		.side = HELLO_HOST,
		.license = access->key.public_id,
		.secret = access->key.secret,
		.identity = identity,
		.kind = "native",
		.program = "engawa-host " ENGAWA_VERSION,
		.name = enrolment->name,
		.inventory = inventory,
	};
}
