#!/usr/bin/env python3
"""What mailmuster-probe must not give away, and the sandbox that it sits in.

In a build with a sanitizer there is no seccomp filter, and nothing is said about it.

    python3 tests/e2e/probe/test_probe_sandbox.py --bin FOLDER     (or MM_BIN=FOLDER)
"""

import base64
import json
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import harness  # noqa: E402
import scripted  # noqa: E402
from harness import Base, environment, program, sanitized, start, task  # noqa: E402

class Secrets(Base):
    PASSWORD = "correct-horse-\"battery\"-staple"

    def nothing_revealed(self, *texts):
        blob = "\0alice\0" + self.PASSWORD
        for text in texts:
            for secret in (self.PASSWORD, "correct-horse", "battery\"-staple", base64.b64encode(blob.encode()).decode(),
                           base64.b64encode(self.PASSWORD.encode()).decode()):
                self.assertNotIn(secret, text)

    def test_servers_that_repeat_it(self):
        rows = (("imap", scripted.imap(login="NO bad: {echo}")),
                ("imap", scripted.imap("IMAP4rev1", "BAD {echo}")),
                ("pop3", scripted.pop3(password="-ERR {echo}")),
                ("smtp", scripted.smtp(("localhost", "AUTH PLAIN"), auth="535 {echo}")))
        for p, script in rows:
            t = task(1, p, "tls", self.serve(script, "good"), ca_file=self.ca)
            answer = self.ask([t], (self.PASSWORD.encode(),))[1]
            self.assertEqual(answer["result"], "failed")
            self.assertIn("withheld", answer["server_text"])
            self.nothing_revealed(self.output)

    def test_not_in_process_list(self):
        port = self.serve(scripted.imap(login=None), "good")
        proc = start([task(1, "imap", "tls", port, ca_file=self.ca)], (self.PASSWORD.encode(),))
        time.sleep(1)
        texts = []
        for name in ("cmdline", "environ"):
            try:
                with open(f"/proc/{proc.pid}/{name}", "rb") as f:
                    texts.append(f.read().decode("utf-8", "replace"))
            except PermissionError:  # better still: not even to its own user
                self.assertNotEqual(os.getuid(), 0)
        with open(f"/proc/{proc.pid}/status", encoding="ascii") as f:
            status = f.read()
        out, err = proc.communicate(timeout=60)
        self.assertEqual(json.loads(out)["class"], "AUTH_SLOW")
        self.nothing_revealed(*texts, out.decode(), err.decode())
        if not sanitized():
            self.assertIn("Seccomp:\t2", status)
            self.assertIn("NoNewPrivs:\t1", status)

    def found_in_memory(self, pid):
        """Places of the password, or of what is sent for it, in the memory of a process."""
        blob = base64.b64encode(("\0alice\0" + self.PASSWORD).encode())
        # the beginnings: what is left of a wiped one is no secret any more
        needles = [self.PASSWORD.encode()[:14], blob[:24]]
        found = 0
        with open(f"/proc/{pid}/maps", encoding="ascii") as maps, open(f"/proc/{pid}/mem", "rb", 0) as mem:
            for line in maps:
                where, rights = line.split()[:2]
                first, last = (int(x, 16) for x in where.split("-"))
                if rights[0] != "r" or "[v" in line:
                    continue
                try:
                    mem.seek(first)
                    data = mem.read(last - first)
                except (OSError, ValueError):
                    continue
                found += sum(data.count(n) for n in needles)
        return found

    def test_wiped_from_memory(self):
        if os.getuid() != 0 or sanitized():
            self.skipTest("needs root and a build without sanitizers")
        slow = self.serve(scripted.imap(login="OK in", delay=3), "good")
        proc = start([task(0, "imap", "tls", slow, ca_file=self.ca),
                      task(1, "imap", "tls", self.serve(scripted.silent), ca_file=self.ca, secret=None)],
                     (self.PASSWORD.encode(),))
        time.sleep(1.5)
        self.assertGreater(self.found_in_memory(proc.pid), 0)
        first = json.loads(proc.stdout.readline())
        self.assertEqual((first["id"], first["result"]), (0, "passed"))
        self.assertEqual(self.found_in_memory(proc.pid), 0)
        proc.communicate(timeout=60)

    def test_no_key_log(self):
        path = os.path.join(self.dovecot.dir, "keylog")
        env = dict(environment(), SSLKEYLOGFILE=path)
        proc = subprocess.run([program(), "--level", "tls", "--ca-file", self.ca,
                               f"imaps://localhost:{self.dovecot.ports['imaps']}"], env=env, capture_output=True,
                              timeout=60, check=False)
        self.assertEqual(proc.returncode, 0, proc.stderr)
        self.assertFalse(os.path.exists(path))

    def test_unusable_secrets(self):
        port = self.dovecot.ports["pop3s"]
        before = self.dovecot.log().count("pop3-login")
        for secret in ("", "two\r\nDELE 1"):
            a = self.one("pop3", "tls", port, password=secret)
            self.expect(a, "untested", "BAD_SECRET", None)
        self.assertEqual(self.dovecot.log().count("pop3-login"), before)


if __name__ == "__main__":
    harness.main(__name__)
