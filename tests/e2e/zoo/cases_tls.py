"""Encryption and certificates."""

import base64
import ssl
import subprocess

import scripted
import scripts
from zoo import Case, task

IMAPS = ("imap", "tls")
HERE = "here.wild.zoo.test"
KINDS = (("imap", "tls", 993), ("imap", "starttls", 143), ("pop3", "tls", 995), ("pop3", "starttls", 110),
         ("smtp", "tls", 465), ("smtp", "starttls", 587))


def pin_of(crt):
    pub = subprocess.run(["openssl", "x509", "-in", crt, "-pubkey", "-noout"], check=True, capture_output=True).stdout
    der = subprocess.run(["openssl", "pkey", "-pubin", "-outform", "DER"], input=pub, check=True, capture_output=True).stdout
    digest = subprocess.run(["openssl", "dgst", "-sha256", "-binary"], input=der, check=True, capture_output=True).stdout
    return "sha256//" + base64.b64encode(digest).decode()


def certificates(z):
    rows = (("expired", "CERT_EXPIRED", ("2021-01-01",)), ("future", "CERT_NOT_YET_VALID", ("2099-01-01",)),
            ("selfsigned", "CERT_SELF_SIGNED", ()), ("unknown", "CERT_UNKNOWN_CA", ("Unknown CA",)),
            ("nochain", "CERT_UNKNOWN_CA", ("Middle CA", "http://ca.zoo.test/middle.crt")), ("wrongname", "CERT_NAME_MISMATCH", ("mail.elsewhere.test",)),
            ("rsa1024", "CERT_WEAK", ()), ("sha1", "CERT_WEAK", ()), ("clientonly", "CERT_OTHER", ()))
    out = []
    for name, cls, says in rows:
        for p, s, port in KINDS if name in ("expired", "wrongname") else KINDS[:1]:
            out.append(Case(f"cert-{name}-{p}-{s}", f"Dovecot {p}, certificate {name}", cls,
                            task(p, s, f"{name}.zoo.test", port), reached="reach", says=says))
    for name in ("good", "rsa", "chain"):
        out.append(Case(f"cert-{name}", f"Dovecot, certificate {name}", "", task(*IMAPS, f"{name}.zoo.test", 993),
                        reached="login"))
    out += [
        Case("cert-nine-days", "Dovecot, certificate for 9 days", "", task(*IMAPS, "ninedays.zoo.test", 993),
             notes=("CERT_EXPIRES_SOON",)),
        Case("cert-cn-only", "Dovecot, certificate without SAN", "", task(*IMAPS, "cnonly.zoo.test", 993),
             notes=("CERT_NO_SAN",)),
        Case("cert-old-root", "Dovecot, a root signed with SHA-1 sent along", "",
             task(*IMAPS, "oldroot-leaf.zoo.test", 993, ca_file=z.pki.path("oldroot.crt")), reached="login"),
        Case("ca-of-another", "trust in another CA alone", "CERT_UNKNOWN_CA",
             task(*IMAPS, "good.zoo.test", 993, ca_file=z.pki.path("other.crt")), reached="reach"),
        Case("ca-of-system", "private CA, no ca_file", "CERT_UNKNOWN_CA", task(*IMAPS, "good.zoo.test", 993, ca_file=""),
             reached="reach"),
        Case("pin-right", "pin of this key", "", task(*IMAPS, "good.zoo.test", 993, pin=pin_of(z.pki.path("good.crt"))),
             reached="login"),
        Case("pin-wrong", "pin of another key", "CERT_PIN",
             task(*IMAPS, "good.zoo.test", 993, pin=pin_of(z.pki.path("rsa.crt"))), reached="reach"),
    ]
    return out


def lax():
    """For a run on a computer that is set up to accept weak keys."""
    return [Case("cert-weak-accepted", "Dovecot, RSA 1024, SECLEVEL 0 here", "", task(*IMAPS, "rsa1024.zoo.test", 993),
                 notes=("CERT_WEAK_SOON",), reached="login")]


