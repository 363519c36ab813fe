"""Logging in, and what comes after."""

import scripted
import scripts
from cases_tls import KINDS
from imapd import token
from zoo import Case, task

IMAPS = ("imap", "tls")
HERE = "here.wild.zoo.test"


def passes():
    out = [Case(f"good-{p}-{s}", f"Dovecot {p} {s}", "", task(p, s, "good.zoo.test", port), reached="login")
           for p, s, port in KINDS]
    out += [
        Case("good-name", "Dovecot, another name of its certificate", "", task(*IMAPS, "imap.wild.zoo.test", 993), reached="login"),
        Case("good-plain", "Dovecot, auth plain", "", task(*IMAPS, "good.zoo.test", 993, auth="plain"), reached="login"),
        Case("good-login", "Dovecot, auth login", "", task(*IMAPS, "good.zoo.test", 993, auth="login"), reached="login"),
        Case("good-cram", "Dovecot, auth cram-md5", "", task(*IMAPS, "good.zoo.test", 993, auth="cram-md5"), reached="login"),
        Case("good-full-address", "Dovecot, user name with @", "",
             task(*IMAPS, "good.zoo.test", 993, username="alice@zoo.test"), reached="login"),
        Case("good-clear", "Dovecot without TLS, policy none", "", task("imap", "none", "clear.zoo.test", 143),
             reached="login", more_notes=True),
        Case("good-xoauth2", "Dovecot, a good JWT", "", task(*IMAPS, "good.zoo.test", 993, auth="xoauth2"),
             secret=token("alice"), reached="login"),
        Case("good-oauthbearer", "Dovecot, a good JWT", "", task(*IMAPS, "good.zoo.test", 993, auth="oauthbearer"),
             secret=token("alice"), reached="login"),
        Case("good-pam", "Dovecot with PAM", "", task(*IMAPS, "good.zoo.test", 993, username="pam-good"), reached="login"),
    ]
    return out


