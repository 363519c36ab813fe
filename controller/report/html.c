#include "controller/report/html.h"

#include <inttypes.h>
#include <string.h>

#include "common/text.h"

static const char style[] =
    ":root{--bg:#f6f7f9;--card:#fff;--ink:#1b1f24;--dim:#57606a;--line:#d8dee4;--pass:#1a7f4b;--fail:#c4321f;"
    "--unknown:#8a6100;--stale:#6b7280;--pass-bg:#dcf3e6;--fail-bg:#fde4df;--unknown-bg:#fbefcf;--na-bg:#"
    "e9ecef;--waived:#1f5fa8;--waived-bg:#dfeafa}\n"
    "@media "
    "(prefers-color-scheme:dark){:root{--bg:#0f1317;--card:#171c22;--ink:#e6eaee;--dim:#9aa5b1;--line:#"
    "2c343d;"
    "--pass:#4cc38a;--fail:#ff8272;--unknown:#e5b454;--stale:#9aa5b1;--pass-bg:#143526;--fail-bg:#46201b;"
    "--unknown-bg:#3b2f12;--na-bg:#262d35;--waived:#7fb2f0;--waived-bg:#1b2f48}}\n"
    "*{box-sizing:border-box}body{margin:0;background:var(--bg);color:var(--ink);"
    "font:15px/1.5 system-ui,-apple-system,\"Segoe UI\",Cantarell,\"Noto Sans\",\"DejaVu Sans\",sans-serif}\n"
    "header,main,footer{max-width:82rem;margin:0 auto;padding:0 1.5rem}header{padding-top:2.2rem}\n"
    "h1{font-size:1.75rem;line-height:1.2;margin:0 0 "
    ".35rem;letter-spacing:-.01em}h2{font-size:1.15rem;margin:2.2rem 0 .7rem}\n"
    ".lead,footer{color:var(--dim)}footer{font-size:.85rem;padding-bottom:2.5rem;margin-top:2.5rem}\n"
    ".cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(17rem,1fr));gap:1rem;margin-top:1.4rem}"
    "\n"
    ".card{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:1.1rem 1.2rem}\n"
    ".card h2{margin:0;font-size:.95rem;color:var(--dim);font-weight:600}\n"
    ".big{font-size:2.1rem;font-weight:650;line-height:1.15;margin:.2rem 0 0}.big "
    "small{font-size:1rem;font-weight:400;"
    "color:var(--dim)}\n"
    ".card p{margin:.1rem 0 .7rem}.card svg{display:block;width:100%;height:12px;border-radius:6px}\n"
    ".legend{list-style:none;margin:.7rem 0 0;padding:0;display:flex;flex-wrap:wrap;gap:.15rem "
    "1rem;font-size:.87rem;"
    "color:var(--dim)}\n"
    ".legend "
    "li::before{content:\"\";display:inline-block;width:.7em;height:.7em;border-radius:2px;margin-right:.4em;"
    "background:currentColor}\n"
    ".legend .pass::before{color:var(--pass)}.legend .fail::before{color:var(--fail)}"
    ".legend .unknown::before{color:var(--unknown)}.legend .stale::before{color:var(--stale)}.legend "
    ".waived::before{color:var(--waived)}\n"
    "svg .pass{fill:var(--pass)}svg .fail{fill:var(--fail)}svg .unknown{fill:var(--unknown)}svg "
    ".stale{fill:var(--stale)}svg .waived{fill:var(--waived)}"
    "svg .empty{fill:var(--line)}\n"
    ".scroll{overflow-x:auto;background:var(--card);border:1px solid var(--line);border-radius:10px}\n"
    "table{border-collapse:collapse;width:100%;font-size:.92rem}th,td{text-align:left;vertical-align:top;"
    "padding:.5rem .8rem;border-top:1px solid var(--line)}\n"
    "thead th{border-top:0;color:var(--dim);font-weight:600;font-size:.82rem;white-space:nowrap}tbody "
    "th{font-weight:600;"
    "white-space:nowrap}\n"
    ".n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}code{font:.86em ui-monospace,"
    "\"DejaVu Sans Mono\",monospace;overflow-wrap:anywhere}\n"
    ".fix{display:block;margin-top:.15em}.fix::before{content:'\\2192\\a0'}\n"
    ".path{color:var(--dim)}.why,.note{color:var(--dim);font-size:.87em}time{white-space:nowrap}\n"
    ".badge{display:inline-block;border-radius:999px;padding:.05rem "
    ".6rem;font-size:.82rem;font-weight:600;white-space:nowrap}\n"
    ".badge.pass{color:var(--pass);background:var(--pass-bg)}.badge.fail{color:var(--fail);background:var(--"
    "fail-bg)}"
    ".badge.unknown{color:var(--unknown);background:var(--unknown-bg)}.badge.na{color:var(--dim);background:"
    "var(--na-bg)}.badge.waived{color:var(--waived);background:var(--waived-bg)}\n"
    ".none{color:var(--dim);background:var(--card);border:1px dashed "
    "var(--line);border-radius:10px;padding:.9rem 1.2rem}\n"
    "@media print{@page{size:A4 "
    "landscape;margin:12mm}:root{--bg:#fff;--card:#fff;--ink:#000;--dim:#444;--line:#bbb;"
    "--pass:#1a7f4b;--fail:#b3261e;--unknown:#7a5600}body{font-size:9.5pt;-webkit-print-color-adjust:exact;"
    "print-color-adjust:exact}header,main,footer{padding:0;max-width:none}.scroll{overflow:visible;border-"
    "radius:0}"
    "tr,.card{break-inside:avoid}thead{display:table-header-group}h2{break-after:avoid}.cards{grid-template-"
    "columns:"
    "repeat(3,1fr)}}\n";

