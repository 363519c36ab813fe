#!/usr/bin/env python3
"""Exim, Courier, Cyrus and Postfix, unpacked side by side, and what mailmuster-probe says of them.

    MM_BIN=FOLDER python3 tests/e2e/zoo/all_servers.py      (as `tests/run --all` does; root and network)
"""

import os
import socket
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "..", "lib")]

import sidebyside  # noqa: E402
import strangers  # noqa: E402
import world  # noqa: E402

if __name__ == "__main__":
    if not sidebyside.usable():
        sys.exit("needs root: other people's servers are laid over /usr in a mount namespace")
    if not os.environ.get(world.MARK):
        os.environ["MM_ZOO_DEBS"] = ":".join(map(str, sidebyside.fetch(*strangers.PACKAGES)))
    world.enter()

import cases_send  # noqa: E402
import harness  # noqa: E402
import scripts  # noqa: E402
import zoo  # noqa: E402
from zoo import Case, task  # noqa: E402


def exim():
    def at(name, how, cls, security="tls", port=465, **more):
        checks = {k: more.pop(k) for k in ("secret", "reached", "notes") if k in more}
        who = more.pop("who", "alice@zoo.test")
        return Case("exim-" + name, "Exim, " + how, cls,
                    task("smtp", security, "exim.zoo.test", port, sender=who, address=who, **more), more_notes=True, **checks)
    return [
        at("good", "465", "", reached="login"), at("good-starttls", "587", "", "starttls", 587, reached="login"),
        at("wrong", "a wrong password", "AUTH_REJECTED", secret="not this"),
        at("no-tls", "587, security none", "AUTH_NEEDS_TLS", "none", 587),
        at("mech", "PLAIN alone, login wanted", "AUTH_MECH_NOT_OFFERED", auth="login"),
        at("sender", "sender of somebody else", "SENDER_REJECTED", who="bob@zoo.test"),
        at("relay", "relay not permitted", "RELAY_DENIED", who="alice@elsewhere.test"),
        at("mixed", "465, starttls", "PLAIN_TO_TLS_PORT", "starttls"),
        at("mixed-up", "587, tls", "TLS_TO_PLAIN_PORT", "tls", 587),
    ]


def mail(server, kinds):
    out = []
    for p, s, port in kinds:
        out.append(Case(f"{server}-good-{p}-{s}", f"{server} {p} {port}", "", task(p, s, f"{server}.zoo.test", port),
                        reached="login", more_notes=True))
        out.append(Case(f"{server}-wrong-{p}-{s}", f"{server} {p}, a wrong password", "AUTH_REJECTED",
                        task(p, s, f"{server}.zoo.test", port), secret=f"not this: {p} {s}", reached="tls"))
    return out


def cases(z):
    kinds = (("imap", "tls", 993), ("imap", "starttls", 143), ("pop3", "tls", 995), ("pop3", "starttls", 110))
    return exim() + mail("courier", kinds) + mail("cyrus", kinds) + [
        Case("courier-clear", "Courier takes logins in clear", "", task("imap", "none", "courier.zoo.test", 143), reached="login",
             more_notes=True),
        Case("courier-mailbox", "Courier, no mailbox: BYE after the password", ("AUTH_CONN_DROPPED", "MAILBOX_UNUSABLE"),
             task("imap", "tls", "courier.zoo.test", 993, username="moved")),
        Case("courier-plain", "Courier POP3 has no SASL PLAIN", "AUTH_MECH_NOT_OFFERED",
             task("pop3", "tls", "courier.zoo.test", 995, auth="plain")),
        Case("courier-crowd", "Courier, too many of one address: closes without a word",
             ("CONN_DROPPED", "TOO_MANY_CONNECTIONS"), task("imap", "starttls", "courier.zoo.test", 1143)),
        Case("cyrus-cram", "Cyrus, CRAM-MD5", "", task("imap", "tls", "cyrus.zoo.test", 993, auth="cram-md5"), reached="login",
             more_notes=True),
        Case("cyrus-no-tls", "Cyrus, security none", "AUTH_NEEDS_TLS", task("imap", "none", "cyrus.zoo.test", 143)),
        # a byte a second for as long as a talk may last
        Case("drip-lines", "lines without end, one each second", ("SERVER_SLOW", "PROTOCOL_ERROR", "NO_GREETING", "AUTH_SLOW"),
             task("imap", "tls", "here.wild.zoo.test", z.serve(scripts.drips(b"* OK\r\n" * 40, 0.5), "good"))),
        *(cases_send.real(z) if z.postfix else []),
    ]


class Servers(unittest.TestCase):
    """One method for each case is added when the run is over."""

    run_ = None

    def test_run(self):
        self.assertEqual((self.run_.errors, self.run_.status, self.run_.stderr), ([], 0, ""))


def add(case):
    def test(self):
        self.assertEqual(zoo.complaints(case), [], case.answer)
    setattr(Servers, "test_case_" + case.name.replace("-", "_"), test)


def main():
    harness.BIN[0] = os.path.abspath(harness.BIN[0])
    sidebyside.lay(os.environ["MM_ZOO_DEBS"].split(":") if os.environ["MM_ZOO_DEBS"] else [], world.scratch(), strangers.USERS)
    z = world.World()
    try:
        others = strangers.Strangers(z)
        for name, port in (("exim", 587), ("courier", 143), ("courier", 110), ("cyrus", 143), ("cyrus", 110)):
            world.wait_for(strangers.ADDRESS[name], port)
        held = [socket.create_connection((strangers.ADDRESS["courier"], 1143))]
        if z.postfix:
            held.append(socket.create_connection(("127.0.0.1", z.postfix.ports["crowd"])))
        everything = cases(z)
        Servers.run_ = zoo.Run(everything, z.ca, ("--connect-timeout", "5", "--answer-timeout", "8", "--login-timeout", "15"))
        for s in held:
            s.close()
        others.stop()
    finally:
        z.stop()
    for c in everything:
        add(c)
    done = unittest.main(exit=False, warnings="ignore").result.wasSuccessful()
    print(zoo.table(everything))
    sys.exit(0 if done else 1)


if __name__ == "__main__":
    main()
