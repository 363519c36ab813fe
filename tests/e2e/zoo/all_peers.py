#!/usr/bin/env python3
"""Where other testers say OK and should not: they and mailmuster-probe side by side.

    MM_BIN=FOLDER python3 tests/e2e/zoo/all_peers.py       (as `tests/run --all` does)

That the other one says OK is part of the test: otherwise the case would prove nothing.
"""

import os
import sys
import unittest

sys.path[:0] = [os.path.dirname(os.path.abspath(__file__))]

import world  # noqa: E402

if __name__ == "__main__":
    world.enter()

import harness  # noqa: E402
import scripts  # noqa: E402
import zoo  # noqa: E402
from zoo import Case, task  # noqa: E402

HERE = "here.wild.zoo.test"
WRONG = "not the password"
PLUGINS = "/usr/lib/nagios/plugins/"


def curl(z, url, *more, user=f"alice:{WRONG}"):
    return ["curl", "-sS", "--max-time", "20", "--cacert", z.ca, *(["-u", user] if user else []), *more, url, "-X", "NOOP"]


def swaks(host, port, *more):
    return ["swaks", "--server", f"{host}:{port}", "--auth", "PLAIN", "--auth-user", "alice", "--auth-password", zoo.PASSWORD,
            "--to", "alice@zoo.test", "--timeout", "15", *more]


def pairs(z):
    """(case for the probe, command line of the other)"""
    plain, ehlo = z.serve(scripts.submission(offers=())), z.serve(scripts.before_ehlo, "good")
    preauth = z.serve(scripts.imap_words(greeting="* PREAUTH hi"), "good")
    letters = z.serve(scripts.submission(offers=("auth plain login",), auth="535 5.7.8 no"), "good")
    stripped = z.serve(scripts.submission())
    after_tls = z.serve(scripts.submission(offers=("STARTTLS",)))
    ask = {"secret": WRONG}
    self_signed, wrong_name = (z.address[n] for n in ("selfsigned", "wrongname"))
    return (
        (Case("curl-port-25-without-auth", "", "AUTH_NOT_OFFERED", task("smtp", "none", HERE, plain), **ask),
         curl(z, f"smtp://{HERE}:{plain}")),
        (Case("curl-587-without-tls", "", "AUTH_NEEDS_TLS", task("smtp", "none", HERE, after_tls), **ask),
         curl(z, f"smtp://{HERE}:{after_tls}")),
        (Case("curl-helo-fallback", "", "AUTH_NOT_OFFERED", task("smtp", "tls", HERE, ehlo), **ask),
         curl(z, f"smtps://{HERE}:{ehlo}")),
        (Case("curl-preauth", "", "PREAUTH_NOT_A_TEST", task("imap", "tls", HERE, preauth), **ask),
         curl(z, f"imaps://{HERE}:{preauth}")),
        (Case("curl-no-user", "", "NO_USERNAME", task("imap", "tls", "good.zoo.test", 993, username=None), **ask),
         curl(z, "imaps://good.zoo.test:993", user=None)),
        (Case("curl-small-letters", "", ("LIBRARY_LIMIT", "AUTH_REJECTED"), task("smtp", "tls", HERE, letters), **ask),
         curl(z, f"smtps://{HERE}:{letters}")),
        (Case("curl-starttls-stripped", "password in clear", "STARTTLS_NOT_OFFERED", task("smtp", "starttls", HERE, stripped)),
         curl(z, f"smtp://{HERE}:{stripped}", "--ssl", "--sasl-ir", user=f"alice:{zoo.PASSWORD}")),
        (Case("check_imap-self-signed", "", "CERT_SELF_SIGNED", task("imap", "tls", "selfsigned.zoo.test", 993)),
         [PLUGINS + "check_imap", "-H", self_signed, "-p", "993", "-S"]),
        (Case("check_imap-wrong-name", "", "CERT_NAME_MISMATCH", task("imap", "tls", "wrongname.zoo.test", 993)),
         [PLUGINS + "check_imap", "-H", wrong_name, "-p", "993", "-S"]),
        (Case("check_pop-self-signed", "", "CERT_SELF_SIGNED", task("pop3", "tls", "selfsigned.zoo.test", 995)),
         [PLUGINS + "check_pop", "-H", self_signed, "-p", "995", "-S"]),
        (Case("check_smtp-self-signed", "", "CERT_SELF_SIGNED", task("smtp", "starttls", "selfsigned.zoo.test", 587)),
         [PLUGINS + "check_smtp", "-H", self_signed, "-p", "587", "-S", "-A", "LOGIN", "-U", "alice", "-P", zoo.PASSWORD]),
        (Case("check_smtp-without-login", "no AUTH, no STARTTLS", "AUTH_NOT_OFFERED", task("smtp", "none", HERE, plain)),
         [PLUGINS + "check_smtp", "-H", world.SCRIPTED, "-p", str(plain)]),
        (Case("swaks-self-signed", "", "CERT_SELF_SIGNED", task("smtp", "starttls", "selfsigned.zoo.test", 587)),
         swaks(self_signed, 587, "--tls", "--quit-after", "AUTH")),
        (Case("swaks-wrong-name", "", "CERT_NAME_MISMATCH", task("smtp", "tls", "wrongname.zoo.test", 465)),
         swaks(wrong_name, 465, "--tls-on-connect", "--quit-after", "AUTH")),
        (Case("swaks-starttls-stripped", "password in clear", "STARTTLS_NOT_OFFERED", task("smtp", "starttls", HERE, stripped)),
         swaks(world.SCRIPTED, stripped, "--tls-optional", "--quit-after", "AUTH")),
        (Case("swaks-auth-optional", "wrong password, no AUTH", "AUTH_NOT_OFFERED", task("smtp", "none", HERE, plain)),
         swaks(world.SCRIPTED, plain, "--auth-optional", "--quit-after", "EHLO")),
    )


class SaysOkAndShouldNot(unittest.TestCase):
    """One method for each pair is added when the run is over."""


def add(case, rc, last):
    def test(self):
        self.assertEqual(rc, 0, f"the other tester no longer says OK: {last}")
        self.assertNotEqual(case.answer["result"], "passed")
        self.assertEqual(zoo.complaints(case), [], case.answer)
    setattr(SaysOkAndShouldNot, "test_" + case.name.replace("-", "_"), test)


def main():
    harness.BIN[0] = os.path.abspath(harness.BIN[0])
    z = world.World()
    try:
        both = pairs(z)
        zoo.Run([c for c, _ in both], z.ca)
        said = [(c, argv, *zoo.peer(*argv)) for c, argv in both]
    finally:
        z.stop()
    for c, _, rc, last in said:
        add(c, rc, last)
    done = unittest.main(exit=False, warnings="ignore").result.wasSuccessful()
    for c, argv, rc, last in said:
        print(f"{c.name:<26} {os.path.basename(argv[0])} says {rc} ({last[:44]:<44}) mailmuster-probe: "
              f"{c.answer['result']} {c.answer['class']}")
    sys.exit(0 if done else 1)


if __name__ == "__main__":
    main()
