"""Servers whose words are no proof: an answer before the question, or to another one, or several at once.

Run with --bin FOLDER or MM_BIN.
"""

import pathlib
import sys
import time
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


def bye_among_capabilities(t):
    t.say("* OK ready")
    tag = t.line().split(" ")[0]
    t.say(CAPABILITY, "* BYE no more today", tag + " OK")
    while True:
        tag = t.line().split(" ")[0]
        t.say(tag + " OK")


def mailbox(*lines):
    """Lets everybody in, and answers EXAMINE with these; None closes."""
    def script(t):
        t.say("* OK ready")
        while True:
            tag, _, rest = t.line().partition(" ")
            verb = rest.split(" ")[0].upper()
            if verb == "CAPABILITY":
                t.say(CAPABILITY, tag + " OK")
            elif verb == "AUTHENTICATE":
                hears_the_password("TAG OK in")(t, tag)
            elif verb == "EXAMINE":
                t.say(*[line.replace("TAG", tag) for line in lines if line is not None])
                if None in lines:
                    return
            else:
                t.say(tag + " OK")
    return script


def pop3_says(**replies):
    """As every server does, but for these commands."""
    usual = {"CAPA": ["-ERR"], "USER": ["+OK"], "PASS": ["+OK in"], "STAT": ["+OK 0 0"]}

    def script(t):
        t.say("+OK ready")
        while True:
            t.say(*{**usual, **replies}.get(t.line().split(" ")[0].upper(), ["-ERR"]))
    return script


def submission(*login, **replies):
    """As every server does, but for these commands; an empty list closes."""
    usual = {"EHLO": OFFER, "AUTH": list(login) or ["235 in"]}

    def script(t):
        t.say("220 ready")
        while True:
            reply = {**usual, **replies}.get(t.line().split(" ")[0].upper(), ["250 ok"])
            if not reply:
                return
            t.say(*reply)
    return script


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
    ("imap", "BYE and then OK", imap(hears_the_password("* BYE shutting down", "TAG OK logged in"))),
    ("imap", "NO and then OK", imap(hears_the_password("TAG NO [AUTHENTICATIONFAILED] no", "TAG OK logged in"))),
    ("imap", "PREAUTH in the middle", imap(hears_the_password("* PREAUTH logged in", "TAG NO no"))),
    ("imap", "OK inside of a literal",
     imap(hears_the_password("* LIST () \"/\" {15}", "TAG OK logged in", "", "TAG NO [AUTHENTICATIONFAILED] no"))),
    ("imap", "BYE in the list of capabilities", bye_among_capabilities),
    ("imap", "NO and OK in one line, but for a bare LF", imap(hears_the_password("TAG NO no\nTAG OK logged in"))),
    ("imap", "a NUL behind the tag", imap(hears_the_password("TAG\0 OK logged in", "TAG NO no"))),
    ("imap", "a tab behind the tag", imap(hears_the_password("TAG\tOK logged in", "TAG NO no"))),
    ("imap", "no blank behind the tag", imap(hears_the_password("TAGOK logged in", "TAG NO no"))),
    ("imap", "two blanks behind the tag", imap(hears_the_password("TAG  OK logged in"))),
    ("imap", "a line of 70,000 bytes", imap(hears_the_password("* " + "OK " * 23333, "TAG NO no"))),
    ("pop3", "all answers in advance", pop3_all_at_once),
    ("pop3", "logged in before the password", pop3_logged_in_by_name),
    ("pop3", "a word that begins like +OK", pop3_says(**{"PASS": ["+OKAY no"]})),
    ("pop3", "no, and then yes", pop3_says(**{"PASS": ["-ERR [AUTH] no", "+OK in"]})),
    ("pop3", "in small letters", pop3_says(**{"PASS": ["+ok in"]})),
    ("pop3", "no and yes with a bare LF", pop3_says(**{"PASS": ["-ERR no\n+OK in"]})),
    ("smtp", "235 before AUTH, 535 to it", smtp(OFFER + ["235 2.7.0 yes"], NO)),
    ("smtp", "535 and 235 in one reply", smtp(OFFER, ["535-5.7.8 no", "235 2.7.0 yes"])),
    ("smtp", "235 and 535 in one reply", smtp(OFFER, ["235-2.7.0 yes", "535 5.7.8 no"])),
    ("smtp", "challenges without end", smtp(OFFER, *[["334 "]] * 50)),
    ("smtp", "235 where the password is still to come", smtp(["250-x", "250 AUTH LOGIN"], ["235 yes"], NO)),
    ("smtp", "a number of four digits", smtp(OFFER, ["2350 yes"])),
    ("smtp", "another success", smtp(OFFER, ["250 ok"])),
    ("smtp", "535 and then 235", smtp(OFFER, ["535 5.7.8 no", "235 2.7.0 yes"])),
    ("smtp", "454 and then 235", smtp(OFFER, ["454 4.7.0 later", "235 2.7.0 yes"])),
    ("smtp", "an answer without its last line", smtp(OFFER, ["235-2.7.0 yes"])),
    ("smtp", "535 and 235 with a bare LF", smtp(OFFER, ["535 5.7.8 no\n235 2.7.0 yes"])),
    ("smtp", "a letter behind the number", smtp(OFFER, ["235x yes"])),
    ("smtp", "a blank before the number", smtp(OFFER, [" 235 yes"])),
    ("smtp", "235 in a challenge", smtp(OFFER, ["334 235 yes"], NO)),
    ("smtp", "a NUL behind the number", smtp(OFFER, ["235\0 yes"])),
    ("smtp", "251", smtp(OFFER, ["251 2.7.0 yes"])),
)

