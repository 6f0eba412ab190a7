#include "rules/license_card.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/reason.h"

#define LABELS_SIZE (LICENSE_LABELS * (sizeof(struct license_label) + 2) + 1)

static const char *put(char **at, const char *text)
{
	const char *start = *at;
	size_t size = strlen(text) + 1;
	memcpy(*at, text, size);
	*at += size;
	return start;
}

static void print_labels(const struct license *license, char ret[static LABELS_SIZE])
{
	size_t used = 0;
	ret[0] = 0;
	for (size_t i = 0; i < license->label_count; i++)
		used += (size_t)snprintf(ret + used, LABELS_SIZE - used, "%s=%s\n",
			license->labels[i].name, license->labels[i].value);
}

int license_card_make(const struct license *license, uint64_t version,
	struct license_card **ret)
{
	char labels[LABELS_SIZE];
	print_labels(license, labels);
	size_t size = strlen(license->tenant) + strlen(license->holder) +
		      strlen(license->group) + strlen(license->note) + strlen(labels) + 5;
	struct license_card *card = malloc(sizeof(*card) + size);
	if (!card)
		return -REASON_NO_MEMORY;
	*card = (struct license_card){.state = (uint8_t)license->state,
		.version = version,
		.expires_ms = license->expires_ms};
	memcpy(card->id, license->id, sizeof(card->id));
	char *at = card->text;
	card->tenant = put(&at, license->tenant);
	card->holder = put(&at, license->holder);
	card->group = put(&at, license->group);
	card->note = put(&at, license->note);
	card->labels = put(&at, labels);
	*ret = card;
	return 0;
}

int license_card_state_good(const char *state)
{
	return !strcmp(state, "enabled") || !strcmp(state, "disabled") ||
	       !strcmp(state, "expired");
}

static int in_state(const struct license_card *card, const char *state, int64_t now_ms)
{
	int expired = card->expires_ms && card->expires_ms <= now_ms;
	if (!strcmp(state, "expired"))
		return expired;
	if (!strcmp(state, "disabled"))
		return card->state == LICENSE_DISABLED;
	return card->state == LICENSE_ENABLED && !expired;
}

static int has_label(const char *labels, const char *wanted)
{
	size_t len = strlen(wanted);
	int whole = strchr(wanted, '=') != NULL;
	for (const char *at = labels; *at; at = strchr(at, '\n') + 1)
		if (!strncmp(at, wanted, len) && at[len] == (whole ? '\n' : '='))
			return 1;
	return 0;
}

static int has_text(const struct license_card *card, const char *q)
{
	return strcasestr(card->id, q) || strcasestr(card->holder, q) ||
	       strcasestr(card->group, q) || strcasestr(card->note, q) ||
	       strcasestr(card->labels, q) || strcasestr(card->tenant, q);
}

int license_card_matches(const struct license_filter *filter,
	const struct license_card *card, int64_t now_ms)
{
	return (!filter->tenant || !strcmp(filter->tenant, card->tenant)) &&
	       (!filter->group || !strcmp(filter->group, card->group)) &&
	       (!filter->state || in_state(card, filter->state, now_ms)) &&
	       (filter->online < 0 || filter->online == card->online) &&
	       (!filter->holder || strcasestr(card->holder, filter->holder)) &&
	       (!filter->label || has_label(card->labels, filter->label)) &&
	       (!filter->q || has_text(card, filter->q));
}

int license_card_narrows(const struct license_filter *filter)
{
	return filter->group || filter->state || filter->holder || filter->label ||
	       filter->q || filter->online >= 0;
}
