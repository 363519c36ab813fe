/*
 * Files of Emacs Lisp, as far as they are read without running them.
 *
 * Grammar: the Emacs Lisp manual, "Read Syntax": `;` begins a comment, "..."
 * with backslashes, ?c a character, ( ) and [ ] nest; what is not closed at the
 * end makes Emacs stop there with an error. A line that is nothing but
 * (setq NAME VALUE), or (load "FILE" t t), can be edited; all else is only read.
 *
 * Items, section "": NAME with its value, kind s a string, i a number, v another
 * value as it is spelled; `load FILE` with the value "t t". Of kind c, and so
 * only read: other assignments at the top (setq, setq-default, setopt,
 * custom-set-variables) and `load`, `load-file`, `require`; with the section
 * "inside", what begins with a name and a value within other forms, and setq
 * there. A string that is not understood is kept as it is spelled.
 * Edits: SET (behind the last line of the file where the name has none), DELETE.
 */
#ifndef MM_AGENT_FORMATS_ELISP_H
#define MM_AGENT_FORMATS_ELISP_H

#include "agent/formats/format.h"

#define MM_ELISP_DEPTH_MAX 200

extern const struct mm_format mm_format_elisp;

#endif