# Logged in, and then it lies: nothing of it opens a mailbox, or takes mail from the user.
EXISTS = "* 3 EXISTS"
BEHIND = (
    ("imap", "BYE and then OK", "MAILBOX_NO_ANSWER", mailbox("* BYE going down", EXISTS, "TAG OK opened")),
    ("imap", "OK in front of BYE", "MAILBOX_NO_ANSWER", mailbox(EXISTS, "* BYE going down", "TAG OK opened")),
    ("imap", "BYE and no more", "MAILBOX_NO_ANSWER", mailbox("* BYE [ALERT] the folder is gone", None)),
    ("imap", "OK, and no mailbox", "MAILBOX_NO_ANSWER", mailbox("TAG OK opened")),
    ("imap", "the tag of the login", "MAILBOX_NO_ANSWER", mailbox("A002 OK logged in", EXISTS, "TAG OK opened")),
    ("imap", "an untagged OK, and NO", "MAILBOX_UNUSABLE", mailbox(EXISTS, "* OK opened", "TAG NO no")),
    ("imap", "OK inside of a literal", "MAILBOX_UNUSABLE",
     mailbox(EXISTS, "* LIST () \"/\" {15}", "TAG OK opened..", "", "TAG NO no")),
    ("imap", "the OK of another command", "MAILBOX_NO_ANSWER", mailbox(EXISTS, "M9 OK opened")),
    ("pop3", "STAT without a number", "MAILBOX_NO_ANSWER", pop3_says(STAT=["+OK in"])),
    ("pop3", "STAT of words", "MAILBOX_NO_ANSWER", pop3_says(STAT=["+OK lots of mail"])),
    ("pop3", "STAT refused", "MAILBOX_UNUSABLE", pop3_says(STAT=["-ERR no mailbox"], NOOP=["+OK"])),
    ("pop3", "STAT refused by the system", "MAILBOX_UNUSABLE", pop3_says(STAT=["-ERR [SYS/PERM] no mailbox"])),
    ("smtp", "MAIL and RCPT in advance", "SENDER_REJECTED",
     submission("235 in", "250 mail", "250 rcpt", MAIL=["550 not you"], RCPT=["550 not you"])),
    ("smtp", "MAIL and RCPT at once", "PROTOCOL_ERROR", submission("235 in", MAIL=["250 mail", "250 rcpt"])),
    ("smtp", "550 and 250 in one reply", "PROTOCOL_ERROR", submission(RCPT=["550-5.1.1 unknown", "250 ok"])),
    ("smtp", "354 to RCPT", "PROTOCOL_ERROR", submission(RCPT=["354 go on"])),
    ("smtp", "words to RCPT", "PROTOCOL_ERROR", submission(RCPT=["yes"])),
    ("smtp", "refused at RCPT only", "SENDER_REJECTED", submission(RCPT=["553 5.7.1 sender address rejected: not owned"])),
    ("smtp", "refused for good with a 4", "RELAY_DENIED", submission(RCPT=["454 4.7.1 relay access denied"])),
    ("smtp", "goes at RCPT", "SENDER_NO_ANSWER", submission(RCPT=[])),
)


def one_too_many(*said, **replies):
    """USER is answered twice, the second time when the password is on its way; then PASS is, in its time."""
    def script(t):
        t.say("+OK ready")
        while True:
            verb = t.line().split(" ")[0].upper()
            if verb == "PASS":
                t.say("+OK logged in")
                time.sleep(0.5)
                t.say(*said)
            else:
                usual = {"CAPA": ["-ERR"], "USER": ["+OK"], "STAT": ["-ERR not now"]}
                t.say(*{**usual, **replies}.get(verb, ["-ERR what"]))
    return script


DOUBTS = (
    ("refused, and STAT as well", one_too_many("-ERR [AUTH] no")),
    ("refused, and everything is +OK", one_too_many("-ERR [AUTH] no", STAT=["+OK 0 0"], NOOP=["+OK"], QUIT=["+OK"])),
    ("two answers at once", pop3_says(PASS=["+OK in", "-ERR [AUTH] no"], STAT=["-ERR log in first"])),
    ("STAT answered before it is asked", pop3_says(PASS=["+OK in", "+OK 0 0"], STAT=["-ERR no mailbox"])),
    ("STAT refused, and NOOP", pop3_says(STAT=["-ERR log in first"], NOOP=["-ERR log in first"])),
    ("STAT refused, and silence", pop3_says(STAT=["-ERR log in first"], NOOP=[])),
)


