"""The record of what was done: checkpoints, their witnesses, and what audit verify finds."""
import base64
import hashlib
import json
import os
import pathlib
import random
import shutil
import sqlite3
import subprocess
import time
import unittest

from common import BIN, Case

PACKAGING = pathlib.Path(__file__).resolve().parents[3] / "packaging"
SCRIPT, MANUAL = PACKAGING / "mailmuster-verify-export", PACKAGING / "man/mailmuster.1"


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


class Verify(Audit):
    def setUp(self):
        super().setUp()
        for login in ("alice", "bob", "carol"):
            self.add(login)

    def sql(self, text):
        with sqlite3.connect(os.path.join(self.state, "store.db")) as db:
            db.execute(text)

    def verdict(self, *args, rc=0):
        v = self.mm_json("audit", "verify", *args, rc=rc)
        # As published: what it must have is there, and nothing that it does not know.
        schema = json.loads((PACKAGING.parent / "schemas/json/audit-verify.schema.json").read_text("utf-8"))
        parts = [(v, schema)] + [(v[k], schema["properties"][k]) for k in ("witnessed", "unwitnessed", "personal", "reports")]
        for got, part in parts + [(f, schema["properties"]["faults"]["items"]) for f in v["faults"]]:
            self.assertLessEqual(set(part["required"]), set(got))
            self.assertLessEqual(set(got), set(part["properties"]))
        return v

    def places(self, *args):
        return [f["place"] for f in self.verdict(*args, rc=2)["faults"]]

    def test_well(self):
        v = self.verdict()
        last = self.lines()[-1]
        self.assertEqual((v["good"], v["faults"]), (True, []))
        self.assertEqual(v["witnessed"], {"entry": last["seq"], "time": last["time"],
                                          "by": f"{self.witness}:{len(self.lines())}"})
        self.assertEqual(v["unwitnessed"], {"entries": 0, "since": 0})
        self.conf("")
        self.add("dave")
        v = self.verdict("--witness", self.witness)
        self.assertEqual((v["good"], v["unwitnessed"]["entries"]), (True, 1))
        self.assertIn("1 entries since", self.mm("audit", "verify", "--witness", self.witness)[0])
        self.assertIn("no witness outside", self.mm("audit", "verify")[0])

    def test_the_place_is_named(self):
        self.sql("UPDATE audit_log SET reason = 'none' WHERE seq = 4")
        self.assertEqual(self.places()[0], "entry 4")
        self.assertIn("entry 4: changed", self.mm("audit", "verify", rc=2)[0])

    def test_an_older_copy_of_the_store(self):
        old = os.path.join(self.dir, "old.db")
        self.mm("backup", old)
        n = len(self.mm_json("audit", "log"))
        self.add("dave")
        self.add("erin")
        for name in ("store.db", "store.db-wal", "store.db-shm"):
            if os.path.exists(os.path.join(self.state, name)):
                os.unlink(os.path.join(self.state, name))
        shutil.copy(old, os.path.join(self.state, "store.db"))
        self.assertIn("removed: the log ends at entry", self.mm("audit", "verify", rc=2)[0])
        # It goes on, and has as many entries again: it is another log.
        self.conf("")
        for login in ("x1", "x2", "x3", "x4"):
            self.add(login)
        self.assertRegex(self.places("--witness", self.witness)[0], "^entr(y|ies) %d" % n)
        self.assertTrue(self.verdict()["good"])  # nobody who knows better was asked

    def test_export(self):
        path, pub = os.path.join(self.dir, "log.export"), self.public()
        out = self.mm_json("audit", "export", path, "--reason", "the yearly audit")
        log = self.mm_json("audit", "log")
        self.assertEqual((out["entries"], out["signed"]), (len(log), True))
        self.assertEqual((log[-1]["action"], log[-1]["reason"]), ("audit.export", "the yearly audit"))
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)
        # Elsewhere, without the store.
        away = ("--state", os.path.join(self.dir, "nothing here"))
        args = (*away, "audit", "verify", "--export", path, "--key", pub, "--witness", self.witness)
        v = self.mm_json(*args)
        self.assertEqual((v["good"], v["entries"], v["unwitnessed"]["entries"]), (True, len(log), 0))
        self.assertEqual(self.script(path, pub), (0, f"{len(log)} entries\nevery hash and every signature is right\n"))
        with open(path, encoding="utf-8") as f:
            text = f.read()
        self.assertIn("alice@acme.example", text)
        lines = text.splitlines(keepends=True)
        entry = next(i for i, line in enumerate(lines) if line.startswith("@entry 4 "))
        point = next(i for i, line in enumerate(lines) if line.startswith("@checkpoint 4 "))
        other = next(i for i, line in enumerate(lines) if line.startswith("@entry 5 "))
        for what, tampered in {
                "changed": text.replace("root (uid 0)", "toor (uid 0)", 1),
                "personal": text.replace("alice@acme", "malice@acme").replace("alice@", "al1ce@", 1),
                "removed": "".join(lines[:entry] + lines[other:]),
                "checkpoint": "".join(lines[:point]) + lines[point].replace(lines[point][17:20], "AAA")
                + "".join(lines[point + 1:]),
                "cut": "".join(lines[:-9]),
                "end": text.replace("@end ", "@end 0", 1),
                "head": text.replace("\nmade 1", "\nmade 2", 1)}.items():
            bad = self.file("bad.export", tampered)
            self.assertNotEqual(tampered, text, what)
            self.assertEqual(self.script(bad, pub)[0], 2, what)
            v = self.mm_json(*away, "audit", "verify", "--export", bad, "--key", pub, rc=2)
            self.assertTrue(v["faults"][0]["place"], what)
        # Another controller's key.
        other = os.path.join(self.dir, "other")
        subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", other], check=True)
        subprocess.run(["openssl", "pkey", "-in", other, "-pubout", "-out", other + ".pub"], check=True)
        self.assertEqual(self.script(path, other + ".pub")[0], 2)
        self.assertFalse(self.mm_json(*away, "audit", "verify", "--export", path, "--key", other + ".pub", rc=2)["good"])
        self.mm("audit", "export", path, "--without-personal")
        with open(path, encoding="utf-8") as f:
            self.assertNotIn("alice@acme.example", f.read())
        self.assertEqual(self.script(path, pub)[0], 0)
        self.mm(*away, "audit", "verify", "--export", path, "--key", pub)
        self.mm("audit", "verify", "--export", os.path.join(self.dir, "absent"), rc=1)
        self.mm("audit", "verify", "--export", self.witness, rc=2)

    def script(self, *args):
        p = subprocess.run([SCRIPT, *args], capture_output=True, text=True, check=False, timeout=120)
        return p.returncode, p.stdout

    def tampered(self, lines, rnd):
        """One change at random: the lines, and the first that is another."""
        new, i = list(lines), rnd.randrange(len(lines))
        heads = [n for n, line in enumerate(lines) if line.startswith("@")] + [len(lines)]
        part = slice(max(h for h in heads if h <= i), min(h for h in heads if h > i))
        how = rnd.randrange(6)
        if how == 0:
            del new[i]
        elif how == 1:
            new.insert(i, lines[i])
        elif how == 2:
            del new[part]
        elif how == 3:
            new[part.stop:part.stop] = lines[part]
        elif how == 4:
            del new[i:]
        else:
            at = rnd.randrange(len(lines[i]) - 1)
            new[i] = lines[i][:at] + rnd.choice("0123456789abcdef@ \n") + lines[i][at + 1:]
            new = "".join(new).splitlines(keepends=True)
        first = next((n for n, (x, y) in enumerate(zip(lines, new)) if x != y), min(len(lines), len(new)))
        return new, first

    def test_the_script_names_the_place(self):
        """More rounds: MM_ROUNDS=1000 tests/e2e/controller/test_audit.py Verify.test_the_script_names_the_place"""
        path, pub, rnd = os.path.join(self.dir, "log.export"), self.public(), random.Random(7)
        self.mm("audit", "export", path)
        with open(path, encoding="utf-8") as f:
            lines = f.read().splitlines(keepends=True)
        for _ in range(int(os.environ.get("MM_ROUNDS", "40"))):
            new, first = self.tampered(lines, rnd)
            if new == lines:
                continue
            rc, said = self.script(self.file("bad.export", "".join(new)), pub)
            self.assertEqual(rc, 2)
            said = [line for line in said.splitlines() if not line.endswith(" entries")][0]
            # Of the part that the first change lies in, or between which and the next it lies.
            right = {f"line {first + 1}", "the last line"} if first >= len(lines) - 1 else {f"line {first + 1}"}
            for text in (lines, new):
                heads = [n for n, line in enumerate(text) if line.startswith("@") and n <= first + 1]
                for n in heads[-2:]:
                    kind, seq = text[n].split()[:2] if len(text[n].split()) > 1 else (text[n], "")
                    names = {"@entry": "entry", "@personal": "personal part of entry", "@checkpoint": "checkpoint"}
                    right |= {f"line {n + 1}", f"{names.get(kind, kind)} {seq}"}
            missing = first < len(lines) and lines[first].startswith(("@personal", "@checkpoint"))
            self.assertTrue(said.split(":")[0] in right or missing and said.startswith("the last line"),
                            (said, sorted(right), "".join(new)))

    def test_the_script_is_the_one_of_the_manual(self):
        with open(SCRIPT, encoding="utf-8") as f:
            script = f.read()
        with open(MANUAL, encoding="utf-8") as f:
            manual = f.read()
        shown = manual.split(".Bd -literal -compact\n\\&#!/bin/sh", 1)[1].split("\n.Ed\n", 1)[0]
        # As mandoc prints it.
        text = ("#!/bin/sh" + shown + "\n").replace("\\e", "\\").replace("\\&", "").replace("\\(aq", "'")
        text = text.replace("\\(ti", "~").replace("\\(ha", "^").replace("\\(ga", "`").replace("\\-", "-")
        self.assertEqual(text, script)

    def test_prune(self):
        self.mm("audit", "prune", rc=64)
        self.mm("audit", "prune", "--before", "soon", rc=64)
        self.assertIn("is in the future", self.mm("audit", "prune", "--before", "2100-01-01", rc=64)[1])
        tomorrow = time.strftime("%Y-%m-%d", time.gmtime(time.time() + 86400))
        self.assertEqual(self.mm_json("audit", "prune", "--before", "2020-01-01"), {"pruned": 0})
        n = len(self.mm_json("audit", "log"))
        self.assertEqual(self.mm_json("audit", "prune", "--before", tomorrow, "--reason", "kept long enough"),
                         {"pruned": n - 1})
        log = self.mm_json("audit", "log")
        self.assertEqual([(e["seq"], e["action"], e["reason"]) for e in log][-1], (n + 1, "audit.prune", "kept long enough"))
        v = self.verdict()
        self.assertEqual((v["good"], v["pruned"], v["first"]), (True, n - 1, n))
        self.assertIn(f"entries up to {n - 1} were pruned", self.mm("audit", "verify")[0])
        path = os.path.join(self.dir, "log.export")
        self.mm("audit", "export", path)
        self.mm("audit", "verify", "--export", path, "--key", self.public())
        self.assertEqual(self.script(path, self.public())[0], 0)
        self.sql("UPDATE audit_log SET who = 'nobody'")
        self.assertIn("nothing is pruned from a log that does not hold",
                      self.mm("audit", "prune", "--before", tomorrow, rc=2)[1])

    def test_erasure(self):
        self.mm("user", "remove", "alice", "--erase", "--reason", "her wish")
        v = self.verdict()
        self.assertEqual((v["good"], v["personal"]["erased"]), (True, 2))
        self.assertIn("(erased)", self.mm("audit", "log")[0])
        self.assertNotIn("alice", self.mm("audit", "log")[0])
        with sqlite3.connect(os.path.join(self.state, "store.db")) as db:
            self.assertNotIn("alice", "\n".join(db.iterdump()))
        # Without the words it is a removal like any other.
        self.sql("DELETE FROM audit_personal WHERE object = 'bob'")
        self.assertRegex(self.places()[0], "personal part of entry")

    def test_log_by_what_one_looks_for(self):
        self.mm("group", "add", "staff", "--reason", "line\nbreak", rc=64)
        self.mm("group", "add", "staff", "--reason", "one line")
        actions = lambda *a: [e["action"] for e in self.mm_json("audit", "log", *a)]  # noqa: E731
        self.assertEqual(actions("--action", "user"), ["user.add"] * 3)
        self.assertEqual(actions("--action", "group.add", "--who", "uid %d" % os.getuid()), ["group.add"])
        self.assertEqual(actions("--action", "use"), [])
        self.assertEqual(actions("--object", "bob"), ["user.add"])
        self.assertEqual(actions("--since", "2100-01-01"), [])
        self.assertEqual(actions("--until", "2020-01-01"), [])
        self.assertEqual(self.mm_json("audit", "log")[-1]["reason"], "one line")
        self.mm("audit", "log", "--since", "yesterday", rc=64)
        self.assertEqual(self.mm("audit", "log", "--object", "nobody")[0], "No entry is like that.\n")
        self.mm("user", "add", "long", "--name", "a b " * 150)
        self.assertIn("name=(301 words; --json shows them)", self.mm("audit", "log", "--object", "long")[0])


