#!/usr/bin/env python3
"""mailmuster-probe as a person uses it: addresses on the command line, a ladder in the terminal.

    python3 tests/e2e/probe/test_probe_hand.py --bin FOLDER     (or MM_BIN=FOLDER)
"""

import base64
import fcntl
import json
import os
import pty
import re
import select
import shlex
import socket
import struct
import subprocess
import sys
import tempfile
import termios
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import harness  # noqa: E402
import scripted  # noqa: E402
from harness import ALICE, Base, environment, program  # noqa: E402

ESCAPE = re.compile(r"\x1b\[[0-9;]*[a-zA-Z]")


class Hand(Base):
    def url(self, name, user="alice@", host="localhost"):
        return f"{name}://{user}{host}:{self.dovecot.ports[name]}"

    def run_hand(self, *argv, password=None):
        r, w = os.pipe()
        os.write(w, (password or ALICE).encode() + b"\n")
        os.close(w)
        proc = subprocess.run([program(), "--ca-file", self.ca, "--password-fd", str(r), *argv], env=environment(),
                              pass_fds=(r,), capture_output=True, timeout=120, check=False, text=True)
        os.close(r)
        return proc

    def terminal(self, argv, answers=(), env=None, columns=80):
        """On a terminal of its own; answers: (what is asked, what is typed). -> status, all that was seen"""
        pid, fd = pty.fork()
        if pid == 0:
            time.sleep(0.2)
            os.execve(program(), [program(), "--ca-file", self.ca, *argv],
                      {**environment(), "TERM": "xterm", **(env or {})})
        fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        seen, answers, end = b"", list(answers), time.monotonic() + 90
        while time.monotonic() < end:
            if select.select([fd], [], [], 1)[0]:
                try:
                    more = os.read(fd, 4096)
                except OSError:
                    break
                if not more:
                    break
                seen += more
            if answers and seen.endswith(answers[0][0].encode()):
                os.write(fd, answers.pop(0)[1].encode() + b"\n")
        _, status = os.waitpid(pid, 0)
        os.close(fd)
        return os.waitstatus_to_exitcode(status), seen.decode()


