/*
 * The ini files of four worlds. Sections and `key = value`, and hardly more in
 * common; each rule tried against the program, or read where its source is.
 *
 * mm_format_goini: go-ini as aerc 0.14 uses it. `=` or `:`; keys depend on
 *   case; comments from `#` or `;` on, anywhere in a line; `...` to the *last*
 *   backquote of the line is literal; one pair of ' or " around the whole is
 *   taken off; a `\` at the end joins the next line; the last of several keys
 *   wins, sections of one name add up.
 * mm_format_pyini: Python's RawConfigParser (getmail6). `=` or `:`; keys in
 *   lower case; only whole lines are comments; a line indented deeper than its
 *   key continues the value; keys and sections that come twice, bytes that are
 *   no UTF-8, and a BOM are errors: the program reads nothing then.
 * mm_format_pyini_percent: the same with Python's interpolation (offlineimap):
 *   a percent sign is written %%.
 * mm_format_gitconfig: git-config(1). [section "subsection"]; keys in lower
 *   case, also without a value ("true"), also behind the header in its line;
 *   `"` switches quoting, within and without it \" \\ \n \t \b; `#` and `;`
 *   begin a comment anywhere outside quotes; a `\` at the end joins lines.
 *
 * Items: the key as it counts, the value decoded; a header is an item with the
 * key "" and of kind c. Sections of gitconfig are called "sendemail" and
 * "sendemail.work". Edits: SET, DELETE (in a section that is there; "" is what
 * comes before the first), SECTION_ADD, SECTION_REMOVE. A value that would read
 * back as another one is refused.
 */
#ifndef MM_AGENT_FORMATS_INIS_H
#define MM_AGENT_FORMATS_INIS_H

#include "agent/formats/format.h"

#define MM_INI_SECTIONS_MAX 2000

extern const struct mm_format mm_format_goini;
extern const struct mm_format mm_format_pyini;
extern const struct mm_format mm_format_pyini_percent;
extern const struct mm_format mm_format_gitconfig;

#endif
