#!/usr/bin/env python3
"""Every outcome that mailmuster-probe knows, produced and diagnosed.

    MM_BIN=FOLDER python3 tests/e2e/zoo/test_zoo.py      (needs root, or user namespaces)

All cases go through one process at once; a table of them is printed at the end.
"""

import imaplib
import json
import os
import re
import socket
import ssl
import subprocess
import sys
import threading
import unittest

sys.path[:0] = [os.path.dirname(os.path.abspath(__file__))]

import world  # noqa: E402

if __name__ == "__main__":
    world.enter()

import cases_auth  # noqa: E402
import cases_between  # noqa: E402
import cases_net  # noqa: E402
import cases_send  # noqa: E402
import cases_tls  # noqa: E402
import harness  # noqa: E402
import imapd  # noqa: E402
import zoo  # noqa: E402
from imapd import PASSWORD  # noqa: E402

def penalised(z, impatient, patient):
    """Wrong passwords, until the server lets everybody wait; then two who log in."""
    for password in (b"no", b"nor this"):
        c = imaplib.IMAP4_SSL(z.address["strict"], 993, ssl_context=ssl._create_unverified_context())
        c.send(b'1 LOGIN alice "%s"\r\n' % password)
        c.readline()
        c.shutdown()
    other = threading.Thread(target=zoo.Run, args=(patient, z.ca, ()))
    other.start()
    zoo.Run(impatient, z.ca, ("--login-timeout", "4"))
    other.join()


def occupied(host):
    """The one connection that a user may have."""
    c = imaplib.IMAP4_SSL(host, 993, ssl_context=ssl._create_unverified_context())
    c.login("crowd", PASSWORD)
    return c


class Zoo(unittest.TestCase):
    """One method for each case is added when the run is over."""

    cases, run_ = (), None

    def test_run(self):
        self.assertEqual((self.run_.errors, self.run_.status, self.run_.stderr), ([], 0, ""))
        self.assertLess(self.run_.wall, 90)

    def test_every_outcome_has_a_case(self):
        """Or a reason why not."""
        have = {w for c in self.cases for w in got(c)}
        missing = outcomes() - have - set(ELSEWHERE)
        self.assertEqual(missing, set())
        self.assertEqual(set(ELSEWHERE) & have, set())
        for word, path in ELSEWHERE.items():
            with open(os.path.join(TESTS, path), encoding="utf-8") as f:
                self.assertIn(word, f.read())


    # of libraries, and the tag that libcurl gives an IMAP command
    JARGON = re.compile(r"No error|Login denied|Access denied\. -|nexpected \w+-server|OpenSSL|SSL_|errno|"
                        r"Weird|Too large|\b[A-Z]\d{3} (OK|NO|BAD)\b|^\.$")

    def test_words_are_for_people(self):
        for c in self.cases:
            a = c.answer
            texts = [a["text"], a["admin"], a.get("fix", ""), a.get("server_text", "")]
            texts += [s["text"] for s in a["steps"]] + [n["admin"] for n in a.get("notes", ())]
            for text in texts:
                self.assertFalse(self.JARGON.search(text), (c.name, text))

    def test_the_rung_that_failed(self):
        """A certificate that is refused behind STARTTLS is a matter of TLS: the greeting held."""
        steps = {s["rung"]: s["state"] for s in self.case("cert-wrongname-imap-starttls")["steps"]}
        self.assertEqual((steps["greeting"], steps["tls"], steps["login"]), ("held", "failed", "untested"))

    def test_server_words(self):
        """Told where they are about the outcome, and nowhere else."""
        for name, words in (("no-password", None), ("needs-tls-pop3", None), ("sender-mute", None),
                            ("starttls-no", "NO later"), ("greets-0-imap", "* BYE go away"),
                            ("ssh-imap-tls", "SSH-2.0-OpenSSH_9.2p1"), ("web-imap-tls", "HTTP/1.1 400 Bad Request")):
            self.assertEqual(self.case(name).get("server_text"), words, name)
        alerts = [n["text"] for n in self.case("alert-at-login")["notes"] if n["class"] == "SERVER_ALERT"]
        self.assertEqual(len(alerts), 1)
        self.assertNotIn("ALERT", alerts[0])
        self.assertNotIn("notes", self.case("says-9-imap"))  # the verdict says it

    def test_what_a_certificate_is_known_by(self):
        tls = self.case("good-imap-tls")["tls"]
        self.assertRegex(tls["fingerprint"], r"^[0-9a-f]{64}$")
        self.assertIn(self.case("cert-selfsigned-imap-tls")["tls"]["fingerprint"],
                      self.case("cert-selfsigned-imap-tls")["admin"])
        # what it says of the key is what libcurl holds a pin against
        self.assertEqual([tls["pin"]], [c.task["pin"] for c in self.cases if c.name == "pin-right"])
        self.assertIn(tls["pin"], self.case("pin-wrong")["admin"])

    def case(self, name):
        return next(c.answer for c in self.cases if c.name == name)


