/* links: proto_e2e */
/* pins, peers, ticket_book, identity: files of the state directory that were damaged, or put there by
 * somebody else. The first byte chooses. What is accepted must be storable, and mean the same again. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/reason.h"
#include "e2e/identity.h"
#include "e2e/peers.h"
#include "e2e/pins.h"
#include "e2e/ticket_book.h"

#define NOW INT64_C(1800000000000)

static char dir[64];

static void leave(void)
{
	static const char *const names[] = {"pins/7k3qx09fa.json", "pins/.lock", "pins",
		"tickets/00001.json", "tickets/.lock", "tickets", "peers.json",
		"identity.json", ".lock", ""};
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		char path[128];
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		remove(path);
	}
}

static void enter(void)
{
	char path[128];
	if (dir[0])
		return;
	snprintf(dir, sizeof(dir), "%s/engawa-fuzz-XXXXXX",
		access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
	if (!mkdtemp(dir))
		abort();
	snprintf(path, sizeof(path), "%s/pins", dir);
	mkdir(path, 0700);
	snprintf(path, sizeof(path), "%s/tickets", dir);
	mkdir(path, 0700);
	atexit(leave);
}

static void put(const char *name, const uint8_t *data, size_t size)
{
	char path[128];
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	close(fd);
}

static void pin(void)
{
	struct pins_host host, back;
	if (pins_read(dir, "7K3QX09FA", &host) < 0)
		return;
	if (pins_write(dir, &host) < 0 || pins_read(dir, "7K3QX09FA", &back) < 0 ||
		memcmp(host.key, back.key, sizeof(host.key)) != 0 ||
		strcmp(host.name, back.name) != 0)
		abort();
}

static void peers_file(void)
{
	struct peers *peers;
	if (peers_open(dir, &peers) < 0)
		return;
	size_t count = peers_count(peers);
	if (count > PEERS_MAX)
		abort();
	if (count) {
		struct peers_device first = *peers_at(peers, 0);
		int result = peers_seen(peers, first.key, NOW);
		if (result < 0 && result != -REASON_NOT_FOUND)
			abort();
		if (peers_count(peers) != count)
			abort();
	}
	peers_free(peers);
}

static void ticket_file(void)
{
	struct ticket_book_entry entry;
	uint8_t psk[PRIMITIVES_KEY];
	if (ticket_book_look(dir, 1, NOW, &entry) < 0)
		return;
	int result = ticket_book_try(dir, 1, NOW, psk);
	if ((result == 0) !=
		(entry.state == TICKET_BOOK_OPEN && entry.tries < TICKET_BOOK_TRIES))
		abort();
}

static void identity_file(void)
{
	struct identity *identity;
	if (identity_open(dir, &identity) == 0)
		identity_free(identity);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} files[] = {
		{"pins/7k3qx09fa.json", pin},
		{"peers.json", peers_file},
		{"tickets/00001.json", ticket_file},
		{"identity.json", identity_file},
	};
	if (size < 1)
		return 0;
	enter();
	size_t file = data[0] % ARRAY_LEN(files);
	put(files[file].name, data + 1, size - 1);
	files[file].run();
	return 0;
}
