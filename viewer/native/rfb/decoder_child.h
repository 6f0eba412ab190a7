/* decoder_child: starting and ending the process engawa-decoder.
 *
 * Thread: any one. The child gets three descriptors, no environment, /dev/null as its standard
 * streams (a host must not write to the person's terminal), and nothing of the viewer's memory.
 */
#ifndef RFB_DECODER_CHILD_H
#define RFB_DECODER_CHILD_H

#include <stddef.h>
#include <sys/types.h>

#include "base/check.h"

/* Where engawa-decoder is, from where this program is. -REASON_MISSING_PROGRAM. */
MUST_CHECK int decoder_child_find(char *ret, size_t size);
/* Memory of PICTURE_BYTES that can neither shrink (a reader would die of SIGBUS) nor grow. */
MUST_CHECK int decoder_child_memory(int *ret_fd, unsigned char **ret_map);
/* The three fds stay the caller's. -REASON_MISSING_PROGRAM, -REASON_NO_MEMORY. */
MUST_CHECK int decoder_child_spawn(pid_t *ret, const char *program, int rfb_fd,
	int ipc_fd, int pixels_fd);
/* Kills it and waits. */
void decoder_child_reap(pid_t pid);

#endif
