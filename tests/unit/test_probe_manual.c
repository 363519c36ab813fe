/* The manual of mailmuster-probe lists every outcome, each where it belongs,
 * and none that does not exist. A new class is a line in OUTCOMES, too. */
#include <ctype.h>

#include "agent/probe/classes.h"
#include "common/text.h"
#include "tests/lib/testutil.h"

#define ITEM "\n.It Li "

static char *read_manual(void)
{
	static char text[1u << 18];
	FILE *f = fopen(MM_SOURCE_DIR "/packaging/man/mailmuster-probe.1", "re");
	assert_non_null(f);
	size_t n = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	assert_true(n > 0 && n < sizeof(text) - 1);
	text[n] = '\0';
	return text;
}

/* From its heading to the next. */
static void section(const char *manual, const char *heading, const char **begin, const char **end)
{
	*begin = strstr(manual, heading);
	assert_non_null(*begin);
	const char *next = *begin + strlen(heading);
	const char *ss = strstr(next, "\n.Ss "), *sh = strstr(next, "\n.Sh ");
	*end = ss != NULL && ss < sh ? ss : sh;
	assert_non_null(*end);
}

static size_t mentions(const char *begin, const char *end, const char *word)
{
	char want[80];
	size_t n = 0;
	snprintf(want, sizeof(want), ITEM "%s\n", word);
	for (const char *p = strstr(begin, want); p != NULL && p < end; p = strstr(p + 1, want))
		n++;
	return n;
}

static const char *heading_of(enum mm_severity s)
{
	switch (s) {
	case MM_SEV_UNTESTED:
		return "\n.Ss Not tested\n";
	case MM_SEV_REMARK:
		return "\n.Ss Remarks\n";
	case MM_SEV_NONE:
	case MM_SEV_WRONG:
	case MM_SEV_TEMPORARY:
	case MM_SEV_ALARM:
		break;
	}
	return "\n.Ss Failed\n";
}

static void test_every_class(void **state)
{
	(void)state;
	const char *manual = read_manual(), *begin, *end;
	for (int c = MM_CLS_NONE + 1; c < MM_CLS_COUNT; c++) {
		const struct mm_cls_def *d = mm_cls_def((enum mm_cls)c);
		section(manual, heading_of(d->severity), &begin, &end);
		if (mentions(begin, end, d->word) != 1)
			fail_msg("%s does not stand once below \"%s\"", d->word, heading_of(d->severity));
		if (mentions(manual, manual + strlen(manual), d->word) != 1)
			fail_msg("%s stands elsewhere, too", d->word);
	}
}

static void test_no_other(void **state)
{
	(void)state;
	const char *manual = read_manual();
	size_t n = 0;
	for (const char *p = strstr(strstr(manual, "\n.Sh OUTCOMES"), ITEM); p != NULL;
	     p = strstr(p + 1, ITEM)) {
		const char *word = p + strlen(ITEM);
		size_t len = strcspn(word, "\n");
		int c = MM_CLS_NONE + 1;
		while (c < MM_CLS_COUNT && (strlen(mm_cls_def((enum mm_cls)c)->word) != len ||
					       memcmp(mm_cls_def((enum mm_cls)c)->word, word, len) != 0))
			c++;
		if (c == MM_CLS_COUNT)
			fail_msg("%.*s is no class", (int)len, word);
		/* and something is said of it */
		assert_true(isupper((unsigned char)word[len + 1]));
		n++;
	}
	assert_int_equal(n, MM_CLS_COUNT - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    MM_TEST(test_every_class),
	    MM_TEST(test_no_other),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