def rejected():
    out = []
    for p, s, port in KINDS:
        out.append(Case(f"wrong-password-{p}-{s}", f"Dovecot {p}", "AUTH_REJECTED", task(p, s, "good.zoo.test", port),
                        secret=f"not this one: {p} {s}", reached="tls"))
        out.append(Case(f"wrong-user-{p}-{s}", f"Dovecot {p}", "AUTH_REJECTED",
                        task(p, s, "good.zoo.test", port, username=f"nobody-{p}-{s}"), reached="tls"))
    out += [
        Case("password-with-blank", "a blank behind the password", "AUTH_REJECTED", task(*IMAPS, "good.zoo.test", 993),
             secret="wonder land-42 ", reached="tls"),
        Case("cram-hashed-store", "CRAM-MD5, hashed password store", "AUTH_REJECTED",
             task(*IMAPS, "good.zoo.test", 993, auth="cram-md5", username="hashed"), reached="tls", says=("as hashes",)),
        Case("plain-hashed-store", "PLAIN, hashed password store", "",
             task(*IMAPS, "good.zoo.test", 993, auth="plain", username="hashed"), reached="login"),
        Case("account-disabled", "Dovecot nologin, imap", "AUTH_ACCOUNT_DISABLED",
             task(*IMAPS, "good.zoo.test", 993, username="gone"), reached="tls"),
        Case("account-disabled-pop3", "Dovecot nologin, pop3", ("AUTH_ACCOUNT_DISABLED", "AUTH_REJECTED"),
             task("pop3", "tls", "imap.wild.zoo.test", 995, username="gone"), reached="tls"),
        Case("password-expired", "Dovecot, PAM new_authtok_reqd", "AUTH_PASSWORD_EXPIRED",
             task(*IMAPS, "good.zoo.test", 993, username="pam-expired"), reached="tls"),
        Case("account-expired", "Dovecot, PAM acct_expired", "AUTH_PASSWORD_EXPIRED",
             task(*IMAPS, "good.zoo.test", 993, username="pam-closed"), reached="tls"),
        Case("backend-down", "Dovecot, password file unreadable", "AUTH_TEMP",
             task(*IMAPS, "good.zoo.test", 993, username="broken"), reached="tls"),
        Case("backend-down-smtp", "Dovecot, password file unreadable", "AUTH_TEMP",
             task("smtp", "tls", "good.zoo.test", 465, username="broken"), reached="tls"),
        Case("mech-not-offered", "Dovecot has no EXTERNAL ... asks cram-md5", "AUTH_MECH_NOT_OFFERED",
             task(*IMAPS, "twelve.zoo.test", 993, auth="cram-md5"), says=("PLAIN",), reached="tls"),
        Case("needs-tls-imap", "Dovecot 143, security none", "AUTH_NEEDS_TLS", task("imap", "none", "good.zoo.test", 143)),
        Case("needs-tls-pop3", "Dovecot 110, security none", "AUTH_NEEDS_TLS", task("pop3", "none", "good.zoo.test", 110)),
        Case("needs-tls-smtp", "Dovecot 587, security none", "AUTH_NEEDS_TLS", task("smtp", "none", "good.zoo.test", 587)),
        Case("token-expired", "Dovecot, a JWT of yesterday", "AUTH_TOKEN_REFUSED",
             task(*IMAPS, "good.zoo.test", 993, auth="xoauth2"), secret=token("alice", -60), reached="tls"),
        Case("token-forged", "Dovecot, a JWT of another key", "AUTH_TOKEN_REFUSED",
             task(*IMAPS, "good.zoo.test", 993, auth="oauthbearer"), secret=token("alice", key=b"other"), reached="tls"),
        Case("too-many-connections", "Dovecot, one connection allowed", "TOO_MANY_CONNECTIONS",
             task(*IMAPS, "crowd.zoo.test", 993, username="crowd"), reached="tls"),
        Case("clear-login-offered", "Dovecot, logins before TLS", "", task("imap", "starttls", "lax.zoo.test", 143),
             notes=("CLEARTEXT_LOGIN",), more_notes=True),
    ]
    return out


