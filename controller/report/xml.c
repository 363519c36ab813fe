#include "controller/report/xml.h"

#include <string.h>

#include "common/term.h"
#include "common/text.h"

static const char *entity(char c)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;"; /* of ]]> it must be */
	case '"':
		return "&quot;";
	case '\'':
		return "&apos;";
	default:
		return NULL;
	}
}

void mm_xml_text(struct mm_buf *out, const char *s)
{
	size_t n = s != NULL ? strlen(s) : 0;
	for (size_t at = 0; at < n;) {
		uint32_t cp = 0;
		size_t len = mm_utf8_next(s + at, n - at, &cp);
		if (len == 3 && (cp == 0xfffe || cp == 0xffff))
			mm_buf_addf(out, "\\xef\\xbf\\x%02x", (unsigned)(cp & 0x3f) | 0x80);
		else if (len == 1 && entity(s[at]) != NULL)
			mm_buf_adds(out, entity(s[at]));
		else
			mm_printable(out, s + at, len > 0 ? len : 1);
		at += len > 0 ? len : 1;
	}
}

void mm_xml_attr(struct mm_buf *out, const char *name, const char *s)
{
	if (s == NULL)
		return;
	mm_buf_addf(out, " %s=\"", name);
	mm_xml_text(out, s);
	mm_buf_addc(out, '"');
}

void mm_xml_elem(struct mm_buf *out, const char *name, const char *s)
{
	if (s == NULL)
		return;
	mm_buf_addf(out, "<%s>", name);
	mm_xml_text(out, s);
	mm_buf_addf(out, "</%s>", name);
}

void mm_xml_int(struct mm_buf *out, const char *name, long long v)
{
	mm_buf_addf(out, " %s=\"%lld\"", name, v);
}
