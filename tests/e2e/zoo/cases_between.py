"""Who stands between: antivirus programs and firewalls that open TLS, or greet in their own name."""

import ssl

import scripted
from zoo import Case, task

IMAPS = ("imap", "tls")
HERE = "here.wild.zoo.test"
TWELVE = ssl.TLSVersion.TLSv1_2


def certificates(z):
    own = z.pki.path("shield.crt")
    good = scripted.imap(login="OK in")
    step = scripted.then_tls(z.context("shielded"))
    silent = {p: z.server(script, cert) for p, script, cert in (
        ("imap", good, "shielded"), ("smtp", scripted.smtp(("localhost", "STARTTLS"), starttls=step), None))}
    says = ("Avast", "TLS inspection")
    return [
        Case("shield", "made by Avast, whose root is not trusted", "TLS_INTERCEPTED",
             task(*IMAPS, HERE, silent["imap"].port), reached="reach", says=says, silent=silent["imap"]),
        Case("shield-starttls", "the same behind STARTTLS", "TLS_INTERCEPTED",
             task("smtp", "starttls", HERE, silent["smtp"].port), reached="reach", says=says, silent=silent["smtp"]),
        Case("shield-pin", "pinned, made by Avast", "TLS_INTERCEPTED",
             task(*IMAPS, HERE, z.serve(good, "shielded"), ca_file=own, pin="sha256//" + "A" * 43 + "="), says=says),
        Case("shield-floor", "TLS 1.2 at most, floor 1.3: seen by the look alone", "TLS_INTERCEPTED",
             task(*IMAPS, HERE, z.serve(good, "shielded", highest=TWELVE), tls_min="1.3"), says=says),
        Case("shield-trusted", "made by Avast, whose root is trusted", "",
             task(*IMAPS, HERE, z.serve(good, "shielded"), ca_file=own), notes=("PROXY_SEEN",), says=("Avast",)),
        # a mail gateway of the same maker shows another name: that is no interception
        Case("shield-maker", "made by Avast, for another name", "CERT_UNKNOWN_CA",
             task(*IMAPS, HERE, z.serve(good, "gateway")), reached="reach"),
    ]


def greetings(z):
    busy = "421 Cannot connect to SMTP server 192.0.2.1 (192.0.2.1:25), connect error 10060"
    return [
        Case("scanner-imap", "* OK avast! ...", "",
             task(*IMAPS, HERE, z.serve(scripted.imap(login="OK in", greeting="* OK avast! IMAP proxy ready"), "good")),
             notes=("PROXY_SEEN",), says=("Avast",)),
        Case("scanner-pop3", "+OK AVG POP3 Proxy Server", "",
             task("pop3", "tls", HERE, z.serve(scripted.pop3(greeting="+OK AVG POP3 Proxy Server 8.5.423"), "good")),
             notes=("PROXY_SEEN",), says=("AVG",)),
        Case("scanner-no-way", "421 Cannot connect to SMTP server", "SERVER_REFUSES",
             task("smtp", "tls", HERE, z.serve(scripted.greets(busy), "good")), notes=("PROXY_SEEN",),
             says=("antivirus", "switch its mail scanning off")),
        Case("scanner-on-tls-port", "greets in clear where TLS should be: seen by the look alone", "TLS_TO_PLAIN_PORT",
             task("pop3", "tls", HERE, z.serve(scripted.pop3(greeting="+OK AVG POP3 Proxy Server 8.5.423"))),
             notes=("PROXY_SEEN",), says=("AVG",)),
        Case("asterisks", "220 ****, no encryption wanted", "",
             task("smtp", "none", HERE, z.serve(scripted.smtp(("localhost", "AUTH PLAIN"), auth="235 in", greeting="220 " + "*" * 30))),
             notes=("PROXY_SEEN",), says=("firewall",), more_notes=True),
    ]


def cases(z):
    return certificates(z) + greetings(z)