def versions(z):
    old = dict(lowest=ssl.TLSVersion.TLSv1, highest=ssl.TLSVersion.TLSv1_1)
    asks = {v: z.serve(scripted.imap(), "good", highest=v, client_ca=z.ca)
            for v in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)}
    out = [Case(f"old-tls-{p}-{s}", f"Dovecot {p}, TLS 1.0 and 1.1 only", "TLS_VERSION_TOO_OLD",
                task(p, s, "old.zoo.test", port, ca_file=z.ca)) for p, s, port in KINDS]
    out += [
        Case("old-tls-scripted", "scripted, TLS 1.0 and 1.1 only", "TLS_VERSION_TOO_OLD",
             task(*IMAPS, HERE, z.serve(scripted.imap(), "good", **old))),
        Case("floor-1.3", "Dovecot TLS 1.2, floor 1.3", "TLS_OTHER", task(*IMAPS, "twelve.zoo.test", 993, tls_min="1.3"),
             says=("1.2",)),
        Case("floor-1.3-held", "Dovecot TLS 1.3, floor 1.3", "", task(*IMAPS, "good.zoo.test", 993, tls_min="1.3"),
             reached="login"),
        Case("ciphers", "Dovecot TLS 1.2, anonymous ciphers only", ("TLS_OTHER", "TLS_CLOSED"), task(*IMAPS, "adh.zoo.test", 993)),
        Case("old-tls-too", "Dovecot, TLS 1.0 beside 1.3", "", task(*IMAPS, "lax.zoo.test", 993),
             notes=("OLD_TLS_OFFERED",), more_notes=True),
        Case("closed-in-handshake", "closes at ClientHello", "TLS_CLOSED", task(*IMAPS, HERE, z.serve(scripted.hang_up))),
        Case("client-cert-1.2", "asks for a certificate, TLS 1.2", "TLS_CLIENT_CERT",
             task(*IMAPS, HERE, asks[ssl.TLSVersion.TLSv1_2])),
        Case("client-cert-1.3", "asks for a certificate, TLS 1.3", "TLS_CLIENT_CERT",
             task(*IMAPS, HERE, asks[ssl.TLSVersion.TLSv1_3])),
    ]
    return out


def starttls(z):
    out = []
    for p, port in (("imap", 143), ("pop3", 110), ("smtp", 587)):
        out.append(Case(f"starttls-off-{p}", f"Dovecot {p} with ssl = no", "STARTTLS_NOT_OFFERED",
                        task(p, "starttls", "clear.zoo.test", port), reached="reach"))
    rows = (
        ("stripped-xxxx", "EHLO offers XXXXXXXA", "STARTTLS_STRIPPED", "smtp", scripted.smtp(("localhost", "XXXXXXXA"))),
        ("stripped-stars", "greeting of asterisks", "STARTTLS_STRIPPED", "smtp",
         scripted.smtp(("localhost", "XXXX"), greeting="220 " + "*" * 40)),
        ("stripped-tidy", "offer removed without a trace", "STARTTLS_NOT_OFFERED", "smtp",
         scripted.smtp(("localhost", "AUTH PLAIN LOGIN"))),
        ("preauth-no-starttls", "PREAUTH greeting", "STARTTLS_NOT_OFFERED", "imap", scripted.imap(greeting="* PREAUTH hi")),
        ("lower-case-smtp", "250 starttls in small letters", ("LIBRARY_LIMIT", "STARTTLS_NOT_OFFERED"), "smtp",
         scripted.smtp(("localhost", "starttls"))),
        ("starttls-454", "454 to STARTTLS", "STARTTLS_REFUSED", "smtp",
         scripts.smtp_starttls(scripts.answers("454 4.7.0 TLS not available due to local problem"))),
        ("starttls-no", "NO to STARTTLS", "STARTTLS_REFUSED", "imap", scripts.imap_starttls(scripts.answers("{} NO later"))),
        ("starttls-bad", "BAD to STARTTLS", "STARTTLS_REFUSED", "imap", scripts.imap_starttls(scripts.answers("{} BAD what"))),
        ("stls-err", "-ERR to STLS", "STARTTLS_REFUSED", "pop3", scripts.pop3_starttls(scripts.answers("-ERR no"))),
        ("injected-smtp", "250 behind the go-ahead", "STARTTLS_INJECTION", "smtp",
         scripts.smtp_starttls(scripts.injects("220 go", "250 injected", z.context()))),
        ("injected-imap", "a tagged line behind the go-ahead", "STARTTLS_INJECTION", "imap",
         scripts.imap_starttls(scripts.injects("{} OK go", "* CAPABILITY IMAP4rev1 AUTH=PLAIN", z.context()))),
        ("injected-pop3", "+OK behind the go-ahead", "STARTTLS_INJECTION", "pop3",
         scripts.pop3_starttls(scripts.injects("+OK go", "+OK injected", z.context()))),
    )
    for name, how, cls, p, script in rows:
        server = z.server(script)
        out.append(Case(name, how, cls, task(p, "starttls", HERE, server.port), reached="reach", silent=server))
    return out


def cases(z):
    return certificates(z) + versions(z) + starttls(z)