def words(z):
    """What other servers say."""
    rows = (
        ("imap", "NO [CONTACTADMIN] disabled", "AUTH_ACCOUNT_DISABLED"), ("smtp", "525 5.7.13 disabled", "AUTH_ACCOUNT_DISABLED"),
        ("pop3", "-ERR [SYS/PERM] disabled", "AUTH_ACCOUNT_DISABLED"), ("imap", "NO [EXPIRED] too old", "AUTH_PASSWORD_EXPIRED"),
        ("smtp", "432 4.7.12 A password transition is needed", "AUTH_PASSWORD_EXPIRED"),
        ("smtp", "534 5.7.12 transition needed", "AUTH_PASSWORD_EXPIRED"),
        ("smtp", "534-5.7.9 Application-specific password required.\n534 5.7.9 see the help page", "AUTH_APP_PASSWORD"),
        ("imap", "NO [ALERT] Application-specific password required", "AUTH_APP_PASSWORD"),
        ("smtp", "535 5.7.139 Authentication unsuccessful, basic authentication is disabled.", "AUTH_BASIC_DISABLED"),
        ("imap", "NO [ALERT] Please log in via your web browser", "AUTH_WEB_LOGIN"),
        ("imap", "NO [WEBALERT https://mail.zoo.test/] Web login required.", "AUTH_WEB_LOGIN"),
        ("imap", "NO [AUTHORIZATIONFAILED] not yours", "AUTH_AUTHZ"), ("imap", "NO [UNAVAILABLE] later", "AUTH_TEMP"),
        ("imap", "NO [INUSE] busy", "AUTH_TEMP"), ("pop3", "-ERR [IN-USE] locked", "AUTH_TEMP"),
        ("pop3", "-ERR [SYS/TEMP] later", "AUTH_TEMP"), ("pop3", "-ERR [LOGIN-DELAY] too soon", "AUTH_TEMP"),
        ("smtp", "454 4.7.0 Temporary authentication failure", "AUTH_TEMP"),
        ("imap", "NO [LIMIT] enough", "TOO_MANY_CONNECTIONS"), ("imap", "NO [PRIVACYREQUIRED] no", "AUTH_NEEDS_TLS"),
        ("smtp", "538 5.7.11 Encryption required", "AUTH_NEEDS_TLS"),
        ("imap", "NO [AUTHENTICATIONFAILED] no", "AUTH_REJECTED"), ("imap", "NO no", "AUTH_REJECTED"),
        ("smtp", "535 5.7.8 no", "AUTH_REJECTED"), ("pop3", "-ERR [AUTH] no", "AUTH_REJECTED"),
        ("imap", "BAD what", "AUTH_UNCLEAR"), ("smtp", "550 what", "AUTH_UNCLEAR"))
    out = []
    for i, (p, reply, cls) in enumerate(rows):
        script = {"imap": lambda r: scripted.imap(login=r), "pop3": lambda r: scripted.pop3(password=r),
                  "smtp": lambda r: scripted.smtp(("localhost", "AUTH PLAIN"), auth=r)}[p](reply)
        out.append(Case(f"says-{i}-{p}", reply.split("\n")[0], cls, task(p, "tls", HERE, z.serve(script, "good")), reached="tls"))
    for status in ("400", "401"):
        for p in ("imap", "smtp"):
            for auth in ("xoauth2", "oauthbearer"):
                out.append(Case(f"{auth}-{status}-{p}", f"error object, status {status}", "AUTH_TOKEN_REFUSED",
                                task(p, "tls", HERE, z.serve(scripts.token_refused(status, p == "smtp"), "good"), auth=auth),
                                secret="a-token", reached="tls"))
    bye = "* BYE [ALERT] Fatal error: Account's mailbox directory is not owned by the correct uid or gid"
    out += [
        Case("login-slow", "no answer to the login", "AUTH_SLOW", task(*IMAPS, HERE, z.serve(scripted.imap(login=None), "good")),
             least=6),
        Case("login-late", "an answer after 3 s", "",
             task(*IMAPS, HERE, z.serve(scripted.imap(login="OK in", delay=3), "good")), reached="login", least=3, more_notes=True),
        Case("login-dropped", "closes instead of an answer", "AUTH_CONN_DROPPED",
             task(*IMAPS, HERE, z.serve(scripts.drops_at_login(), "good"))),
        Case("login-dropped-bye", bye, ("AUTH_CONN_DROPPED", "MAILBOX_UNUSABLE"),
             task(*IMAPS, HERE, z.serve(scripts.drops_at_login(bye), "good"))),
        Case("login-dropped-pop3", "closes instead of an answer", "AUTH_CONN_DROPPED",
             task("pop3", "tls", HERE, z.serve(scripts.pop3_drops, "good"))),
    ]
    return out


