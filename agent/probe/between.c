#include "agent/probe/between.h"

#include <string.h>

struct product {
	const char *words; /* anywhere in the text, in any case */
	const char *name;
};

/* Words that no public CA has in its name. The first that fits. */
static const struct product issuers[] = {
    /* on the computer itself */
    {"avast", "Avast"},
    {"AVG Web/Mail", "AVG"},
    {"AVG Technologies", "AVG"},
    {"Avira", "Avira"},
    {"Norton Web/Mail", "Norton"},
    {"Kaspersky", "Kaspersky"},
    {"ESET SSL Filter", "ESET"},
    {"ESET, spol", "ESET"},
    {"Bitdefender", "Bitdefender"},
    {"BullGuard", "BullGuard"},
    {"Dr.Web", "Dr.Web"},
    {"F-Secure", "F-Secure"},
    {"G DATA", "G DATA"},
    {"Panda Security", "Panda"},
    {"AdguardTeam", "AdGuard"},
    {"Adguard Personal CA", "AdGuard"},
    {"Net Nanny", "Net Nanny"},
    {"Qustodio", "Qustodio"},
    /* in the network, or on the way out of it */
    {"Sophos", "Sophos"},
    {"McAfee", "McAfee"},
    {"Skyhigh", "Skyhigh"},
    {"Trend Micro", "Trend Micro"},
    {"Zscaler", "Zscaler"},
    {"Netskope", "Netskope"},
    {"goskope", "Netskope"},
    {"Fortinet", "Fortinet"},
    {"FortiGate", "Fortinet"},
    {"Palo Alto", "Palo Alto Networks"},
    {"Cisco Umbrella", "Cisco Umbrella"},
    {"Cisco Secure Access", "Cisco Secure Access"},
    {"IronPort", "Cisco IronPort"},
    {"Check Point", "Check Point"},
    {"Blue Coat", "Blue Coat"},
    {"ProxySG", "Blue Coat"},
    {"Forcepoint", "Forcepoint"},
    {"Websense", "Forcepoint"},
    {"Barracuda", "Barracuda"},
    {"WatchGuard", "WatchGuard"},
    {"SonicWall", "SonicWall"},
    {"Stormshield", "Stormshield"},
    {"Gateway CA - Cloudflare", "Cloudflare Gateway"},
    {"Menlo Security", "Menlo Security"},
    {"Cato Networks", "Cato Networks"},
    {"iboss", "iboss"},
    {"Lightspeed Systems", "Lightspeed"},
    {"Securly", "Securly"},
    {"Smoothwall", "Smoothwall"},
    {"ContentKeeper", "ContentKeeper"},
    {"Untangle", "Untangle"},
    /* in the hands of whoever debugs, or attacks */
    {"mitmproxy", "mitmproxy"},
    {"Charles Proxy", "Charles Proxy"},
    {"PortSwigger", "Burp Suite"},
    {"FiddlerRoot", "Fiddler"},
    {NULL, NULL},
};

static const struct product greetings[] = {
    {"avast", "Avast"},
    {"AVG POP3 Proxy", "AVG"},
    {"AVG ESMTP Proxy", "AVG"},
    {"AVG IMAP4 Proxy", "AVG"},
    {"Norton AntiVirus", "Norton"},
    {"Kaspersky", "Kaspersky"},
    {"SpamPal", "SpamPal"},
    {"POPFile", "POPFile"},
    {"SpamBayes", "SpamBayes"},
    /* what the mail scanners of antivirus programs say when they cannot get through */
    {"Cannot connect to SMTP server", "the mail scanner of an antivirus program"},
    {"Cannot connect to POP server", "the mail scanner of an antivirus program"},
    {"Cannot connect to POP3 server", "the mail scanner of an antivirus program"},
    {"Cannot connect to IMAP server", "the mail scanner of an antivirus program"},
    {"220 ****", "the mail inspection of a firewall (Cisco \"inspect esmtp\")"},
    {NULL, NULL},
};

static const char *find(const struct product *list, const char *text)
{
	while (list->words != NULL && strcasestr(text, list->words) == NULL)
		list++;
	return list->name;
}

const char *mm_between_issuer(const char *issuer)
{
	return find(issuers, issuer);
}

const char *mm_between_greeting(const char *line)
{
	return find(greetings, line);
}

const char *mm_between_by_cert(const struct mm_tls_watch *w)
{
	if (!w->have_cert || !w->name_match)
		return NULL;
	const char *name = mm_between_issuer(w->cert.issuer);
	for (size_t i = 1; name == NULL && i < w->n_links; i++)
		name = mm_between_issuer(w->links[i].issuer);
	return name;
}

const char *mm_between_by_words(const struct mm_dialog *d)
{
	return mm_between_greeting(d->first);
}
