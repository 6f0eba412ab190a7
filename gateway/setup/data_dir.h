/* data_dir: the files of one node: where they are, whether they are whole, and who uses them now.
 *
 *   ca.pem ca.key      the cluster's authority        node.pem node.key  this node's certificate
 *   master.key         wraps what is sealed at rest   node.id            name of this node; written
 *   backup.key         seals backups                                     last: without it the
 *   admin.token        for engawactl beside it                           directory is unfinished
 *   seed.json          first operator and token,      engawa.db          the embedded store
 *                      hashed, for a new store        backups/           unless they go elsewhere
 *   lock, run/         of the running gateway: run/listen, run/admin hold the actual addresses
 *
 * Thread: main. Errors come with one line in `error` that names the file: -REASON_CONFIG (not set
 * up), -REASON_STATE_DAMAGED, -REASON_FILE_EXPOSED, -REASON_FILE_UNREADABLE, -REASON_FILE_UNWRITABLE,
 * -REASON_DISK_FULL, -REASON_ALREADY_RUNNING. Nothing is ever repaired silently.
 * Owner: main, until data_dir_close().
 */
#ifndef SETUP_DATA_DIR_H
#define SETUP_DATA_DIR_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/check.h"

#define DATA_DIR_PATH 4096
#define DATA_DIR_ERROR 512
#define DATA_DIR_NODE 64
#define DATA_DIR_MASTER 32

enum data_dir_state {
	DATA_DIR_ABSENT,
	DATA_DIR_EMPTY,
	DATA_DIR_UNFINISHED,
	DATA_DIR_READY,
	DATA_DIR_FOREIGN
};

struct data_dir {
	char path[DATA_DIR_PATH];
	char node[DATA_DIR_NODE + 1];
	uint8_t *master; /* secret_alloc */
	int lock;        /* descriptor, -1: not held */
};

/* -REASON_FILE_UNREADABLE when it cannot be looked into. */
MUST_CHECK int data_dir_look(const char *path, enum data_dir_state *ret);
/* All files present, of the right form and closed to others; the lock is not taken yet. */
MUST_CHECK int data_dir_open(const char *path, struct data_dir *ret,
	char error[static DATA_DIR_ERROR]);
/* One running gateway per directory. */
MUST_CHECK int data_dir_lock(struct data_dir *dir, char error[static DATA_DIR_ERROR]);
void data_dir_close(struct data_dir *dir);

/* PATH/NAME; "" where that does not fit. */
void data_dir_file(const char *path, const char *name, char ret[static DATA_DIR_PATH]);
/* The whole file with a NUL behind it; at most `max` bytes. Free with data_dir_wipe(). */
MUST_CHECK int data_dir_read(const char *path, const char *name, size_t max, char **ret,
	char error[static DATA_DIR_ERROR]);
void data_dir_wipe(char *text);
/* Whole and durable under its final name, or not at all. */
MUST_CHECK int data_dir_write(const char *path, const char *name, const void *bytes,
	size_t len, mode_t mode, char error[static DATA_DIR_ERROR]);
/* The master key of a directory that may still be unfinished. */
MUST_CHECK int data_dir_master(const char *path, uint8_t ret[static DATA_DIR_MASTER],
	char error[static DATA_DIR_ERROR]);
/* Every file of a node's directory, in the order in which init puts them in place; NULL ends. */
extern const char *const data_dir_files[];

#endif
