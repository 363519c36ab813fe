/*
 * The look of the HTML report: head with its style sheet, text escaped, and
 * cards with a bar drawn as inline SVG. Light and dark, wide and narrow,
 * screen and A4; nothing is loaded from elsewhere and no script is needed.
 */
#ifndef MM_CONTROLLER_REPORT_HTML_H
#define MM_CONTROLLER_REPORT_HTML_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct mm_html_part {
	int64_t n;
	const char *mark; /* pass, fail, unknown, stale: a class of the style sheet */
	const char *word;
};

void mm_html_head(FILE *f, const char *title); /* up to and with <body> */
/* Escaped; control characters become U+FFFD. */
void mm_html_text(FILE *f, const char *s);
/* "42 of 50 TITLE SENTENCE", a bar of the parts, a legend. The first part is
 * the good one; its share is rounded down, so that 100 % means all. */
void mm_html_card(FILE *f, const char *title, const char *sentence, const struct mm_html_part *parts,
    size_t n, int64_t whole, int64_t stale);

#endif
