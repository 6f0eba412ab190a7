/* openapi: the description of the REST API (OpenAPI 3.1, YAML), printed from routes.def; a test
 * holds docs/openapi.yaml against it.
 *
 * Thread: any; constant data.
 */
#ifndef ADMIN_OPENAPI_H
#define ADMIN_OPENAPI_H

#include <stdio.h>

void openapi_write(FILE *out);

#endif
