#include "metrics/metrics_process.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "metrics/metrics.h"

/* Pages in RAM are the second number of statm. */
static int64_t resident_bytes(void)
{
	long long size = 0, resident = 0;
	FILE *file = fopen("/proc/self/statm", "re");
	if (!file)
		return 0;
	int read = fscanf(file, "%lld %lld", &size, &resident);
	fclose(file);
	return read == 2 ? resident * sysconf(_SC_PAGESIZE) : 0;
}

static int64_t open_descriptors(void)
{
	int64_t count = 0;
	DIR *dir = opendir("/proc/self/fd");
	if (!dir)
		return 0;
	for (const struct dirent *entry; (entry = readdir(dir));)
		count += *entry->d_name != '.';
	closedir(dir);
	return count - 1; /* the one that looked */
}

void metrics_process_look(void)
{
	struct rlimit limit;
	metrics_set(METRIC_MEMORY, resident_bytes());
	metrics_set(METRIC_DESCRIPTORS, open_descriptors());
	if (!getrlimit(RLIMIT_NOFILE, &limit))
		metrics_set(METRIC_DESCRIPTOR_LIMIT, (int64_t)limit.rlim_cur);
}
