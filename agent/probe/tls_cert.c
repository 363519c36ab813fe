#include "agent/probe/tls_cert.h"

#include <arpa/inet.h>
#include <string.h>
#include <time.h>

#include <openssl/bio.h>
#include <openssl/x509v3.h>

#include "common/buf.h"
#include "common/digest.h"
#include "common/mem.h"

/* XN_FLAG_RFC2253 escapes control characters and everything that is not
 * ASCII, so the result can be printed as it stands. */
static void name_text(const X509_NAME *name, char *out, size_t size)
{
	BIO *b = BIO_new(BIO_s_mem());
	out[0] = '\0';
	if (b == NULL)
		return;
	if (name != NULL && X509_NAME_print_ex(b, name, 0, XN_FLAG_RFC2253) >= 0) {
		char *p = NULL;
		long n = BIO_get_mem_data(b, &p);
		size_t len = n > 0 ? (size_t)n : 0;
		if (len > size - 1)
			len = size - 1;
		if (len > 0)
			memcpy(out, p, len);
		out[len] = '\0';
	}
	BIO_free(b);
}

static int64_t unix_time(const ASN1_TIME *t)
{
	struct tm tm = {0};
	if (t == NULL || ASN1_TIME_to_tm(t, &tm) != 1)
		return 0;
	return (int64_t)timegm(&tm);
}

static void add_dns(struct mm_buf *b, const ASN1_IA5STRING *s)
{
	const unsigned char *p = ASN1_STRING_get0_data(s);
	int n = ASN1_STRING_length(s);
	mm_buf_adds(b, "DNS:");
	for (int i = 0; i < n; i++)
		mm_buf_addc(b, p[i] > ' ' && p[i] < 0x7f && p[i] != ',' ? (char)p[i] : '?');
}

static void add_ip(struct mm_buf *b, const ASN1_OCTET_STRING *s)
{
	char text[INET6_ADDRSTRLEN];
	int n = ASN1_STRING_length(s);
	int family = n == 4 ? AF_INET : AF_INET6;
	if ((n == 4 || n == 16) && inet_ntop(family, ASN1_STRING_get0_data(s), text, sizeof(text)) != NULL)
		mm_buf_addf(b, "IP:%s", text);
	else
		mm_buf_adds(b, "IP:?");
}

static void add_name(struct mm_buf *b, const GENERAL_NAME *g)
{
	if (g->type == GEN_DNS)
		add_dns(b, g->d.dNSName);
	else if (g->type == GEN_IPADD)
		add_ip(b, g->d.iPAddress);
}

/* Names beyond the room are left out as a whole. */
static void san_text(X509 *cert, char *out, size_t size)
{
	static const char cut[] = ", ...";
	out[0] = '\0';
	GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
	size_t used = 0;
	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		struct mm_buf one = MM_BUF_INIT(300);
		add_name(&one, sk_GENERAL_NAME_value(names, i));
		size_t room = size - sizeof(cut) - used;
		if (one.len > 0 && mm_buf_ok(&one) && one.len + 2 <= room) {
			int n =
			    snprintf(out + used, size - used, "%s%s", used > 0 ? ", " : "", mm_buf_str(&one));
			used += n > 0 ? (size_t)n : 0;
		} else if (one.len > 0) {
			memcpy(out + used, cut, sizeof(cut));
			mm_buf_free(&one);
			break;
		}
		mm_buf_free(&one);
	}
	GENERAL_NAMES_free(names);
}

void mm_cert_facts_read(X509 *cert, struct mm_cert_facts *out)
{
	name_text(X509_get_subject_name(cert), out->subject, sizeof(out->subject));
	name_text(X509_get_issuer_name(cert), out->issuer, sizeof(out->issuer));
	san_text(cert, out->san, sizeof(out->san));
	out->not_before = unix_time(X509_get0_notBefore(cert));
	out->not_after = unix_time(X509_get0_notAfter(cert));
}

enum mm_cert_trouble mm_cert_trouble_of(int x509_error)
{
	switch (x509_error) {
	case X509_V_OK:
		return MM_CERT_OK;
	case X509_V_ERR_CERT_HAS_EXPIRED:
		return MM_CERT_EXPIRED;
	case X509_V_ERR_CERT_NOT_YET_VALID:
		return MM_CERT_NOT_YET_VALID;
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
		return MM_CERT_SELF_SIGNED;
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
		return MM_CERT_UNKNOWN_CA;
	case X509_V_ERR_EE_KEY_TOO_SMALL:
	case X509_V_ERR_CA_KEY_TOO_SMALL:
	case X509_V_ERR_CA_MD_TOO_WEAK:
		return MM_CERT_WEAK;
	default:
		return MM_CERT_OTHER;
	}
}

/* ---- name */

static bool is_address(const char *host)
{
	unsigned char raw[sizeof(struct in6_addr)];
	return inet_pton(AF_INET, host, raw) == 1 || inet_pton(AF_INET6, host, raw) == 1;
}

