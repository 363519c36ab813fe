"""The record of what was done: checkpoints, their witnesses, and what audit verify finds."""
import base64
import hashlib
import json
import os
import subprocess
import unittest

from common import Case


def statement(c):
    return ("mailmuster-checkpoint-1\nfleet {fleet}\nseq {seq}\nentries {entries}\ntime {time}\n"
            "sha256 {sha256}\nkey {key}\n").format(**c).encode()


class Audit(Case):
    def setUp(self):
        super().setUp()
        self.mm("init")
        self.witness = os.path.join(self.dir, "auditor", "checkpoints")
        os.mkdir(os.path.dirname(self.witness))
        self.conf(f'witness = {{ files = [ "{self.witness}" ]; }};')

    def conf(self, text):
        with open(os.path.join(self.state, "controller.conf"), "w", encoding="utf-8") as f:
            f.write(text)

    def add(self, login, **kw):
        return self.mm("user", "add", login, "--name", login.title(), "--address", f"{login}@acme.example", **kw)

    def lines(self):
        with open(self.witness, encoding="utf-8") as f:
            return [json.loads(line) for line in f]

    def public(self):
        path = os.path.join(self.dir, "controller.pub")
        with open(path, "w", encoding="utf-8") as f:
            f.write(self.mm_json("key", "list")[0]["pem"])
        return path


class Witnesses(Audit):
    def test_a_line_for_each_command_that_did_something(self):
        self.add("alice")
        self.add("bob")
        self.mm("user", "list")  # did nothing
        log = self.mm_json("audit", "log")
        got = self.lines()
        self.assertEqual(len(got), 2)
        self.assertEqual([c["seq"] for c in got], sorted(c["seq"] for c in got))
        last = got[-1]
        self.assertEqual((last["type"], last["seq"], last["sha256"], last["entries"]),
                         ("mailmuster-checkpoint-1", log[-1]["seq"], log[-1]["sha256"], len(log)))
        self.assertEqual(len({c["fleet"] for c in got}), 1)
        # What openssl says to it.
        text, sig = os.path.join(self.dir, "text"), os.path.join(self.dir, "sig")
        for change, rc in (({}, 0), ({"seq": last["seq"] + 1}, 1)):
            with open(text, "wb") as f:
                f.write(statement({**last, **change}))
            with open(sig, "wb") as f:
                f.write(base64.b64decode(last["sig"]))
            p = subprocess.run(["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", self.public(), "-rawin", "-in", text,
                                "-sigfile", sig], capture_output=True, check=False)
            self.assertEqual(p.returncode, rc, p.stderr)
        der = subprocess.run(["openssl", "pkey", "-pubin", "-in", self.public(), "-outform", "DER"], capture_output=True,
                             check=True).stdout
        self.assertEqual(last["key"], hashlib.sha256(der).hexdigest())

    def test_a_witness_that_fails_breaks_nothing_and_is_said_once(self):
        self.conf(f'witness = {{ files = [ "{self.dir}/nowhere/x", "{self.witness}" ]; }};')
        self.assertIn("witness file", self.add("alice")[1])
        self.assertEqual(self.add("bob")[1], "")
        self.assertEqual(len(self.lines()), 2)
        os.mkdir(os.path.join(self.dir, "nowhere"))
        self.assertEqual(self.add("carol")[1], "")
        os.rename(os.path.join(self.dir, "nowhere"), os.path.join(self.dir, "elsewhere"))
        self.assertIn("witness file", self.add("dave")[1])  # again, after it worked

    def test_a_link_or_a_folder_is_no_witness(self):
        os.symlink("/etc/passwd", self.witness)
        self.assertIn("witness file", self.add("alice")[1])
        os.unlink(self.witness)
        os.mkdir(self.witness)
        self.assertIn("witness file", self.add("bob")[1])

    def test_what_controller_conf_may_say(self):
        for text, words in (("witness = { file = [ ]; };", "controller.conf:1: file is not known; did you mean files?"),
                            ("\nwitness = { files = [ \"x\" ]; };", "controller.conf:2: files holds something that is no"),
                            ("witness = { syslog = 1; };", "controller.conf:1: syslog must be true or false"),
                            ("witness = 3;", "controller.conf:1: witness must be a block"),
                            ("siem2 = { };", "siem2 is not known"),
                            ("@include \"/etc/passwd\"", "has no place here"),
                            ("witness = {", "controller.conf:1")):
            self.conf(text)
            self.assertIn(words, self.mm("user", "add", "x" + hashlib.sha256(text.encode()).hexdigest()[:8], "--name", "X",
                                         "--address", "x@acme.example")[1], text)

    def test_the_signing_key_lies_apart(self):
        os.rename(os.path.join(self.state, "keys/sign.pem"), os.path.join(self.dir, "sign.pem"))
        self.assertIn("no checkpoint of the audit log can be signed", self.add("alice")[1])
        self.assertFalse(os.path.exists(self.witness))


if __name__ == "__main__":
    unittest.main()
