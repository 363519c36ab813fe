#include "agent/clients/gnutls.h"

#include <stddef.h>
#include <string.h>

#include "common/text.h"

#define FLOOR_12 "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"
#define FLOOR_13 "NORMAL:-VERS-ALL:+VERS-TLS1.3"

const char *mm_gnutls_floor(const char *priorities)
{
	static const struct {
		const char *priorities, *min;
	} known[] = {{FLOOR_12, "1.2"}, {FLOOR_13, "1.3"},
	    {"NORMAL:-VERS-ALL:+VERS-TLS1.2:+VERS-TLS1.3", "1.2"}, {"NORMAL:-VERS-ALL:+VERS-TLS1.2", "1.2"},
	    {"NORMAL:-VERS-TLS1.1:-VERS-TLS1.0", "1.2"}, {"NORMAL:-VERS-TLS1.0:-VERS-TLS1.1", "1.2"},
	    {"NORMAL:!VERS-SSL3.0:!VERS-TLS1.0:!VERS-TLS1.1", "1.2"},
	    {"SECURE128:-VERS-ALL:+VERS-TLS1.3", "1.3"}, {"", "1.0"}, {"NORMAL", "1.0"}};

	if (priorities == NULL)
		return "1.0";
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(known[i].priorities, priorities) == 0)
			return known[i].min;
	return priorities;
}

const char *mm_gnutls_priorities(const char *tls_min)
{
	return mm_streq(tls_min, "1.3") ? FLOOR_13 : FLOOR_12;
}
