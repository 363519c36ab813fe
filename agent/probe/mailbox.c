#include "agent/probe/mailbox.h"

#include <string.h>
#include <strings.h>

static const struct {
	const char *open;     /* NULL: no mailbox */
	const char *yes, *no; /* beginning of the last line of the reply */
	const char *leave;
} words[MM_MAIL_COUNT] = {
    [MM_MAIL_IMAP] = {"MM1 EXAMINE INBOX\r\n", "MM1 OK", "MM1 ", "MM2 LOGOUT\r\n"},
    [MM_MAIL_POP3] = {"STAT\r\n", "+OK", "-ERR", "QUIT\r\n"},
    [MM_MAIL_SMTP] = {NULL, NULL, NULL, "QUIT\r\n"},
};

bool mm_mailbox_begin(struct mm_mailbox_step *m, const struct mm_talk *t, int64_t now)
{
	*m = (struct mm_mailbox_step){.deadline = now + t->limits->answer_ms};
	return words[t->dialog.mail].open != NULL;
}

static void end_line(struct mm_mailbox_step *m, enum mm_mail mail)
{
	while (m->len > 0 && m->line[m->len - 1] == '\r')
		m->len--;
	m->line[m->len] = '\0';
	m->len = 0;
	bool yes = strncasecmp(m->line, words[mail].yes, strlen(words[mail].yes)) == 0;
	bool no = strncasecmp(m->line, words[mail].no, strlen(words[mail].no)) == 0;
	if (!yes && !no)
		return;
	/* without our tag */
	const char *words_of_server = strncmp(m->line, "MM1 ", 4) == 0 ? m->line + 4 : m->line;
	snprintf(m->last, sizeof(m->last), "%s", words_of_server);
	m->state = yes ? MM_MAILBOX_OK : MM_MAILBOX_NO;
}

static void take(struct mm_mailbox_step *m, enum mm_mail mail, const char *p, size_t n)
{
	for (size_t i = 0; i < n && m->state == MM_MAILBOX_NOT_RUN; i++) {
		if (p[i] == '\n')
			end_line(m, mail);
		else if (m->len < sizeof(m->line) - 1)
			m->line[m->len++] = p[i];
	}
	m->heard += n;
	if (m->heard > MM_MAILBOX_REPLY_MAX && m->state == MM_MAILBOX_NOT_RUN)
		m->state = MM_MAILBOX_SILENT;
}

static CURLcode say(struct mm_mailbox_step *m, const struct mm_talk *t)
{
	const char *open = words[t->dialog.mail].open;
	size_t all = strlen(open), n = 0;
	if (m->sent == all)
		return CURLE_OK;
	CURLcode rc = curl_easy_send(t->easy, open + m->sent, all - m->sent, &n);
	if (rc == CURLE_OK)
		m->sent += n;
	return rc;
}

bool mm_mailbox_go(struct mm_mailbox_step *m, const struct mm_talk *t, int64_t now)
{
	CURLcode rc = say(m, t);
	while (rc == CURLE_OK && m->state == MM_MAILBOX_NOT_RUN) {
		char buf[4096];
		size_t n = 0;
		rc = curl_easy_recv(t->easy, buf, sizeof(buf), &n);
		if (rc == CURLE_OK && n == 0)
			rc = CURLE_RECV_ERROR;
		else if (rc == CURLE_OK)
			take(m, t->dialog.mail, buf, n);
	}
	if (m->state == MM_MAILBOX_NOT_RUN && ((rc != CURLE_OK && rc != CURLE_AGAIN) || now >= m->deadline))
		m->state = MM_MAILBOX_SILENT;
	return m->state != MM_MAILBOX_NOT_RUN;
}

void mm_mailbox_leave(const struct mm_talk *t)
{
	const char *leave = words[t->dialog.mail].leave;
	size_t n = 0;
	(void)curl_easy_send(t->easy, leave, strlen(leave), &n);
}
