#include "agent/probe/tls_ocsp.h"

#include <stdio.h>

#include <openssl/ocsp.h>

#define CLOCK_SLACK_S 300

static const char *invalid(char *why, size_t size, const char *reason)
{
	snprintf(why, size, "%s", reason);
	return "invalid";
}

/* Does the answer mean this certificate? It names it by digests of the
 * issuer's name and key, with an algorithm of its own choice. */
static int is_about(const OCSP_SINGLERESP *one, X509 *leaf, X509 *issuer)
{
	ASN1_OBJECT *alg = NULL;
	const OCSP_CERTID *id = OCSP_SINGLERESP_get0_id(one);
	OCSP_CERTID *copy = OCSP_CERTID_dup(id); /* its parts can only be read of one that is not const */
	int same = 0;
	if (copy != NULL && OCSP_id_get0_info(NULL, &alg, NULL, NULL, copy) == 1) {
		const EVP_MD *md = EVP_get_digestbyobj(alg);
		OCSP_CERTID *ours = md != NULL ? OCSP_cert_to_id(md, leaf, issuer) : NULL;
		same = ours != NULL && OCSP_id_cmp(copy, ours) == 0;
		OCSP_CERTID_free(ours);
	}
	OCSP_CERTID_free(copy);
	return same;
}

static const char *state_of(OCSP_BASICRESP *basic, X509 *leaf, X509 *issuer, char *why, size_t size)
{
	for (int i = 0; i < OCSP_resp_count(basic); i++) {
		OCSP_SINGLERESP *one = OCSP_resp_get0(basic, i);
		if (one == NULL || !is_about(one, leaf, issuer))
			continue;
		ASN1_GENERALIZEDTIME *from = NULL, *until = NULL;
		int state = OCSP_single_get0_status(one, NULL, NULL, &from, &until);
		if (OCSP_check_validity(from, until, CLOCK_SLACK_S, -1) != 1)
			return invalid(why, size, "it is out of date");
		if (state == V_OCSP_CERTSTATUS_GOOD)
			return "good";
		return state == V_OCSP_CERTSTATUS_REVOKED ? "revoked" : "unknown";
	}
	return invalid(why, size, "it is about another certificate");
}

static const char *read_basic(SSL *ssl, OCSP_BASICRESP *basic, char *why, size_t size)
{
	STACK_OF(X509) *chain = SSL_get0_verified_chain(ssl);
	X509_STORE *trusted = SSL_CTX_get_cert_store(SSL_get_SSL_CTX(ssl));
	X509 *leaf = sk_X509_value(chain, 0), *issuer = sk_X509_value(chain, 1);
	if (leaf == NULL || issuer == NULL)
		return invalid(why, size, "the issuer is not known");
	if (OCSP_basic_verify(basic, chain, trusted, 0) != 1)
		return invalid(why, size, "its signature does not lead to a trusted CA");
	return state_of(basic, leaf, issuer, why, size);
}

const char *mm_ocsp_read(SSL *ssl, char *why, size_t size)
{
	unsigned char *raw = NULL;
	long n = SSL_get_tlsext_status_ocsp_resp(ssl, &raw);
	if (raw == NULL || n <= 0)
		return "none";
	const unsigned char *p = raw;
	OCSP_RESPONSE *r = d2i_OCSP_RESPONSE(NULL, &p, n);
	if (r == NULL)
		return invalid(why, size, "it cannot be read");
	const char *out;
	OCSP_BASICRESP *basic = NULL;
	if (OCSP_response_status(r) != OCSP_RESPONSE_STATUS_SUCCESSFUL)
		out = invalid(why, size, OCSP_response_status_str(OCSP_response_status(r)));
	else if ((basic = OCSP_response_get1_basic(r)) == NULL)
		out = invalid(why, size, "it is of an unknown kind");
	else
		out = read_basic(ssl, basic, why, size);
	OCSP_BASICRESP_free(basic);
	OCSP_RESPONSE_free(r);
	return out;
}
