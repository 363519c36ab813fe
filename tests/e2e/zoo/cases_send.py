"""The sender's dry run: nothing is sent."""

import scripts
from zoo import Case, task

HERE = "here.wild.zoo.test"


def sender(who, host="good.zoo.test", port=465, **more):
    return task("smtp", "tls", host, port, sender=f"{who}@zoo.test", address=f"{who}@zoo.test", **more)


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
    return out