class ByHand(unittest.TestCase):
    """What a task in JSON cannot hold."""

    def ask(self, url):
        p = subprocess.run([harness.program(), "--json", "--level", "tls", url], env=harness.environment(), check=False,
                           capture_output=True, text=True, timeout=60)
        self.assertEqual(p.returncode, 2, p)
        return json.loads(p.stdout)

    def test_bad_host_syntax(self):
        for host in ("imap,zoo.test", "imap..zoo.test", "-imap.zoo.test", "im_ap!.zoo.test",
                     "im\N{LATIN SMALL LETTER A WITH DIAERESIS}p.zoo.test"):
            a = self.ask(f"imaps://{host}")
            self.assertIn(a["class"], ("BAD_HOST_SYNTAX",), (host, a))


TESTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
TRIP, SURVEY, UNIT = "e2e/probe/test_probe_trip.py", "e2e/probe/test_probe_survey.py", "unit/test_probe_diagnose.c"
# Outcomes that need more than one task, a realm, or a fault that no server can cause: where they are tested.
ELSEWHERE = {
    "BAD_HOST_SYNTAX": "e2e/zoo/test_zoo.py",
    "BAD_SETTINGS": "unit/test_probe_url.c",
    "AUTH_UNPROVEN": "e2e/adversary/test_lying_servers.py",
    "REFUSED_ELSEWHERE": "e2e/probe/test_probe_once.py",
    "KRB_NO_ANSWER": "e2e/probe/test_probe_kdc.py",
    "KRB_FAILED": "e2e/probe/test_probe_auth.py",
    "LOCAL_TROUBLE": UNIT,
    "MECH_DIFFERS": UNIT,
    "OCSP_INVALID": SURVEY,
    "OCSP_REVOKED": SURVEY,
    "ROUNDTRIP_NOT_TESTED": TRIP,
    "TRIP_BOUNCED": TRIP,
    "TRIP_JUNK": TRIP,
    "TRIP_LEFT_OVER": TRIP,
    "TRIP_NOT_SEEN": TRIP,
    "TRIP_REFUSED": TRIP,
}


def outcomes():
    """Every word of the product's own table."""
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../agent/probe/classes.c")
    with open(path, encoding="utf-8") as f:
        rows = [line.partition('= {"') for line in f if line.lstrip().startswith("[MM_CLS_")]
    return {rest.partition('"')[0] for _, _, rest in rows} - {""}


def once_more(cases, ca):
    """Where time ran out on a busy machine. What passed and should not have stands as it is."""
    again = [c for c in cases if zoo.complaints(c) and
             not (c.answer and c.answer["result"] == "passed" and "" not in c.words())]
    if not 0 < len(again) <= 8:
        return
    for c in again:
        print(f"once more: {c.name}: {zoo.complaints(c)}")
        c.answer = None
    zoo.Run(again, ca)


def got(case):
    return {case.answer["class"], *(n["class"] for n in case.answer.get("notes", ()))} if case.answer else set()


def by_outcome(cases):
    """Which cases produce an outcome, or which test does elsewhere."""
    rows = []
    for word in sorted(outcomes()):
        names = [c.name for c in cases if word in got(c)]
        where = f"{len(names):3}  " + ", ".join(names[:4]) + (", ..." if len(names) > 4 else "")
        rows.append(f"{word:22}" + (where if names else "     tests/" + ELSEWHERE.get(word, "?")))
    return "\n".join(["", "outcome               cases that produce it, or the test elsewhere", *rows, ""])


def add(case):
    def test(self):
        wrong = zoo.complaints(case)
        self.assertEqual(wrong, [], case.answer)
    setattr(Zoo, "test_case_" + case.name.replace("-", "_").replace(".", "_"), test)


def main():
    harness.BIN[0] = os.path.abspath(harness.BIN[0])
    if not os.access(harness.program(), os.X_OK):
        sys.exit("no mailmuster-probe in MM_BIN")
    z = world.World()
    try:
        slow = cases_auth.penalty()
        waits = threading.Thread(target=penalised, args=(z, *slow))
        waits.start()
        cases = [*cases_net.cases(z), *cases_tls.cases(z), *cases_auth.cases(z), *cases_send.cases(z),
                 *cases_between.cases(z)]
        held = occupied(z.address["crowd"])
        other = socket.create_connection(("127.0.0.1", z.postfix.ports["crowd"])) if z.postfix else None
        Zoo.run_ = zoo.Run(cases, z.ca)
        waits.join()
        once_more(cases, z.ca)
        z.over("/etc/ssl/openssl.cnf", imapd.OPENSSL.format(highest="TLSv1.3"))
        weak = cases_tls.lax()
        zoo.Run(weak, z.ca)
        held.shutdown()
        if other:
            other.close()
        Zoo.cases = cases = cases + slow[0] + slow[1] + weak
        if os.environ.get("MM_ZOO_LOG"):
            print(z.dovecot.log(), *(d.log() for d in z.others))
    finally:
        z.stop()
    for c in cases:
        add(c)
    done = unittest.main(module=Zoo.__module__, exit=False, warnings="ignore").result.wasSuccessful()
    print(zoo.table(cases))
    print(by_outcome(cases))
    print(Zoo.run_.stderr, end="")
    print(f"{len(cases)} cases in {Zoo.run_.wall:.1f} s, {Zoo.run_.cpu:.2f} s CPU, {Zoo.run_.kib / 1024:.0f} MiB; "
          f"{len({w for c in cases for w in got(c)} - {''})} of {len(outcomes())} outcomes")
    sys.exit(0 if done else 1)


if __name__ == "__main__":
    main()
