#include "agent/formats/format.h"

#include <string.h>

#include "agent/formats/accountrc.h"
#include "agent/formats/elisp.h"
#include "agent/formats/fdmconf.h"
#include "agent/formats/fetchmailrc.h"
#include "agent/formats/ini.h"
#include "agent/formats/inis.h"
#include "agent/formats/kconfig.h"
#include "agent/formats/keyfile.h"
#include "agent/formats/mailrc.h"
#include "agent/formats/mbsyncrc.h"
#include "agent/formats/mhprofile.h"
#include "agent/formats/msmtprc.h"
#include "agent/formats/muttrc.h"
#include "agent/formats/netrc_file.h"
#include "agent/formats/pinerc.h"
#include "agent/formats/prefsjs.h"
#include "agent/formats/toml.h"
#include "common/text.h"

const struct mm_format *const mm_formats[] = {
    &mm_format_fetchmailrc,
    &mm_format_fdmconf,
    &mm_format_mailrc,
    &mm_format_mailrc_v15,
    &mm_format_netrc,
    &mm_format_mhprofile,
    &mm_format_elisp,
    &mm_format_goini,
    &mm_format_pyini,
    &mm_format_pyini_percent,
    &mm_format_gitconfig,
    &mm_format_prefsjs,
    &mm_format_muttrc,
    &mm_format_msmtprc,
    &mm_format_ini,
    &mm_format_accountrc,
    &mm_format_mbsyncrc,
    &mm_format_keyfile,
    &mm_format_kconfig,
    &mm_format_pinerc,
    &mm_format_toml,
    &mm_format_meli,
    NULL,
};

static const char *const op_names[MM_EDIT_OP_COUNT] = {
    [MM_EDIT_SET] = "set",
    [MM_EDIT_DELETE] = "delete",
    [MM_EDIT_LIST_ADD] = "list-add",
    [MM_EDIT_LIST_REMOVE] = "list-remove",
    [MM_EDIT_SECTION_ADD] = "section-add",
    [MM_EDIT_SECTION_REMOVE] = "section-remove",
    [MM_EDIT_BLOCK_SET] = "block-set",
    [MM_EDIT_BLOCK_REMOVE] = "block-remove",
};

const char *mm_edit_op_name(enum mm_edit_op op)
{
	return (size_t)op < MM_EDIT_OP_COUNT ? op_names[op] : "?";
}

int mm_edit_op_by_name(const char *s)
{
	for (int i = 0; i < MM_EDIT_OP_COUNT; i++)
		if (mm_streq(op_names[i], s))
			return i;
	return -1;
}

const struct mm_format *mm_format_by_name(const char *name)
{
	for (size_t i = 0; mm_formats[i] != NULL; i++)
		if (mm_streq(mm_formats[i]->name, name))
			return mm_formats[i];
	return NULL;
}

bool mm_edit_inverse(const struct mm_edit *done, struct mm_edit *out)
{
	static const enum mm_edit_op back[MM_EDIT_OP_COUNT] = {
	    [MM_EDIT_SET] = MM_EDIT_DELETE,
	    [MM_EDIT_DELETE] = MM_EDIT_SET,
	    [MM_EDIT_LIST_ADD] = MM_EDIT_LIST_REMOVE,
	    [MM_EDIT_LIST_REMOVE] = MM_EDIT_LIST_ADD,
	    [MM_EDIT_SECTION_ADD] = MM_EDIT_SECTION_REMOVE,
	    [MM_EDIT_SECTION_REMOVE] = MM_EDIT_SECTION_ADD,
	    [MM_EDIT_BLOCK_SET] = MM_EDIT_BLOCK_REMOVE,
	    [MM_EDIT_BLOCK_REMOVE] = MM_EDIT_BLOCK_SET,
	};

	if (!done->changed)
		return false;
	*out = (struct mm_edit){
	    .op = back[done->op],
	    .section = done->section,
	    .key = done->key,
	    .value = done->former,
	    .kind = done->former_kind,
	    .raw = done->former_raw,
	};
	if (done->had && (done->op == MM_EDIT_SET || done->op == MM_EDIT_BLOCK_SET))
		out->op = done->op;
	if (done->op == MM_EDIT_LIST_ADD || done->op == MM_EDIT_LIST_REMOVE) {
		out->value = done->value;
		out->kind = 's';
		out->section = "";
	}
	return true;
}

const struct mm_item *mm_doc_find(const struct mm_doc *d, const char *section, const char *key)
{
	for (size_t i = d->n; i-- > 0;) {
		const struct mm_item *it = &d->items[i];

		if (it->wins && it->kind != 'c' && strcmp(it->key, key) == 0 &&
		    strcmp(it->section, section) == 0)
			return it;
	}
	return NULL;
}
