#include "agent/probe/sessions.h"

#include <stdlib.h>
#include <string.h>

#include "common/err.h"
#include "common/mem.h"

struct mm_sessions {
	struct mm_addr at;
	int64_t since;
	CURLSH *share;
	struct mm_sessions *next;
};

CURLSH *mm_sessions_with(struct mm_sessions **all, const struct mm_addr *at, int64_t now)
{
	for (struct mm_sessions *s = *all; s != NULL; s = s->next)
		if (now - s->since < MM_SESSION_MS && s->at.len == at->len &&
		    memcmp(&s->at.sa, &at->sa, at->len) == 0)
			return s->share;
	struct mm_sessions *fresh = mm_xcalloc(1, sizeof(*fresh));
	*fresh = (struct mm_sessions){.at = *at, .since = now, .share = curl_share_init(), .next = *all};
	if (fresh->share == NULL ||
	    curl_share_setopt(fresh->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION) != CURLSHE_OK)
		mm_oom();
	*all = fresh;
	return fresh->share;
}

void mm_sessions_end(struct mm_sessions **all)
{
	while (*all != NULL) {
		struct mm_sessions *s = *all;
		*all = s->next;
		curl_share_cleanup(s->share);
		free(s);
	}
}