void mm_html_head(FILE *f, const char *title)
{
	fputs("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
	      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
	      "'unsafe-inline'\">\n"
	      "<meta name=\"color-scheme\" content=\"light dark\">\n<title>",
	    f);
	mm_html_text(f, title);
	fprintf(f, "</title>\n<style>\n%s</style></head>\n<body>\n", style);
}

/* Controls drive terminals, and what turns the direction of text around lies about it. */
static bool unfit(uint32_t cp)
{
	return cp < 0x20 || (cp >= 0x7f && cp <= 0x9f) || mm_is_bidi(cp);
}

static const char *entity(char c)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	default:
		return NULL;
	}
}

void mm_html_text(FILE *f, const char *s)
{
	for (size_t n; *s != '\0'; s += n) {
		uint32_t cp = 0;
		n = mm_utf8_next(s, strnlen(s, 4), &cp);
		if (n == 0 || unfit(cp)) {
			n = n > 0 ? n : 1;
			fputs("\xef\xbf\xbd", f);
		} else if (entity(*s) != NULL) {
			fputs(entity(*s), f);
		} else {
			fwrite(s, 1, n, f);
		}
	}
}

static void bar(FILE *f, const struct mm_html_part *parts, size_t n, int64_t whole)
{
	fputs("<svg viewBox=\"0 0 1000 12\" preserveAspectRatio=\"none\" aria-hidden=\"true\">"
	      "<rect class=\"empty\" width=\"1000\" height=\"12\"/>",
	    f);
	int64_t sum = 0;
	for (size_t i = 0; i < n && whole > 0; i++) {
		int64_t from = sum * 1000 / whole, to = (sum + parts[i].n) * 1000 / whole;
		if (to > from)
			fprintf(f,
			    "<rect class=\"%s\" x=\"%" PRId64 "\" width=\"%" PRId64 "\" height=\"12\"/>",
			    parts[i].mark, from, to - from);
		sum += parts[i].n;
	}
	fputs("</svg>\n", f);
}

void mm_html_card(FILE *f, const char *title, const char *sentence, const struct mm_html_part *parts,
    size_t n, int64_t whole, int64_t stale)
{
	fprintf(f, "<div class=\"card\"><h2>%s</h2>\n<p class=\"big\">%" PRId64 " of %" PRId64, title,
	    parts[0].n, whole);
	if (whole > 0)
		fprintf(f, " <small>%" PRId64 " %%</small>", parts[0].n * 100 / whole);
	fprintf(f, "</p>\n<p>%s; %" PRId64 " stale</p>\n", sentence, stale);
	bar(f, parts, n, whole);
	fputs("<ul class=\"legend\">", f);
	for (size_t i = 0; i < n; i++)
		fprintf(f, "<li class=\"%s\">%" PRId64 " %s</li>", parts[i].mark, parts[i].n, parts[i].word);
	fputs("</ul></div>\n", f);
}
