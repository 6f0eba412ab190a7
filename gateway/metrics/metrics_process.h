/* metrics_process: what the kernel knows of this process, among the metrics: memory and descriptors.
 *
 * Thread: any that may read /proc for a moment.
 */
#ifndef METRICS_METRICS_PROCESS_H
#define METRICS_METRICS_PROCESS_H

/* Sets MEMORY, DESCRIPTORS and DESCRIPTOR_LIMIT; what cannot be read is 0. */
void metrics_process_look(void);

#endif