def never_inferred(z):
    """Where libcurl itself, or another tester, says that all is well."""
    step = scripted.then_tls(z.context())
    rows = (
        ("preauth", "* PREAUTH", "PREAUTH_NOT_A_TEST", "imap", "tls", scripted.imap(greeting="* PREAUTH hi"), "good"),
        ("no-auth-tls", "no AUTH after TLS", "AUTH_NOT_OFFERED", "smtp", "tls", scripted.smtp(), "good"),
        ("no-auth-25", "no AUTH, no STARTTLS", "AUTH_NOT_OFFERED", "smtp", "none", scripted.smtp(), None),
        ("no-auth-starttls", "no AUTH after STARTTLS", "AUTH_NOT_OFFERED", "smtp", "starttls",
         scripted.smtp(("localhost", "STARTTLS"), starttls=step), None),
        ("auth-after-tls", "STARTTLS and no AUTH before", "AUTH_NEEDS_TLS", "smtp", "none",
         scripted.smtp(("localhost", "STARTTLS")), None),
        ("helo-fallback", "EHLO refused, HELO taken", "AUTH_NOT_OFFERED", "smtp", "tls", scripted.smtp(ehlo=None), "good"),
        ("small-letters", "250 auth plain in small letters", ("LIBRARY_LIMIT", ""), "smtp", "tls",
         scripted.smtp(("localhost", "auth plain login"), auth="235 in"), "good"),
        ("small-letters-imap", "capability in small letters", ("LIBRARY_LIMIT", ""), "imap", "tls",
         scripted.imap("IMAP4rev1 auth=plain", login="OK in"), "good"),
        ("no-sasl-imap", "LOGIN alone", "", "imap", "tls", scripted.imap("IMAP4rev1", "OK in"), "good"),
        ("no-sasl-pop3", "USER alone", "", "pop3", "tls", scripted.pop3(), "good"),
        ("no-capa-pop3", "does not know CAPA", "", "pop3", "tls", scripted.pop3(None), "good"),
        ("user-refused-pop3", "-ERR to USER", "AUTH_REJECTED", "pop3", "tls", scripted.pop3(user="-ERR who?"), "good"),
    )
    out = []
    for name, how, cls, p, s, script, cert in rows:
        out.append(Case(name, how, cls, task(p, s, HERE, z.serve(script, cert)), more_notes=True))
    return out


def external(z):
    """Client certificates in place of a password."""
    with open(z.pki.path("device.crt"), "rb") as crt, open(z.pki.path("device.key"), "rb") as key:
        device = crt.read() + key.read()
    words = "IMAP4rev1 SASL-IR AUTH=EXTERNAL"
    ports = [z.serve(scripted.imap(words, login=reply), "good", client_ca=z.ca) for reply in ("OK in", "NO not you")]
    asks = dict(auth="external")
    return [
        Case("external", "certificate, AUTH=EXTERNAL", "", task(*IMAPS, HERE, ports[0], **asks), secret=None,
             certificate=device, reached="login"),
        Case("external-refused", "certificate, NO", "AUTH_CERT_REFUSED", task(*IMAPS, HERE, ports[1], **asks), secret=None,
             certificate=device),
        Case("external-without", "no certificate at hand, and one is demanded", "TLS_CLIENT_CERT",
             task(*IMAPS, HERE, ports[0], **asks), secret=None),
        Case("external-without-demand", "no certificate at hand, and none is demanded", "NO_CLIENT_CERT",
             task(*IMAPS, HERE, z.serve(scripted.imap(words), "good"), **asks), secret=None, reached="tls"),
        Case("ticket-without", "no Kerberos ticket", "NO_TICKET",
             task(*IMAPS, HERE, z.serve(scripted.imap("IMAP4rev1 AUTH=GSSAPI"), "good"), auth="gssapi"), secret=None),
        Case("external-useless", "offers EXTERNAL, asks for no certificate", "",
             task(*IMAPS, HERE, z.serve(scripted.imap("IMAP4rev1 SASL-IR AUTH=PLAIN AUTH=EXTERNAL", login="OK in"), "good")),
             notes=("MECH_UNUSABLE",), reached="login"),
        Case("mech-offered-refused", "504 to AUTH PLAIN", "AUTH_MECH_NOT_OFFERED",
             task("smtp", "tls", HERE, z.serve(scripted.smtp(("localhost", "AUTH PLAIN"), auth="504 5.5.4 Unrecognized"), "good")),
             notes=("MECH_UNUSABLE",)),
    ] + unusable(z)


