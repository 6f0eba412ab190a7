/* rest_path: a path with its query, built piece by piece; values are percent-encoded.
 *
 * Thread: any. Owner: the caller, on its stack. What does not fit is left out and sets `overflow`.
 */
#ifndef CTL_REST_PATH_H
#define CTL_REST_PATH_H

#define REST_PATH 1024
struct rest_path {
	char text[REST_PATH];
	int queries, overflow;
};
void rest_path(struct rest_path *path, const char *base);
void rest_path_segment(struct rest_path *path, const char *segment);
void rest_path_plain(struct rest_path *path, const char *text);
/* Nothing when `value` is NULL. */
void rest_path_query(struct rest_path *path, const char *name, const char *value);

#endif