class Lies(Base):
    def test_no_proof(self):
        options = ("--connect-timeout", "3", "--answer-timeout", "3", "--login-timeout", "3")
        tasks = [task(i, protocol, "none", self.serve(script), host="127.0.0.1", username=f"user{i}")
                 for i, (protocol, _, script) in enumerate(CASES)]
        answers = self.ask(tasks, (SECRET.encode(),), options)
        for i, (protocol, name, _) in enumerate(CASES):
            with self.subTest(protocol=protocol, name=name):
                self.assertEqual((answers[i]["result"], answers[i]["reached"]), ("failed", "reach"), answers[i])
        self.assertNotIn(SECRET, self.output)

    def test_leave_taken_without_a_login(self):
        """Also where no login is asked for."""
        answer = self.one("imap", "none", self.serve(bye_among_capabilities), host="127.0.0.1", level="tls")
        self.assertEqual((answer["result"], answer["class"]), ("failed", "SERVER_REFUSES"), answer)
        self.assertIn("* BYE no more today", answer["admin"])

    def test_behind_the_login(self):
        options = ("--connect-timeout", "3", "--answer-timeout", "3", "--login-timeout", "3")
        tasks = [task(i, protocol, "none", self.serve(script), host="127.0.0.1", sender="alice@acme.example",
                      username=f"user{i}")
                 for i, (protocol, _, _, script) in enumerate(BEHIND)]
        answers = self.ask(tasks, (SECRET.encode(),), options)
        for i, (protocol, name, cls, _) in enumerate(BEHIND):
            with self.subTest(protocol=protocol, name=name):
                a = answers[i]
                self.assertEqual((a["result"], a["class"], a["reached"]), ("failed", cls, "login"), a)
        self.assertNotIn(SECRET, self.output)
        self.assertIn("* BYE going down", answers[0]["admin"])
        self.assertIn("* BYE [ALERT] the folder is gone", answers[2]["admin"])

    def test_a_login_that_need_not_have_been_one(self):
        """POP3 numbers nothing: the +OK to the password may have been one too many, and the truth comes later."""
        options = ("--connect-timeout", "3", "--answer-timeout", "3", "--login-timeout", "3")
        tasks = [task(i, "pop3", "none", self.serve(script), host="127.0.0.1", username=f"user{i}")
                 for i, (_, script) in enumerate(DOUBTS)]
        answers = self.ask(tasks, (SECRET.encode(),), options)
        for i, (name, _) in enumerate(DOUBTS):
            with self.subTest(name=name):
                a = answers[i]
                self.assertEqual((a["result"], a["class"], a["reached"]), ("failed", "AUTH_UNPROVEN", "reach"), a)
                self.assertNotIn("works but", a["text"])
                self.assertEqual({s["rung"]: s["state"] for s in a["steps"]}["login"], "failed")
                self.assertIn("may have been refused", a["admin"])

    def test_early_behind_tls(self):
        port = self.serve(smtp(OFFER + ["235 2.7.0 yes"], NO), "good")
        a = self.fails("PROTOCOL_ERROR", "smtp", "tls", port, reached="tls")
        self.assertIn("does not keep to SMTP: its answer to the login was there before the login. It said: 235 2.7.0 yes.",
                      a["admin"])

    def test_what_was_broken_is_said(self):
        """In words for people, with the line, cut and printable."""
        junk = "\x01\x1b[31m" + "x" * 600
        for script, words, line in ((smtp(OFFER, ["535-5.7.8 no", "235 yes"]), "contradict each other", "535-5.7.8 no 235 yes"),
                                    (smtp(["250-localhost\x07", "250 AUTH PLAIN"], ["235 yes"], ["354 " + junk]),
                                     "no answer to the sender's dry run", "354 \\x01\\x1b[31mxxx")):
            a = self.one("smtp", "none", self.serve(script), host="127.0.0.1", sender="alice@acme.example")
            self.assertEqual(a["class"], "PROTOCOL_ERROR", a)
            self.assertIn(words, a["admin"])
            self.assertIn(line, a["admin"])
            self.assertLess(len(a["admin"]), 400)
            self.assertNotIn("\x1b", a["admin"])

    def test_honest_ones_are_believed(self):
        """A reply at once, in one packet, of several lines."""
        for script in (smtp(OFFER, ["235-2.7.0 yes", "235 2.7.0 welcome"]), smtp(OFFER, ["235"])):
            for _ in range(20):
                self.expect(self.one("smtp", "none", self.serve(script), host="127.0.0.1"), "passed", "", "login")


if __name__ == "__main__":
    harness.main(__name__)