class Ladder(Hand):
    def test_rungs(self):
        for name in self.dovecot.ports:
            p = self.run_hand(self.url(name))
            self.assertEqual(p.returncode, 0, p)
            for rung in ("settings", "dns", "tcp", "tls", "certificate for DNS:localhost", "greeting", "login",
                         "PASSED"):
                self.assertIn(rung, p.stdout)
            self.assertNotIn("\x1b", p.stdout)

    def test_status(self):
        p = self.run_hand(self.url("imaps"), password="wrong")
        self.assertEqual(p.returncode, 2)
        self.assertIn("User name or password not accepted", p.stdout)
        self.assertRegex(p.stdout, r"FAILED  AUTH_REJECTED\n +user +\S.*\n +admin +\S.*\n +fix +\S.*\n +server +NO ")
        # what was not proven is a difference left, as it is for a fleet
        self.assertEqual(self.run_hand("--level", "login", "--auth", "none", self.url("imaps")).returncode, 2)
        self.assertEqual(self.run_hand(self.url("imaps", "")).returncode, 0)
        self.assertEqual(self.run_hand("imaps://ho,st").returncode, 2)
        for bad in (("nonsense",), ("imaps://a:b@h",), ("--level", "x", "imaps://h"), ("--security", "none", "imaps://h"),
                    ("--auth", "x", "imaps://a@h"), ("--tls-min", "1.1", "imaps://h"), ("--nonsense", "imaps://h"),
                    ("--level", "login", "imaps://h"), ("--security", "none", "imap://a@h"),
                    ("--round-trip", "imaps://a@h"), ("--known", "a b", "imaps://h"), ("--ehlo", "a b", "smtp://h"),
                    ("--password-command", "x", "imaps://a@h"), ("--timeout", "0", "imaps://h"),
                    ("--per-server", "0", "imaps://h")):
            p = self.run_hand(*bad)
            self.assertEqual((p.returncode, p.stdout), (64, ""), p)
            self.assertEqual(p.stderr.count("\n"), 1)
        self.assertEqual(self.run_hand("--help").returncode, 0)
        self.assertRegex(self.run_hand("--version").stdout, r"^mailmuster-probe \d")

    def test_manual(self):
        """Every option of --help stands in the manual."""
        page = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../packaging/man/mailmuster-probe.1")
        with open(page, encoding="utf-8") as f:
            text = f.read()
        options = re.findall(r"(?m)^ +(?:-., )?--([a-z0-9-]+)", self.run_hand("--help").stdout)
        self.assertGreater(len(options), 20)
        for o in options:
            self.assertRegex(text, rf"[ -]-{o}\b", o)

    def test_several(self):
        p = self.run_hand("--json", self.url("imaps"), self.url("submission"))
        self.assertEqual(p.returncode, 0)
        self.assertEqual(sorted(json.loads(x)["protocol"] for x in p.stdout.splitlines()), ["imap", "smtp"])
        p = self.run_hand(self.url("imaps"), self.url("submission"), self.url("pop3s", "nobody@"))
        self.assertEqual(p.returncode, 2)
        self.assertTrue(p.stdout.endswith("\n2 of 3 passed, 1 failed\n"), p.stdout)

    def test_clear(self):
        url = f"imap://alice@127.0.0.1:{self.dovecot.ports['imap']}"
        self.assertEqual(self.run_hand("--security", "none", url).returncode, 64)
        p = self.run_hand("--security", "none", "--allow-cleartext", url)
        self.assertIn(p.returncode, (0, 2))
        self.assertIn("no encryption", p.stdout)

    def test_family(self):
        for option, address in (("-4", "127.0.0.1"), ("-6", "::1")):
            a = json.loads(self.run_hand("--json", option, "imaps://localhost:1").stdout)
            self.assertEqual([x["ip"] for x in a.get("endpoint", {}).get("addresses", [{"ip": address}])], [address])


