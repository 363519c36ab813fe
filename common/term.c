#include "common/term.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "common/err.h"
#include "common/mem.h"
#include "common/text.h"

#define CELL_MAX 8192 /* bytes */
#define GAP 2         /* blanks between columns */

bool mm_term_colour(FILE *f)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");
	if ((no != NULL && no[0] != '\0') || (term != NULL && strcmp(term, "dumb") == 0))
		return false;
	return isatty(fileno(f)) == 1;
}

const char *mm_colour_code(enum mm_colour c, bool on)
{
	static const char *const codes[] = {[MM_PLAIN] = "\033[0m",
	    [MM_BOLD] = "\033[1m",
	    [MM_DIM] = "\033[2m",
	    [MM_RED] = "\033[31m",
	    [MM_GREEN] = "\033[32m",
	    [MM_YELLOW] = "\033[33m",
	    [MM_BLUE] = "\033[34m"};
	assert((size_t)c < sizeof(codes) / sizeof(codes[0]));
	return on ? codes[c] : "";
}

int mm_term_width(FILE *f)
{
	struct winsize w = {.ws_col = 0};
	if (ioctl(fileno(f), TIOCGWINSZ, &w) < 0 || w.ws_col == 0)
		return 80;
	return w.ws_col;
}

/* May this be shown as it is? C0, DEL and C1 drive terminals, bidi controls lie. */
static bool harmless(uint32_t cp)
{
	return cp >= 0x20 && !(cp >= 0x7f && cp <= 0x9f) && !mm_is_bidi(cp);
}

void mm_printable(struct mm_buf *out, const char *s, size_t n)
{
	for (size_t at = 0; at < n;) {
		uint32_t cp = 0;
		size_t len = mm_utf8_next(s + at, n - at, &cp);
		if (len > 0 && harmless(cp)) {
			mm_buf_add(out, s + at, len);
		} else {
			len = len > 0 ? len : 1;
			for (size_t i = 0; i < len; i++)
				mm_buf_addf(out, "\\x%02x", (unsigned)(unsigned char)s[at + i]);
		}
		at += len;
	}
}

struct range {
	uint32_t first, last;
};

static bool in(const struct range *r, size_t n, uint32_t cp)
{
	for (size_t i = 0; i < n; i++) {
		if (cp >= r[i].first && cp <= r[i].last)
			return true;
	}
	return false;
}

/* Columns of a code point: the blocks of Unicode's East Asian Width (UAX 11)
 * and of combining marks that matter for names; no locale is needed. */
static size_t columns_of(uint32_t cp)
{
	static const struct range none[] = {{0x300, 0x36f}, {0x483, 0x489}, {0x591, 0x5bd}, {0x610, 0x61a},
	    {0x64b, 0x65f}, {0x1ab0, 0x1aff}, {0x1dc0, 0x1dff}, {0x200b, 0x200d}, {0x20d0, 0x20ff},
	    {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f}};
	static const struct range two[] = {{0x1100, 0x115f}, {0x2e80, 0x303e}, {0x3041, 0xa4cf},
	    {0xac00, 0xd7a3}, {0xf900, 0xfaff}, {0xfe30, 0xfe6f}, {0xff00, 0xff60}, {0xffe0, 0xffe6},
	    {0x1f300, 0x1faff}, {0x20000, 0x3fffd}};
	if (cp < 0x300)
		return 1;
	if (in(none, sizeof(none) / sizeof(none[0]), cp))
		return 0;
	return in(two, sizeof(two) / sizeof(two[0]), cp) ? 2 : 1;
}

/* Bytes of the longest beginning of valid UTF-8 that fits; *used: its columns. */
static size_t fit(const char *s, size_t columns, size_t *used)
{
	size_t at = 0, n = strlen(s);
	*used = 0;
	while (at < n) {
		uint32_t cp = 0;
		size_t len = mm_utf8_next(s + at, n - at, &cp);
		size_t w = len > 0 ? columns_of(cp) : 1;
		if (*used + w > columns)
			break;
		*used += w;
		at += len > 0 ? len : 1;
	}
	return at;
}

static size_t width_of(const char *s)
{
	size_t used = 0;
	fit(s, (size_t)-1, &used);
	return used;
}

size_t mm_columns(const char *s)
{
	return width_of(s);
}

void mm_wrap(struct mm_buf *out, const char *text, size_t indent, size_t width)
{
	size_t at = indent;
	for (bool first = true;; first = false) {
		text += strspn(text, " ");
		size_t n = strcspn(text, " "), used = 0;
		if (n == 0)
			return;
		char *word = mm_xstrdup(text);
		word[n] = '\0';
		used = width_of(word);
		if (!first && width > 0 && at + 1 + used > width) {
			mm_buf_addf(out, "\n%*s", (int)indent, "");
			at = indent;
		} else if (!first) {
			mm_buf_addc(out, ' ');
			at++;
		}
		mm_buf_adds(out, word);
		at += used;
		free(word);
		text += n;
	}
}

struct cell {
	char *text;
	size_t width; /* columns */
	enum mm_colour colour;
};

struct mm_table {
	struct mm_arena *arena;
	struct cell *cells; /* row by row, the heads first */
	size_t n, cap;
	size_t columns;
	size_t *least; /* widths so far, once something has flowed */
};

#define FLOW_ROWS 2000
#define NARROW 24 /* columns that a sentence needs */
#define OWN_LINE 4

