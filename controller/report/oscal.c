#include "controller/report/oscal.h"

#include <inttypes.h>
#include <string.h>

#include "common/json.h"
#include "common/term.h"
#include "common/text.h"

/* What the \s of ECMA-262 holds beyond ASCII: the schema's patterns go by it. */
static bool blank(uint32_t cp)
{
	return cp <= 0x20 || cp == 0xa0 || cp == 0x1680 || (cp >= 0x2000 && cp <= 0x200a) || cp == 0x2028 ||
	       cp == 0x2029 || cp == 0x202f || cp == 0x205f || cp == 0x3000 || cp == 0xfeff;
}

/* Printable, on one line; quoted where a blank would stand at an end. */
static void one_line(const char *s, const char *escape, struct mm_buf *out)
{
	size_t n = strlen(s), start = out->len;
	bool quote = false;
	for (size_t at = 0; at < n;) {
		uint32_t cp = 0;
		size_t len = mm_utf8_next(s + at, n - at, &cp);
		if (len > 0 && (at == 0 || at + len == n) && blank(cp))
			quote = true;
		if (cp == 0x2028 || cp == 0x2029) {
			mm_buf_addf(out, "\\xe2\\x80\\x%02x", (unsigned)(cp & 0x3f) | 0x80);
		} else {
			if (len == 1 && strchr(escape, s[at]) != NULL)
				mm_buf_addc(out, '\\');
			mm_printable(out, s + at, len > 0 ? len : 1);
		}
		at += len > 0 ? len : 1;
	}
	if (quote || out->len == start) {
		struct mm_buf b = MM_BUF_INIT(out->max);
		mm_buf_addf(&b, "'%s'", mm_buf_str(out) + start);
		out->len = start;
		mm_buf_adds(out, mm_buf_str(&b));
		mm_buf_free(&b);
	}
}

static void set_line(json_t *o, const char *key, const char *s, const char *escape)
{
	struct mm_buf b = MM_BUF_INIT(1u << 20);
	one_line(s != NULL ? s : "", escape, &b);
	mm_json_set_str(o, key, mm_buf_str(&b));
	mm_buf_free(&b);
}

void mm_oscal_set_line(json_t *o, const char *key, const char *s)
{
	set_line(o, key, s, "\\`*_[]<>&|~^{}!#");
}

void mm_oscal_set_string(json_t *o, const char *key, const char *s)
{
	set_line(o, key, s, "");
}

void mm_oscal_set_time(json_t *o, const char *key, int64_t t)
{
	char buf[MM_TIME_MAX];
	mm_json_set_str(o, key, mm_time_utc(t, buf));
}

void mm_oscal_prop(json_t *props, const char *name, const char *value)
{
	if (value == NULL || value[0] == '\0')
		return;
	json_t *o = json_object();
	mm_json_set_str(o, "name", name);
	mm_json_set_str(o, "ns", MM_OSCAL_NS);
	mm_oscal_set_string(o, "value", value);
	json_array_append_new(props, o);
}

void mm_oscal_prop_int(json_t *props, const char *name, int64_t v)
{
	char buf[32];
	snprintf(buf, sizeof(buf), "%" PRId64, v);
	mm_oscal_prop(props, name, buf);
}

/* ---- names of controls */

static bool letter(char c)
{
	return c >= 'a' && c <= 'z';
}

static bool digit(char c)
{
	return c >= '0' && c <= '9';
}

void mm_oscal_control(const char *id, struct mm_buf *out)
{
	size_t start = out->len;
	if (!letter((char)(id[0] | 0x20)))
		mm_buf_adds(out, "req-");
	for (const char *p = id; *p != '\0'; p++) {
		char c = *p >= 'A' && *p <= 'Z' ? (char)(*p - 'A' + 'a') : *p;
		if (letter(c) || digit(c) || c == '-' || c == '.' || c == '_')
			mm_buf_addc(out, c);
		else if (c == '(')
			mm_buf_addc(out, '.');
		else if (c != ')' && out->len > start)
			mm_buf_addc(out, '-');
	}
}

/* "sc-8.1" and "_obj"; a statement of a control ("cm-6-b") comes behind: cm-6_obj.b. */
static void objective(const char *id, struct mm_buf *out)
{
	struct mm_buf b = MM_BUF_INIT(128);
	mm_oscal_control(id, &b);
	const char *control = mm_buf_str(&b);
	size_t n = 0;
	while (letter(control[n]))
		n++;
	n += control[n] == '-';
	while (digit(control[n]) || (control[n] == '.' && digit(control[n + 1])))
		n++;
	const char *rest = control + n + strspn(control + n, "-.");
	mm_buf_add(out, control, n);
	mm_buf_adds(out, "_obj");
	if (rest[0] != '\0')
		mm_buf_addf(out, ".%s", rest);
	mm_buf_free(&b);
}

static void put_id(struct mm_oscal_target *t, const char *type, struct mm_buf *b)
{
	t->type = type;
	snprintf(t->id, sizeof(t->id), "%s", mm_buf_str(b));
	mm_buf_free(b);
}

bool mm_oscal_target(
    const struct mm_baseline *b, const struct mm_check *c, size_t n, struct mm_oscal_target *out)
{
	struct mm_buf id = MM_BUF_INIT(159);
	bool nist = mm_starts_with(b->framework, "nist-800-53");
	size_t seen = 0;
	for (size_t i = 0; b->framework[0] != '\0' && i < c->n_controls; i++) {
		if (!mm_streq(c->controls[i].framework, b->framework) || seen++ < n)
			continue;
		if (nist)
			objective(c->controls[i].id, &id);
		else
			mm_oscal_control(c->controls[i].id, &id);
		put_id(out, nist ? "objective-id" : "statement-id", &id);
		return true;
	}
	if (seen > 0 || n > 0)
		return false;
	if (c->n_refs > 0) { /* "rfc-8314_3.3" */
		mm_oscal_control(c->refs[0].document, &id);
		if (c->refs[0].section[0] != '\0') {
			mm_buf_addc(&id, '_');
			struct mm_buf s = MM_BUF_INIT(128);
			mm_oscal_control(c->refs[0].section, &s);
			mm_buf_adds(&id, mm_buf_str(&s));
			mm_buf_free(&s);
		}
	} else {
		mm_oscal_control(c->id, &id);
	}
	put_id(out, "statement-id", &id);
	return true;
}