bool mm_cert_is_for(X509 *cert, const char *host)
{
	if (is_address(host))
		return X509_check_ip_asc(cert, host, 0) == 1;
	return X509_check_host(cert, host, 0, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT, NULL) == 1;
}

/* ---- what it is known by */

void mm_cert_fingerprint(X509 *cert, char out[65])
{
	unsigned char *der = NULL;
	int n = i2d_X509(cert, &der);
	out[0] = '\0';
	if (n > 0)
		mm_sha256_hex(der, (size_t)n, out);
	OPENSSL_free(der);
}

void mm_cert_pin(const X509 *cert, char *out, size_t size)
{
	unsigned char *der = NULL;
	uint8_t hash[MM_SHA256_LEN];
	struct mm_buf b = MM_BUF_INIT(64);
	int n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &der);
	out[0] = '\0';
	if (n > 0) {
		mm_sha256(der, (size_t)n, hash);
		mm_base64(hash, sizeof(hash), &b);
		snprintf(out, size, "sha256//%s", mm_buf_str(&b));
	}
	OPENSSL_free(der);
	mm_buf_free(&b);
}

static bool is_url(const ASN1_IA5STRING *s, size_t size)
{
	const unsigned char *p = ASN1_STRING_get0_data(s);
	int n = ASN1_STRING_length(s);
	if (n < 8 || (size_t)n >= size || memcmp(p, "http", 4) != 0)
		return false;
	for (int i = 0; i < n; i++)
		if (p[i] <= ' ' || p[i] >= 0x7f)
			return false;
	return true;
}

void mm_cert_issuer_url(X509 *cert, char *out, size_t size)
{
	AUTHORITY_INFO_ACCESS *all = X509_get_ext_d2i(cert, NID_info_access, NULL, NULL);
	out[0] = '\0';
	for (int i = 0; out[0] == '\0' && i < sk_ACCESS_DESCRIPTION_num(all); i++) {
		const ACCESS_DESCRIPTION *a = sk_ACCESS_DESCRIPTION_value(all, i);
		if (OBJ_obj2nid(a->method) != NID_ad_ca_issuers || a->location->type != GEN_URI ||
		    !is_url(a->location->d.uniformResourceIdentifier, size))
			continue;
		const ASN1_IA5STRING *url = a->location->d.uniformResourceIdentifier;
		size_t n = (size_t)ASN1_STRING_length(url);
		memcpy(out, ASN1_STRING_get0_data(url), n);
		out[n] = '\0';
	}
	AUTHORITY_INFO_ACCESS_free(all);
}

/* ---- chain */

#define RSA_BITS_MIN 2048
#define EC_BITS_MIN 224 /* as strong as RSA 2048, NIST SP 800-57 1 table 2 */

static bool key_text(const X509 *cert, char *out, size_t size)
{
	EVP_PKEY *key = X509_get0_pubkey(cert);
	char curve[32] = "";
	if (key == NULL) {
		snprintf(out, size, "unknown");
		return false;
	}
	int bits = EVP_PKEY_get_bits(key);
	switch (EVP_PKEY_get_base_id(key)) {
	case EVP_PKEY_RSA:
	case EVP_PKEY_RSA_PSS:
		snprintf(out, size, "RSA %d", bits);
		return bits < RSA_BITS_MIN;
	case EVP_PKEY_EC:
		EVP_PKEY_get_group_name(key, curve, sizeof(curve), NULL);
		snprintf(out, size, "EC %s", curve);
		return bits < EC_BITS_MIN;
	default:
		snprintf(out, size, "%s", OBJ_nid2sn(EVP_PKEY_get_base_id(key)));
		return false;
	}
}

/* The signature of a root is not what it is trusted for. */
static bool signature_weak(X509 *cert)
{
	int md = NID_undef;
	if (X509_get_signature_info(cert, &md, NULL, NULL, NULL) != 1 ||
	    X509_NAME_cmp(X509_get_subject_name(cert), X509_get_issuer_name(cert)) == 0)
		return false;
	return md == NID_sha1 || md == NID_md5 || md == NID_md5_sha1;
}

size_t mm_chain_read(const STACK_OF(X509) * chain, struct mm_chain_link **out)
{
	int all = sk_X509_num(chain);
	size_t n = all > 0 ? (size_t)all : 0;
	n = n < MM_CHAIN_MAX ? n : MM_CHAIN_MAX;
	*out = n > 0 ? mm_xcalloc(n, sizeof(**out)) : NULL;
	for (size_t i = 0; i < n; i++) {
		X509 *cert = sk_X509_value(chain, (int)i);
		struct mm_chain_link *l = &(*out)[i];
		name_text(X509_get_subject_name(cert), l->subject, sizeof(l->subject));
		name_text(X509_get_issuer_name(cert), l->issuer, sizeof(l->issuer));
		snprintf(l->signature, sizeof(l->signature), "%s", OBJ_nid2ln(X509_get_signature_nid(cert)));
		l->not_after = unix_time(X509_get0_notAfter(cert));
		l->weak = key_text(cert, l->key, sizeof(l->key));
		l->weak = signature_weak(cert) || l->weak;
	}
	return n;
}
