/* weak: a borrower's pointer that turns NULL when its subject dies.
 *
 * Thread: subject and all its borrowers live on one thread. The subject embeds a weak_anchor,
 * each borrower a weak; nobody allocates.
 */
#ifndef BASE_WEAK_H
#define BASE_WEAK_H

#include "base/list.h"

struct weak_anchor {
	struct list borrowers;
};

struct weak {
	struct list node;
	void *subject;
};

static inline void weak_anchor_init(struct weak_anchor *anchor)
{
	list_init(&anchor->borrowers);
}

static inline void weak_init(struct weak *weak)
{
	list_init(&weak->node);
	weak->subject = NULL;
}

/* Forgets what it pointed at before. */
static inline void weak_set(struct weak *weak, struct weak_anchor *anchor, void *subject)
{
	list_remove(&weak->node);
	weak->subject = subject;
	list_add_tail(&anchor->borrowers, &weak->node);
}

static inline void weak_clear(struct weak *weak)
{
	list_remove(&weak->node);
	weak->subject = NULL;
}

/* The subject's last act: every borrower sees NULL from here on. */
static inline void weak_anchor_done(struct weak_anchor *anchor)
{
	LIST_EACH(node, &anchor->borrowers)
	{
		struct weak *weak = LIST_ENTRY(node, struct weak, node);
		weak_clear(weak);
	}
}

#endif