class Passwords(Hand):
    def test_asked_for_once_and_without_echo(self):
        """One question for an account, whatever the number of its servers."""
        for urls in ((self.url("imaps"),), (self.url("imaps"), self.url("submission"))):
            rc, seen = self.terminal(urls, [("Password for alice at localhost: ", ALICE)])
            self.assertEqual(rc, 0, seen)
            self.assertIn("PASSED", seen)
            self.assertEqual(seen.count("Password for"), 1)
            self.assertNotIn(ALICE, seen)

    def test_asked_for_each_account(self):
        rc, seen = self.terminal((self.url("imaps"), self.url("submission", "bob@")),
                                 [("Password for alice at localhost: ", ALICE),
                                  ("Password for bob at localhost: ", harness.PASSWORDS["bob"])])
        self.assertEqual(rc, 0, seen)

    def test_no_terminal(self):
        p = subprocess.run([program(), self.url("imaps")], env=environment(), capture_output=True, timeout=60,
                           check=False, text=True, start_new_session=True)
        self.assertEqual(p.returncode, 1)
        self.assertIn("no terminal", p.stderr)

    def test_odd_password(self):
        p = self.run_hand(self.url("imaps"), password=ALICE + " ")
        self.assertEqual(p.returncode, 2)
        self.assertIn("note: the password begins or ends with a blank", p.stderr)
        self.assertNotIn(ALICE, p.stdout + p.stderr)

    def test_password_that_is_a_word_of_the_settings(self):
        """Their words are no secret; that one of them is the password is."""
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            p = self.run_hand("--no-survey", f"imaps://alice@localhost:{s.getsockname()[1]}", password="local")
            self.assertIn(f"Nothing answers on port {s.getsockname()[1]} of localhost.", p.stdout)
            self.assertNotIn("withheld", p.stdout)

    def test_command(self):
        with tempfile.NamedTemporaryFile("w", suffix=" a file") as f:
            f.write(ALICE + "\nuser: alice\n")
            f.flush()
            argv = [program(), "--ca-file", self.ca, self.url("imaps"), "--password-command"]
            for command, rc in ((f"cat {shlex.quote(f.name)}", 0), ("false", 1), ("no-such-program", 1), ("cat '", 64),
                                (f"cat {shlex.quote(f.name)}; true", 1)):
                p = subprocess.run([*argv, command], env=environment(), capture_output=True, timeout=60, check=False,
                                   text=True)
                self.assertEqual(p.returncode, rc, p)
                self.assertNotIn(ALICE, p.stdout + p.stderr)


    def sasl_server(self, mechanism, seen):
        """Takes any login by this mechanism, and keeps what it was sent."""
        def script(talk):
            talk.say("220 hello")
            while True:
                line = talk.line()
                if line.startswith("EHLO"):
                    talk.say("250-hello", f"250 AUTH {mechanism}")
                elif line.startswith("AUTH"):
                    seen.append(line)
                    talk.say("235 welcome")
                else:
                    talk.say("250 ok")
        return script

    def test_token_command(self):
        seen = []
        port = self.serve(self.sasl_server("XOAUTH2", seen), "good")
        p = subprocess.run([program(), "-v", "--ca-file", self.ca, "--token-command", "echo ya29.secret-token-4711",
                            f"smtps://alice@localhost:{port}"], env=environment(), capture_output=True, timeout=60,
                           check=False, text=True)
        self.assertEqual(p.returncode, 0, p)
        verb, mechanism, initial = seen[0].split(" ")
        self.assertEqual((verb, mechanism), ("AUTH", "XOAUTH2"))
        self.assertIn(b"ya29.secret-token-4711", base64.b64decode(initial))
        self.assertNotIn("secret-token", p.stdout + p.stderr)
        self.assertIn("> AUTH XOAUTH2 ***", p.stderr)
        self.assertNotIn(initial[:12], p.stderr)

    def test_client_certificate(self):
        """The server asks for it; what is presented is the file's, and the login is EXTERNAL."""
        pki, seen = self.dovecot.pki, []
        ctx = self.context("good", client_ca=self.ca)
        server = scripted.Server(self.sasl_server("EXTERNAL", seen), ctx)
        self.addCleanup(server.close)
        with tempfile.NamedTemporaryFile("w", suffix=".pem") as f:
            for part in (".crt", ".key"):
                with open(pki.path("good" + part), encoding="ascii") as g:
                    f.write(g.read())
            f.flush()
            argv = [program(), "--ca-file", self.ca, "--auth", "external", "--no-survey",
                    f"smtps://alice@localhost:{server.port}"]
            for more, rc in ((("--client-cert", f.name), 0), ((), 2), (("--client-cert", pki.path("good.crt")), 1),
                             (("--client-cert", "/nonexistent"), 1)):
                p = subprocess.run([*argv, *more], env=environment(), capture_output=True, timeout=60, check=False,
                                   text=True)
                self.assertEqual(p.returncode, rc, p)
                self.assertNotIn("PRIVATE", p.stdout + p.stderr)
        self.assertEqual([x.split(" ")[:2] for x in seen], [["AUTH", "EXTERNAL"]])


