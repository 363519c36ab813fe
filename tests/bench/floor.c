/*
 * mm-bench-floor HOST PORT CA USER N: N logins over IMAPS one after the other
 * with OpenSSL alone and one SSL_CTX: handshake with the certificate and its
 * name checked, CAPABILITY, AUTHENTICATE PLAIN, EXAMINE, LOGOUT. What a login
 * costs at least. The password comes on standard input. Fails at the first
 * answer that is not OK.
 */
#include <netdb.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/text.h"

struct floor {
	const struct addrinfo *to;
	const char *host;
	SSL_CTX *ctx;
	char login[512]; /* the whole AUTHENTICATE command */
};

/* The last line of what has come so far, or NULL when it is not whole. */
static const char *last_line(const char *text, size_t len)
{
	if (len < 2 || text[len - 1] != '\n')
		return NULL;
	const char *line = text;
	for (const char *next; (next = strstr(line, "\r\n")) != NULL && next[2] != '\0';)
		line = next + 2;
	return line;
}

/* Reads up to the reply with the tag with which `want` begins. */
static int hear(SSL *ssl, const char *want)
{
	char text[8192];
	size_t len = 0;
	while (len < sizeof(text) - 1) {
		int n = SSL_read(ssl, text + len, (int)(sizeof(text) - 1 - len));
		if (n <= 0)
			return -1;
		len += (size_t)n;
		text[len] = '\0';
		const char *line = last_line(text, len);
		if (line != NULL && line[0] == want[0])
			return strncmp(line, want, strlen(want)) == 0 ? 0 : -1;
	}
	return -1;
}

static int ask(SSL *ssl, const char *command, const char *want)
{
	int n = (int)strlen(command);
	return SSL_write(ssl, command, n) == n ? hear(ssl, want) : -1;
}

static int dialog(SSL *ssl, const char *login)
{
	if (SSL_connect(ssl) != 1 || hear(ssl, "* OK") != 0 || ask(ssl, "1 CAPABILITY\r\n", "1 OK") != 0)
		return -1;
	if (ask(ssl, login, "2 OK") != 0 || ask(ssl, "3 EXAMINE INBOX\r\n", "3 OK") != 0)
		return -1;
	return ask(ssl, "4 LOGOUT\r\n", "4 OK");
}

static int once(const struct floor *f)
{
	int fd = socket(f->to->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	SSL *ssl = SSL_new(f->ctx);
	int rc = -1;
	if (fd >= 0 && ssl != NULL && connect(fd, f->to->ai_addr, f->to->ai_addrlen) == 0 &&
	    SSL_set_fd(ssl, fd) == 1 && SSL_set1_host(ssl, f->host) == 1)
		rc = dialog(ssl, f->login);
	SSL_free(ssl);
	if (fd >= 0)
		close(fd);
	return rc;
}

static int credentials(struct floor *f, const char *user)
{
	char password[128];
	unsigned char plain[320], coded[440];
	if (fgets(password, sizeof(password), stdin) == NULL || strlen(user) > 128)
		return -1;
	password[strcspn(password, "\n")] = '\0';
	int n = snprintf((char *)plain, sizeof(plain), "%c%s%c%s", 0, user, 0, password);
	EVP_EncodeBlock(coded, plain, n);
	snprintf(f->login, sizeof(f->login), "2 AUTHENTICATE PLAIN %s\r\n", (const char *)coded);
	return 0;
}

int main(int argc, char **argv)
{
	struct addrinfo *list = NULL, hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
	struct floor f = {.host = argc > 1 ? argv[1] : ""};
	int64_t n;
	if (argc != 6 || mm_parse_int(argv[5], 1, 1000000, &n) != 0 || credentials(&f, argv[4]) != 0)
		return 64;
	if (getaddrinfo(argv[1], argv[2], &hints, &list) != 0)
		return 1;
	f.to = list;
	f.ctx = SSL_CTX_new(TLS_client_method());
	int rc = f.ctx != NULL && SSL_CTX_load_verify_locations(f.ctx, argv[3], NULL) == 1 ? 0 : -1;
	if (rc == 0)
		SSL_CTX_set_verify(f.ctx, SSL_VERIFY_PEER, NULL);
	for (int64_t i = 0; i < n && rc == 0; i++)
		rc = once(&f);
	SSL_CTX_free(f.ctx);
	freeaddrinfo(list);
	return rc == 0 ? 0 : 1;
}
