/* list: a doubly linked ring inside the objects themselves; adding and removing cannot fail.
 *
 * Thread: that of the owner. An entry that is in no list points at itself (list_init).
 */
#ifndef BASE_LIST_H
#define BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list {
	struct list *prev, *next;
};

#define LIST_ENTRY(node, type, member) ((type *)((char *)(node)-offsetof(type, member)))

/* The body may remove the current entry, and no other. */
#define LIST_EACH(node, head)                                                            \
	for (struct list *node = (head)->next, *node##_next = node->next;                \
		node != (head); node = node##_next, node##_next = node->next)

static inline void list_init(struct list *node)
{
	node->prev = node->next = node;
}

static inline bool list_empty(const struct list *head)
{
	return head->next == head;
}

static inline void list_add_tail(struct list *head, struct list *node)
{
	node->prev = head->prev;
	node->next = head;
	head->prev->next = node;
	head->prev = node;
}

/* Harmless on an entry that is in no list. */
static inline void list_remove(struct list *node)
{
	node->prev->next = node->next;
	node->next->prev = node->prev;
	list_init(node);
}

#endif