class Conversation(Hand):
    def test_shown_and_masked(self):
        secrets = [ALICE, base64.b64encode(ALICE.encode()).decode(),
                   base64.b64encode(f"\0alice\0{ALICE}".encode()).decode()]
        for name in self.dovecot.ports:
            for auth in ("password", "plain", "login"):
                p = self.run_hand("-v", "--auth", auth, self.url(name))
                self.assertEqual(p.returncode, 0, p)
                self.assertRegex(p.stderr, r"(?m)^< ")
                self.assertRegex(p.stderr, r"(?m)^> .*\*\*\*$|^> \*\*\*$")
                self.assertRegex(p.stderr, r"(?m)^\* TLSv1\.3, ")
                for s in secrets:
                    self.assertNotIn(s, p.stdout + p.stderr)
                    self.assertNotIn(s[3:-3], p.stdout + p.stderr)

    def test_server_that_repeats_the_password(self):
        def script(talk):
            talk.say("+OK hello")
            while True:
                line = talk.line()
                if line == "CAPA":
                    talk.say("+OK", "USER", ".")
                elif line.startswith("USER"):
                    talk.say("+OK")
                elif line.startswith("PASS"):
                    talk.say(f"-ERR I do not like {line}")
                else:
                    talk.say("-ERR")
        port = self.serve(script, "good")
        p = self.run_hand("-v", f"pop3s://alice@localhost:{port}")
        self.assertEqual(p.returncode, 2, p)
        self.assertIn("> PASS ***", p.stderr)
        self.assertNotIn(ALICE, p.stdout + p.stderr)

    def test_who_speaks(self):
        """With several endpoints each line names its own; JSON stays JSON."""
        p = self.run_hand("-v", "--json", self.url("imaps"), self.url("pop3s"))
        self.assertEqual(len([json.loads(x) for x in p.stdout.splitlines()]), 2)
        for name in ("imaps", "pop3s"):
            self.assertRegex(p.stderr, rf"(?m)^localhost:{self.dovecot.ports[name]} [<>] ")

    def titles(self, p):
        return re.findall(r"(?m)^(?:localhost:\d+ )?== (.*)", p.stderr)

    def test_every_connection_under_its_title(self):
        """The test, the survey, the looks of a failure, and what else was tried."""
        p = self.run_hand("-v", self.url("imaps"))
        self.assertEqual(self.titles(p)[:3], ["the test itself", "survey: TLSv1.3 alone", "survey: TLSv1.2 alone"], p)
        self.assertRegex(p.stderr, r"(?s)== survey: TLSv1\.2 alone\n\* TLSv1\.2, .*== survey: TLSv1\.1 alone\n\* .*== ")
        self.assertRegex(p.stderr, r"(?m)^> MX LOGOUT$")
        self.assertEqual(self.titles(self.run_hand("-v", "--no-survey", self.url("imaps"))), ["the test itself"])
        port = self.dovecot.ports["imap"]
        p = self.run_hand("-v", f"imaps://alice@localhost:{port}")
        self.assertEqual(p.returncode, 2, p)
        self.assertIn("second look: does it greet in clear?", self.titles(p))
        self.assertIn(f"another way: localhost port {port} with STARTTLS", self.titles(p))
        self.assertNotIn("AUTHENTICATE", p.stderr)
        p = self.run_hand("-v", "--no-survey", self.url("imaps"), self.url("imaps", "bob@"))
        self.assertEqual(self.titles(p)[0], "the endpoint, without a login")
        self.assertEqual(self.titles(p)[1:], ["the test itself"] * 2)

    def test_nothing_when_nobody_looks_on(self):
        self.assertEqual(self.run_hand(f"imaps://alice@localhost:{self.dovecot.ports['imap']}").stderr, "")

    def test_a_later_connection_that_repeats_the_password(self):
        """A server may keep what it was sent, and greet somebody else with it."""
        kept = []

        def script(talk):
            talk.say("+OK hello " + " ".join(kept))
            while True:
                line = talk.line()
                kept.extend(x[5:] for x in [line] if line.startswith("PASS"))
                talk.say(*(["+OK", "USER", "."] if line == "CAPA" else ["+OK 0 0"]))
        port = self.serve(script, "good")
        tasks = [harness.task(i, "pop3", "tls", port, username=user, secret=i, ca_file=self.ca)
                 for i, user in enumerate(("alice", "bob"))]
        proc = harness.start(tasks, (b"wonder land-42", b"looking glass-43"), ("-v", "--no-survey", "--per-server", "1"))
        _, err = proc.communicate(timeout=60)
        self.assertEqual(len(kept), 2, err)
        self.assertRegex(err, rb"(?m)^localhost:\d+ < \(withheld: it repeats the password\)$")
        for password in (b"wonder land-42", b"looking glass-43"):
            self.assertNotIn(password, err)

    def test_it_streams(self):
        """What was said is there before the result is."""
        def script(talk):
            talk.say("* OK slow server")
            talk.wait()
        port = self.serve(script, "good")
        proc = subprocess.Popen([program(), "-v", "--ca-file", self.ca, "--timeout", "30", f"imaps://localhost:{port}"],
                                env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        while "slow server" not in (line := proc.stderr.readline()):
            self.assertNotEqual(line, "")
        self.assertIsNone(proc.poll())
        proc.kill()
        proc.communicate()


class Terminal(Hand):
    def plain(self, seen):
        return ESCAPE.sub("", seen).replace("\r\n", "\n")

    def test_colour_and_width(self):
        long_text = "please look at https://status.acme.example/ " + "words " * 40

        def script(talk):
            talk.say("* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR] hello")
            while True:
                tag, verb = talk.line().split(" ")[:2]
                if verb == "CAPABILITY":
                    talk.say("* CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR", f"{tag} OK")
                else:
                    talk.say(f"{tag} NO {long_text}")
        port = self.serve(script, "good")
        for columns in (60, 80, 120):
            rc, seen = self.terminal([f"imaps://alice@localhost:{port}"], [("localhost: ", ALICE)], columns=columns)
            self.assertEqual(rc, 2, seen)
            self.assertIn("\x1b[31m", seen)
            self.assertIn("\u2713", seen)
            for line in self.plain(seen).splitlines():
                self.assertLessEqual(len(line), columns, line)
            self.assertIn("please look at", seen)

    def test_no_colour_and_ascii(self):
        for env in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
            rc, seen = self.terminal([self.url("imaps", "")], env=env)
            self.assertEqual(rc, 0, seen)
            self.assertNotIn("\x1b[3", seen)
        rc, seen = self.terminal([self.url("imaps", "")], env={"LC_ALL": "C"})
        self.assertEqual(rc, 0)
        self.assertTrue(self.plain(seen).isascii(), seen)
        self.assertRegex(self.plain(seen), r"(?m)^  \+ dns")

    def test_progress(self):
        """Somebody who waits sees for what; nobody else does."""
        port = self.serve(lambda talk: talk.wait())
        rc, seen = self.terminal(["--timeout", "2", f"imaps://localhost:{port}"])
        self.assertEqual(rc, 2, seen)
        self.assertIn(f"localhost port {port}: waiting, 1 s", seen)
        self.assertTrue(seen[:seen.index("IMAP localhost")].endswith("\r\x1b[K\x1b[1m"), seen)
        self.assertEqual(self.run_hand("--timeout", "1", f"imaps://localhost:{port}").stderr, "")


class Suggestions(Hand):
    def test_known_hosts_only(self):
        """A server that is not among the known ones gets nothing, and what was meant is said."""
        seen = []

        def script(talk):
            seen.append(talk.line())
        port = self.serve(script, "good")
        p = self.run_hand("--known", "imap.acme.example", f"imaps://alice@localhost:{port}")
        self.assertEqual(p.returncode, 2, p)
        self.assertIn("NOT_IN_POLICY", p.stdout)
        p = self.run_hand("--known", "imap.acme.example", "imaps://alice@imao.acme.example")
        self.assertEqual(p.returncode, 2, p)
        self.assertIn("NOT_IN_POLICY", p.stdout)
        self.assertIn("imap.acme.example", p.stdout)
        self.assertEqual(seen, [])
        p = self.run_hand("--known", "localhost", self.url("imaps"))
        self.assertEqual(p.returncode, 0, p)


if __name__ == "__main__":
    harness.main(__name__)