class Doubt(Case):
    def test_an_alarm_is_loud_in_every_report(self):
        self.started()
        text = {"text": "AUDIT LOG     1 checkpoints", "html": "The record is in doubt", "csv": '"witness-alarms","","1"',
                "json": '"audit_alarms":1', "jsonl": '"audit_alarms":1', "prometheus": "\nmailmuster_witness_alarms 1\n",
                "junit": "host ws1: it has seen more", "sarif": "host ws1: it has seen more", "oscal": "host ws1: it has seen more"}
        self.mm("host", "add", "ws1")

        def reports():
            for name in text:
                p = subprocess.run([BIN, "report", "--baseline", "nist-800-53-moderate", "--format", name], env=dict(os.environ, MAILMUSTER_STATE=self.state),
                                   capture_output=True, text=True, timeout=60, check=False)
                self.assertIn(p.returncode, (0, 2), p.stderr)
                yield name, p.stdout.replace('": ', '":')
        for name, said in reports():
            self.assertNotIn(text[name], said, name)
        with sqlite3.connect(os.path.join(self.state, "store.db")) as db:
            db.execute("INSERT INTO witness_alarms (host, seq, sha256, body, heard, text) "
                       "VALUES ('ws1', 99, ?, '{}', 1, 'it has seen more')", ("0" * 64,))
        for name, said in reports():
            with self.subTest(name):
                self.assertIn(text[name], said)

    def test_a_report_without_a_good_signature_fails_the_record(self):
        self.started()
        self.mm("host", "add", "ws1")
        self.assertIn("and the chain holds", self.record("compliant"))
        with sqlite3.connect(os.path.join(self.state, "store.db")) as db:
            row = {name: "" if kind == "TEXT" else 0 for _, name, kind, needed, *_ in db.execute("PRAGMA table_info(reports)")
                   if needed}
            row.update(host="ws1", report_id="r7", received=int(time.time()), seal=3)
            db.execute(f"INSERT INTO reports ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})", list(row.values()))
        self.assertIn("1 report bears no good signature (host ws1, report r7)", self.record("failed"))

    def record(self, outcome):
        p = subprocess.run([BIN, "report", "--baseline", "nist-800-53-moderate", "--format", "jsonl"],
                           env=dict(os.environ, MAILMUSTER_STATE=self.state), capture_output=True, text=True, timeout=60,
                           check=False)
        got = [r for r in map(json.loads, p.stdout.splitlines()) if r.get("check") == "audit-record" and "outcome" in r]
        self.assertEqual([r["outcome"] for r in got], [outcome], got)
        return got[0]["why"] or ""


