/*
 * A TOML text as tables and what stands in them, with the place of each.
 *
 * Tables are a tree of nodes; where keys of a table can be written is a box:
 * the lines below a [header], the root's lines before the first one, or the
 * inside of an inline table. Tables that only dots made share the box.
 */
#ifndef MM_AGENT_FORMATS_TOML_SCAN_H
#define MM_AGENT_FORMATS_TOML_SCAN_H

#include "agent/formats/toml_value.h"

#define MM_TOML_KEYS_MAX 100000 /* keys and tables in a file */
#define MM_TOML_NONE ((size_t)-1)

enum mm_toml_kind {
	MM_TOML_IMPLICIT, /* only the headers of its sub-tables stand there */
	MM_TOML_HEADER,   /* [table], an element of [[tables]], the root */
	MM_TOML_DOTTED,   /* a.b = 1 made it */
	MM_TOML_INLINE,   /* { a = 1 } */
	MM_TOML_TABLES,   /* [[tables]]; its elements are called name[0], name[1] ... */
	MM_TOML_VALUE
};

struct mm_toml_node {
	enum mm_toml_kind kind;
	size_t parent;
	const char *name, *path;
	size_t depth;
	size_t box;  /* HEADER, DOTTED, INLINE */
	size_t last; /* the last entry in its box that is its own or below it, or MM_TOML_NONE */
	size_t n;    /* TABLES: how many; `last` is then the node of the last one */
};

struct mm_toml_entry { /* kind c: a header (value "") or an inline table (value "{") */
	const char *section, *key, *value;
	char kind;
	int line;
	size_t from;       /* where the key or the header begins */
	size_t vfrom, vto; /* the value; of a header: behind it */
	size_t box;        /* in which it stands; of a header: its own */
};

struct mm_toml_box {
	size_t node;
	bool is_inline;
	size_t from, to; /* of the header; an inline table's brace */
};

struct mm_toml {
	struct mm_toml_cursor c;
	struct mm_toml_node *nodes;
	size_t n_nodes, cap_nodes;
	struct mm_toml_entry *entries;
	size_t n_entries, cap_entries;
	struct mm_toml_box *boxes;
	size_t n_boxes, cap_boxes;
	size_t *slots, n_slots; /* hash of (parent, name) -> node + 1 */
	size_t counted;         /* up to here lines are counted, and `line` is the number there */
	int line;
	int depth; /* arrays and inline tables around the cursor */
	int quiet; /* inside of an array, whose tables are no entries */
};

/* The first node is the root. */
int mm_toml_scan(struct mm_text in, struct mm_arena *a, struct mm_toml *out, struct mm_err *err);
/* The child of that name, or MM_TOML_NONE. */
size_t mm_toml_child(const struct mm_toml *t, size_t parent, const char *name);

#endif
