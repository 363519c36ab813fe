"""Servers whose words are no proof: an answer before the question, or to another one, or several at once.

Run with --bin FOLDER or MM_BIN.
"""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "probe"))
import harness  # noqa: E402
import scripted  # noqa: E402
from harness import Base, task  # noqa: E402

CAPABILITY = "* CAPABILITY IMAP4rev1 AUTH=PLAIN"
SECRET = "geheim-4711-nirgends"


def imap(authenticate):
    """authenticate(talk, tag) answers AUTHENTICATE; after it everything is OK."""
    def script(t):
        t.say("* OK ready")
        while True:
            tag, _, rest = t.line().partition(" ")
            verb = rest.split(" ")[0].upper()
            if verb == "CAPABILITY":
                t.say(CAPABILITY, tag + " OK")
            elif verb == "AUTHENTICATE":
                authenticate(t, tag)
            else:
                t.say(tag + " OK")
    return script


def hears_the_password(*lines):
    def step(t, tag):
        t.say("+ ")
        t.line()
        t.say(*[line.replace("TAG", tag) for line in lines])
    return step


def never_asks(t, tag):
    t.say(tag + " OK no password is needed")


def asks_without_end(t, tag):
    while True:
        t.say("+ ")
        t.line()


def smtp(*replies):
    """The EHLO's reply and all lines that follow it unasked, then one list of lines for each line heard."""
    def script(t):
        t.say("220 ready")
        for r in replies:
            t.line()
            t.say(*r)
        t.wait()
    return script


def pop3_all_at_once(t):
    t.say("+OK ready", "-ERR no CAPA", "+OK user", "+OK logged in", "+OK 0 0")
    t.wait()


def pop3_logged_in_by_name(t):
    t.say("+OK ready")
    while True:
        verb = t.line().split(" ")[0].upper()
        t.say(*{"CAPA": ["-ERR"], "USER": ["+OK", "+OK logged in"], "PASS": ["-ERR [AUTH] no"]}.get(verb, ["+OK 0 0"]))


OFFER = ["250-localhost", "250 AUTH PLAIN"]
NO = ["535 5.7.8 no"]
CASES = (
    ("imap", "all tags in advance", lambda t: (t.say("* OK ready", *[f"A{n:03} OK" for n in range(1, 9)]), t.wait())),
    ("imap", "never asks for the password", imap(never_asks)),
    ("imap", "the tag of another command", imap(hears_the_password("A999 OK logged in"))),
    ("imap", "untagged, then the truth",
     imap(hears_the_password("* OK logged in", "* TAG OK", "TAG NO [AUTHENTICATIONFAILED] no"))),
    ("imap", "a word that begins like OK", imap(hears_the_password("TAG OKAY"))),
    ("imap", "challenges without end", imap(asks_without_end)),
    ("pop3", "all answers in advance", pop3_all_at_once),
    ("pop3", "logged in before the password", pop3_logged_in_by_name),
    ("smtp", "235 before AUTH, 535 to it", smtp(OFFER + ["235 2.7.0 yes"], NO)),
    ("smtp", "535 and 235 in one reply", smtp(OFFER, ["535-5.7.8 no", "235 2.7.0 yes"])),
    ("smtp", "235 and 535 in one reply", smtp(OFFER, ["235-2.7.0 yes", "535 5.7.8 no"])),
    ("smtp", "challenges without end", smtp(OFFER, *[["334 "]] * 50)),
    ("smtp", "235 where the password is still to come", smtp(["250-x", "250 AUTH LOGIN"], ["235 yes"], NO)),
    ("smtp", "a number of four digits", smtp(OFFER, ["2350 yes"])),
    ("smtp", "another success", smtp(OFFER, ["250 ok"])),
)


class Lies(Base):
    def test_no_proof(self):
        options = ("--connect-timeout", "3", "--answer-timeout", "3", "--login-timeout", "3")
        tasks = [task(i, protocol, "none", self.serve(script), host="127.0.0.1")
                 for i, (protocol, _, script) in enumerate(CASES)]
        answers = self.ask(tasks, (SECRET.encode(),), options)
        for i, (protocol, name, _) in enumerate(CASES):
            with self.subTest(protocol=protocol, name=name):
                self.assertEqual((answers[i]["result"], answers[i]["reached"]), ("failed", "reach"), answers[i])
        self.assertNotIn(SECRET, self.output)

    def test_early_behind_tls(self):
        port = self.serve(smtp(OFFER + ["235 2.7.0 yes"], NO), "good")
        self.fails("PROTOCOL_ERROR", "smtp", "tls", port, reached="tls")

    def test_honest_ones_are_believed(self):
        """A reply at once, in one packet, of several lines."""
        for script in (smtp(OFFER, ["235-2.7.0 yes", "235 2.7.0 welcome"]), smtp(OFFER, ["235"])):
            for _ in range(20):
                self.expect(self.one("smtp", "none", self.serve(script), host="127.0.0.1"), "passed", "", "login")


if __name__ == "__main__":
    harness.main(__name__)