class Session(Case):
    """Who: the uid as it is, and the key that sshd says the person came with."""

    def setUp(self):
        super().setUp()
        self.mm("init")
        self.keys = []
        for kind in ("ed25519", "ecdsa"):
            path = os.path.join(self.dir, kind)
            subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", "", "-f", path], check=True)
            with open(path + ".pub", encoding="utf-8") as f:
                text = " ".join(f.read().split()[:2])
            fp = subprocess.run(["ssh-keygen", "-lf", path + ".pub"], check=True, capture_output=True, text=True).stdout.split()[1]
            self.keys.append((text, fp))
        self.path = os.path.join(self.dir, "sshauth.x")

    def who(self, text, mode=0o600, **env):
        with open(self.path, "wb") as f:
            f.write(text if isinstance(text, bytes) else text.encode())
        os.chmod(self.path, mode)
        return self.said({"SSH_USER_AUTH": self.path, **env})

    def said(self, env):
        n = len(self.mm_json("audit", "log"))
        self.mm("group", "add", f"g{n}", env=env)
        return self.mm_json("audit", "log")[n]["who"]

    def test_the_key_beside_the_uid(self):
        (one, fp1), (two, fp2) = self.keys
        me = self.said({})
        self.assertRegex(me, rf"\(uid {os.getuid()}\)$")
        self.assertEqual(self.who(f"publickey {one}\n"), f"{me[:-1]}, key {fp1})")
        self.assertEqual(self.who(f"publickey {one}\nkeyboard-interactive/pam\npublickey {two}\n"),
                         f"{me[:-1]}, key {fp1}, key {fp2})")
        self.assertEqual(self.who("password\n"), me)

    def test_what_is_no_key_does_not_get_in(self):
        (one, fp), me = self.keys[0], self.said({})
        kind, blob = one.split()
        for text in ("publickey ssh-ed25519 root)", f"publickey ssh-rsa {blob}\n", f"publickey {kind} {blob[:-6]}\n", b"\0\xff\n",
                     "publickey bob (uid 0)\n", b"publickey " + b"A" * 100000, f"publickey {one}\n" + "x" * 70000):
            self.assertEqual(self.who(text), me, text[:60])
        self.assertEqual(self.who(f"publickey {one} ), key SHA256:forged\n" * 9), f"{me[:-1]}{f', key {fp}' * 4})")
        # Others can write it; it is a link, a pipe, a folder, not there.
        self.assertEqual(self.who(f"publickey {one}\n", mode=0o620), me)
        os.chmod(self.path, 0o600)
        link, fifo = os.path.join(self.dir, "link"), os.path.join(self.dir, "fifo")
        os.symlink(self.path, link)
        os.mkfifo(fifo, 0o600)
        for path in (link, fifo, self.dir, self.path + "no", "sshauth.x", "", "/dev/zero"):
            self.assertEqual(self.said({"SSH_USER_AUTH": path}), me, path)

    @unittest.skipUnless(os.getuid() == 0, "only root is believed about sudo")
    def test_sudo(self):
        one, fp = self.keys[0]
        # A file of root's says nothing of whom sudo was called by; a file of that person's does.
        self.assertEqual(self.who(f"publickey {one}\n", SUDO_UID="4242"), "uid 4242")
        os.chown(self.path, 4242, -1)
        self.assertEqual(self.said({"SSH_USER_AUTH": self.path, "SUDO_UID": "4242"}), f"uid 4242, key {fp}")


if __name__ == "__main__":
    unittest.main()