static void add_cell(struct mm_table *t, enum mm_colour c, const char *text)
{
	struct cell *cell = mm_arena_push(t->arena, &t->cells, &t->n, &t->cap, sizeof(*cell));
	*cell = (struct cell){.text = mm_arena_strdup(t->arena, text), .width = width_of(text), .colour = c};
}

struct mm_table *mm_table_new(const char *const *heads)
{
	struct mm_table *t = mm_xcalloc(1, sizeof(*t));
	t->arena = mm_arena_new();
	for (; heads[t->columns] != NULL; t->columns++)
		add_cell(t, MM_BOLD, heads[t->columns]);
	assert(t->columns > 0);
	return t;
}

void mm_table_cell(struct mm_table *t, enum mm_colour c, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	char *raw = NULL;
	int n = vasprintf(&raw, fmt, ap);
	va_end(ap);
	if (n < 0)
		mm_oom();
	struct mm_buf shown = MM_BUF_INIT((size_t)CELL_MAX);
	mm_printable(&shown, raw, (size_t)n);
	if (!mm_buf_ok(&shown)) {
		/* What was taken is whole characters. */
		shown.failed = false;
		shown.max += 3;
		mm_buf_adds(&shown, "...");
	}
	add_cell(t, c, mm_buf_str(&shown));
	mm_buf_free(&shown);
	free(raw);
}

static size_t column_width(const struct mm_table *t, size_t column)
{
	size_t w = t->least != NULL ? t->least[column] : 0;
	for (size_t i = column; i < t->n; i += t->columns) {
		if (t->cells[i].width > w)
			w = t->cells[i].width;
	}
	return w;
}

/* `room`: columns left on the line for the last cell of a row. Sentences are
 * broken there, or on lines of their own where it is too narrow for that. */
static void print_last(FILE *f, const struct cell *c, size_t room, size_t total)
{
	struct mm_buf b = MM_BUF_INIT((size_t)4 * CELL_MAX);
	size_t indent = room >= NARROW ? total - room : OWN_LINE;
	if (c->width <= room) {
		fputs(c->text, f);
		return;
	}
	if (room < NARROW)
		fprintf(f, "\n%*s", OWN_LINE, "");
	mm_wrap(&b, c->text, indent, total);
	fputs(mm_buf_ok(&b) ? mm_buf_str(&b) : c->text, f);
	mm_buf_free(&b);
}

static void print_row(const struct mm_table *t, FILE *f, size_t row, const size_t *widths, size_t total)
{
	bool colour = mm_term_colour(f);
	size_t left = total;
	for (size_t i = 0; i < t->columns && row + i < t->n; i++) {
		const struct cell *c = &t->cells[row + i];
		bool last = i + 1 == t->columns || row + i + 1 == t->n;
		bool painted = colour && c->colour != MM_PLAIN;
		if (painted)
			fputs(mm_colour_code(c->colour, true), f);
		if (last)
			print_last(f, c, left, total);
		else
			fputs(c->text, f);
		if (painted)
			fputs(mm_colour_code(MM_PLAIN, true), f);
		if (last)
			break;
		fprintf(f, "%*s", (int)(widths[i] - c->width + GAP), "");
		left = left > widths[i] + GAP ? left - widths[i] - GAP : 0;
	}
	fputc('\n', f);
}

void mm_table_print(struct mm_table *t, FILE *f)
{
	size_t *widths = mm_xcalloc(t->columns, sizeof(*widths));
	for (size_t i = 0; i < t->columns; i++)
		widths[i] = column_width(t, i);
	/* A file or a pipe gets whole lines. */
	size_t total = isatty(fileno(f)) == 1 ? (size_t)mm_term_width(f) : (size_t)-1;
	for (size_t row = 0; row < t->n; row += t->columns)
		print_row(t, f, row, widths, total);
	free(t->least);
	t->least = widths;
}

void mm_table_flow(struct mm_table *t, FILE *f)
{
	if (t->n < FLOW_ROWS * t->columns)
		return;
	mm_table_print(t, f);
	mm_arena_free(t->arena);
	t->arena = mm_arena_new();
	t->cells = NULL;
	t->n = t->cap = 0;
}

void mm_table_free(struct mm_table *t)
{
	if (t == NULL)
		return;
	mm_arena_free(t->arena);
	free(t->least);
	free(t);
}

/* The terminal's line is one for the whole process, so is this. */
static struct {
	bool shown;
	struct timespec last;
} progress;

void mm_progress(const char *fmt, ...)
{
	if (isatty(STDERR_FILENO) != 1)
		return;
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	long long passed = (long long)(now.tv_sec - progress.last.tv_sec) * 1000 +
			   (now.tv_nsec - progress.last.tv_nsec) / 1000000;
	if (progress.shown && passed < 100)
		return;
	progress.last = now;
	progress.shown = true;
	struct mm_buf raw = MM_BUF_INIT(4096), line = MM_BUF_INIT(16384);
	va_list ap;
	va_start(ap, fmt);
	mm_buf_vaddf(&raw, fmt, ap);
	va_end(ap);
	mm_printable(&line, mm_buf_str(&raw), raw.len);
	size_t used = 0;
	size_t n = fit(mm_buf_str(&line), (size_t)mm_term_width(stderr) - 1, &used);
	fprintf(stderr, "\r\033[K%.*s", (int)n, mm_buf_str(&line));
	fflush(stderr);
	mm_buf_free(&line);
	mm_buf_free(&raw);
}

void mm_progress_clear(void)
{
	if (!progress.shown)
		return;
	progress.shown = false;
	fputs("\r\033[K", stderr);
	fflush(stderr);
}
