/* The adapters there are; the table is in clients.c. */
#ifndef MM_AGENT_CLIENTS_CLIENTS_H
#define MM_AGENT_CLIENTS_CLIENTS_H

#include "agent/clients/client.h"

extern const struct mm_client mm_client_thunderbird;
extern const struct mm_client mm_client_mutt;
extern const struct mm_client mm_client_neomutt;
extern const struct mm_client mm_client_msmtp;
extern const struct mm_client mm_client_claws;
extern const struct mm_client mm_client_sylpheed;
extern const struct mm_client mm_client_mpop;
extern const struct mm_client mm_client_mbsync;
extern const struct mm_client mm_client_aerc;
extern const struct mm_client mm_client_alpine;
extern const struct mm_client mm_client_goa;
extern const struct mm_client mm_client_evolution;
extern const struct mm_client mm_client_geary;
extern const struct mm_client mm_client_fetchmail;
extern const struct mm_client mm_client_fdm;
extern const struct mm_client mm_client_nmh;
extern const struct mm_client mm_client_emacs;
extern const struct mm_client mm_client_getmail;
extern const struct mm_client mm_client_offlineimap;
extern const struct mm_client mm_client_git;
extern const struct mm_client mm_client_himalaya;
extern const struct mm_client mm_client_meli;
extern const struct mm_client mm_client_kmail;
extern const struct mm_client mm_client_balsa;
extern const struct mm_client mm_client_s_nail;
extern const struct mm_client mm_client_netrc;
extern const struct mm_client mm_client_netrc_smtp;
extern const struct mm_client mm_client_mailspring;

#endif