def unusable(z):
    """Offered, and refused for what it is; or offered where it can never work."""
    smtp = ("localhost", "AUTH PLAIN")
    plus = scripted.imap("IMAP4rev1 SASL-IR AUTH=PLAIN AUTH=SCRAM-SHA-1-PLUS", login="OK in")
    step = scripted.then_tls(z.context())
    more = dict(notes=("MECH_UNUSABLE",), more_notes=True)
    return [
        Case("mech-too-weak", "534 to AUTH PLAIN", "AUTH_MECH_NOT_OFFERED",
             task("smtp", "tls", HERE, z.serve(scripted.smtp(smtp, auth="534 5.7.0 too weak"), "good")), **more),
        Case("mech-needs-tls", "AUTH PLAIN offered in clear, 538 to it", "AUTH_NEEDS_TLS",
             task("smtp", "none", HERE, z.serve(scripted.smtp(smtp, auth="538 5.7.11 Encryption required"))), **more),
        Case("mech-cannot", "NO [CANNOT] to AUTHENTICATE PLAIN", "AUTH_REJECTED",
             task(*IMAPS, HERE, z.serve(scripted.imap(login="NO [CANNOT] never"), "good")), **more),
        Case("mech-plus-in-clear", "channel binding without TLS", "", task("imap", "none", HERE, z.serve(plus)), **more),
        Case("mech-plus-before-tls", "channel binding before STARTTLS", "AUTH_MECH_NOT_OFFERED",
             task("smtp", "starttls", HERE, z.serve(scripted.smtp(("localhost", "STARTTLS", "AUTH SCRAM-SHA-256-PLUS"),
                                                                  starttls=step))),
             notes=("MECH_UNUSABLE",), says=("channel binding",), more_notes=True),
        Case("mech-plus", "channel binding over TLS", "", task(*IMAPS, HERE, z.serve(plus, "good")), reached="login"),
    ]


def mailboxes(z):
    out = [
        Case("mailbox-unusable", "Dovecot, mail_location is no folder", "MAILBOX_UNUSABLE",
             task(*IMAPS, "good.zoo.test", 993, username="homeless"), reached="login"),
        Case("mailbox-refused", "EXAMINE is refused", "MAILBOX_UNUSABLE",
             task(*IMAPS, HERE, z.serve(scripts.imap_words(examine="NO [SERVERBUG] broken"), "good")), reached="login"),
        Case("mailbox-silent", "no answer to EXAMINE", "MAILBOX_NO_ANSWER",
             task(*IMAPS, HERE, z.serve(scripted.imap(login="OK in", examine=None), "good")), reached="login"),
        Case("quota-full", "Dovecot, 30 K in 20 K", "", task(*IMAPS, "good.zoo.test", 993, username="full"),
             notes=("OVERQUOTA",), reached="login"),
        Case("alert-at-login", "[ALERT] in the OK to the login", "",
             task(*IMAPS, HERE, z.serve(scripts.imap_words(login="OK [ALERT] Down for repairs on Friday"), "good")),
             notes=("SERVER_ALERT",), says=("Friday",), reached="login", more_notes=True),
        Case("alert-untagged", "* OK [ALERT] before the answer", "",
             task(*IMAPS, HERE, z.serve(scripts.imap_words("* OK [ALERT] Mailbox moves on Monday"), "good")),
             notes=("SERVER_ALERT",), says=("Monday",), reached="login", more_notes=True),
        Case("greeting-late", "greets after 3.2 s", "", task(*IMAPS, HERE, z.serve(scripts.slow_greeting(3.2), "good")),
             notes=("SLOW_GREETING",), reached="login", more_notes=True),
    ]
    return out


def penalty():
    """For runs of their own: with time enough, a penalty is no failure."""
    return [Case("penalty", "Dovecot's penalty, not waited for", "AUTH_SLOW", task(*IMAPS, "strict.zoo.test", 993), least=4)], [
        Case("penalty-waited", "Dovecot's penalty, waited for", "", task("pop3", "tls", "strict.zoo.test", 995),
             reached="login", least=6, more_notes=True)]


def cases(z):
    return passes() + rejected() + words(z) + never_inferred(z) + external(z) + mailboxes(z)
