/*
 * What the adapters share: paths, lists of edits, reading a file as text.
 */
#ifndef MM_AGENT_CLIENTS_ADAPTER_H
#define MM_AGENT_CLIENTS_ADAPTER_H

#include "agent/clients/client.h"

/* ~/rel */
const char *mm_home_path(struct mm_reader *r, const char *rel);
/* $XDG_CONFIG_HOME/rel, ~/.config/rel where it is not set or not absolute. */
const char *mm_config_path(struct mm_reader *r, const char *rel);
/* $XDG_DATA_HOME/rel, ~/.local/share/rel where it is not set or not absolute. */
const char *mm_data_path(struct mm_reader *r, const char *rel);
/* "..." behind the last slash, and what is before it ("/" at least). */
const char *mm_path_dir(struct mm_arena *a, const char *path);

/* As reader->file, with trouble as an error that names the path. An absent
 * file gives 0. */
int mm_read_text(struct mm_reader *r, const char *path, struct mm_text *out, struct mm_err *err);
bool mm_have_file(struct mm_reader *r, const char *path);
/* False also where it cannot be known. */
bool mm_running(struct mm_reader *r, const char *comm);

struct mm_edit_list { /* edits of one file while they are gathered */
	struct mm_edit *v;
	size_t n, cap;
};
void mm_want_edit(struct mm_edit_list *l, struct mm_arena *a, enum mm_edit_op op, const char *section,
    const char *key, char kind, const char *value);
/* Add the file to `out` unless there is nothing to do in it. */
void mm_want_file(struct mm_edits *out, struct mm_arena *a, const char *path, const struct mm_format *format,
    const struct mm_edit_list *l, mode_t create_mode);

void mm_add_place(struct mm_arena *a, struct mm_place **v, size_t *n, const struct mm_place *p);
/* Valid until the next one is added: for `->key`, `->endpoint`. */
struct mm_trap *mm_add_trap(struct mm_arena *a, struct mm_view *view, enum mm_trap_kind kind,
    const char *path, int line, const char *text);

#endif
