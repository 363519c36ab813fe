"""The sender's dry run: nothing is sent."""

import scripts
from zoo import Case, task

HERE = "here.wild.zoo.test"


def sender(who, host="good.zoo.test", port=465, **more):
    return task("smtp", "tls", host, port, sender=f"{who}@zoo.test", address=f"{who}@zoo.test", **more)


def real(z):
    """Postfix."""
    def at(name, service, how, cls, security="tls", who="alice@zoo.test", **more):
        checks = {k: more.pop(k) for k in ("notes", "reached", "says") if k in more}
        t = task("smtp", security, "postfix.zoo.test", z.postfix.ports[service], sender=who, address=who, **more)
        return Case("postfix-" + name, how, cls, t, **checks)
    return [
        at("good", "submissions", "Postfix 465", "", reached="login"),
        at("good-starttls", "submission", "Postfix 587", "", "starttls", reached="login"),
        at("no-tls", "submission", "Postfix 587, security none", "AUTH_NEEDS_TLS", "none"),
        at("mx", "mx", "Postfix 25 with STARTTLS", "AUTH_NOT_OFFERED", "starttls"),
        at("mx-clear", "mx", "Postfix 25, security none", ("AUTH_NOT_OFFERED", "AUTH_NEEDS_TLS"), "none"),
        at("tls-off", "notls", "Postfix without TLS", "STARTTLS_NOT_OFFERED", "starttls"),
        at("wrong-user", "submissions", "Postfix, no such user", "AUTH_REJECTED", username="nobody"),
        at("not-mine", "submissions", "Postfix, sender of another login (at RCPT)", "SENDER_REJECTED", who="bob@zoo.test"),
        at("ghost", "submissions", "Postfix, own address unknown", "RCPT_REJECTED", who="ghost@zoo.test"),
        at("grey", "greylist", "Postfix, 450 to RCPT", "", notes=("SEND_TEMP",)),
        at("norelay", "norelay", "Postfix, reject_unauth_destination", "RELAY_DENIED", who="alice@elsewhere.test"),
        at("helo", "helo", "Postfix refuses EHLO and HELO", "EHLO_REJECTED"),
        at("dead-auth", "deadauth", "Postfix, SASL backend is gone", ("CONN_DROPPED", "AUTH_TEMP")),
        at("crowd", "crowd", "Postfix, one connection allowed", "TOO_MANY_CONNECTIONS", "starttls"),
        at("lax", "lax", "Postfix, TLS 1.0 beside 1.3", "", notes=("OLD_TLS_OFFERED",)),
        at("old-tls", "old", "Postfix, TLS 1.0 and 1.1 only", "TLS_VERSION_TOO_OLD"),
    ]


def cases(z):
    rows = (("notmine", "MAIL 553 not owned", "SENDER_REJECTED", ()), ("outlook", "MAIL 550 5.7.60", "SENDER_REJECTED", ()),
            ("late", "RCPT 553 sender not owned", "SENDER_REJECTED", ()), ("nobody", "RCPT 550 5.1.1", "RCPT_REJECTED", ()),
            ("abroad", "RCPT 554 relay access denied", "RELAY_DENIED", ()), ("grey", "RCPT 450 greylisted", "", ("SEND_TEMP",)),
            ("busy", "MAIL 451", "", ("SEND_TEMP",)), ("fullbox", "RCPT 552 5.2.2", "", ("OVERQUOTA",)),
            ("loginfirst", "MAIL 530", "AUTH_REQUIRED", ()), ("bigone", "MAIL 552 5.3.4", "TOO_BIG", ()),
            ("blocked", "RCPT 554 without a word why", "SEND_REFUSED", ()), ("mute", "no answer to RCPT", "SENDER_NO_ANSWER", ()))
    port = z.serve(scripts.submission(), "good")
    out = [Case("sender-good", "scripted submission", "", sender("alice", HERE, port), reached="login"),
           Case("sender-good-dovecot", "Dovecot submission and its relay", "", sender("alice"), reached="login")]
    for who, how, cls, notes in rows:
        out.append(Case(f"sender-{who}", how, cls, sender(who, HERE, port), notes=notes, reached="login"))
    return out + (real(z) if z.postfix else [])
