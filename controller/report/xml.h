/*
 * Pieces of XML 1.0, so that any text stays text: the five special characters
 * are escaped; what XML cannot hold at all (control characters, U+FFFE and
 * U+FFFF, bytes that are not UTF-8) is spelt \xNN, as everywhere in reports.
 * Names of elements and attributes are the caller's own words.
 */
#ifndef MM_CONTROLLER_REPORT_XML_H
#define MM_CONTROLLER_REPORT_XML_H

#include "common/buf.h"

void mm_xml_text(struct mm_buf *out, const char *s);                   /* NULL = "" */
void mm_xml_attr(struct mm_buf *out, const char *name, const char *s); /* ` name="s"`; NULL = nothing */
void mm_xml_elem(struct mm_buf *out, const char *name, const char *s); /* <name>s</name>; NULL = nothing */
void mm_xml_int(struct mm_buf *out, const char *name, long long v);    /* ` name="v"` */

#endif
