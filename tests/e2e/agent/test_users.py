"""receive as root: every user in a process of that user's own; and the login run with its spool."""

import ctypes
import json
import os
import pathlib
import platform
import resource
import subprocess
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "lib"))
from agentlib import *  # noqa: E402,F403
import story  # noqa: E402

FAKE_PROBE = ROOT / "tests/lib/fakeprobe.py"
USERS = {"mm-alice": 23401, "mm-bob": 23402, "mm-carol": 23403}


@unittest.skipUnless(is_root(), "needs root")
class Users(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.base = scratch()
        private_users(cls.base, {u: (uid, cls.base / "home" / u) for u, uid in USERS.items()})

    @classmethod
    def tearDownClass(cls):
        remove(cls.base)

    def setUp(self):
        self.dir = scratch()
        self.addCleanup(remove, self.dir)
        homes = self.base / "home"
        remove(homes)
        homes.mkdir()
        homes.chmod(0o755)
        for user, uid in USERS.items():
            (homes / user).mkdir(mode=0o700)
            os.chown(homes / user, uid, uid)
        self.host = Host(self.dir, probe=str(FAKE_PROBE))

    def home(self, user):
        return self.base / "home" / user

    def put(self, user, name, text, uid=None):
        path = self.home(user) / name
        path.write_text(text)
        path.chmod(0o600)
        os.chown(path, uid or USERS[user], uid or USERS[user])
        return path

    def as_user(self, user, command, *args, **env):
        uid = USERS[user]

        def become():
            os.setgroups([])
            os.setresgid(uid, uid, uid)
            os.setresuid(uid, uid, uid)
        argv = [str(AGENT), command, "--config", str(self.host.conf), *args]
        e = {"PATH": "/usr/bin:/bin", "HOME": str(self.home(user)), **env}
        return subprocess.run(argv, preexec_fn=become, env=e, capture_output=True, timeout=60, check=False)

    def state(self, user):
        return self.home(user) / ".local/state/mailmuster-agent"

    # -- receive

    def test_each_as_oneself(self):
        for user in USERS:
            self.put(user, ".msmtprc", f"# {user}\n")
        a = self.host.apply(*[sheet(u) for u in USERS])
        self.assertTrue(a.ended)
        self.assertEqual(a.status, OK, a.findings)
        self.assertEqual(sorted(u for r in a.of(REPORT) for u in r["users"]), sorted(USERS))
        self.assertEqual({r["evidence"] for r in a.of(REPORT)}, {"attested"})
        # What the host is, it says once.
        self.assertEqual(["system" in r for r in a.of(REPORT)], [True] + [False] * (len(USERS) - 1))
        self.assertEqual(a.of(REPORT)[0]["system"]["os"], platform.freedesktop_os_release()["PRETTY_NAME"])
        for user, uid in USERS.items():
            self.assertIn(f"from {user}@acme.example", (self.home(user) / ".msmtprc").read_text())
            for path in self.home(user).rglob("*"):
                self.assertEqual((path.lstat().st_uid, path.lstat().st_gid), (uid, uid), path)
                if path.is_file() and ".local" in str(path):
                    self.assertEqual(path.stat().st_mode & 0o077, 0, path)
            s = (self.host.state / "sheets" / user).stat()
            self.assertEqual((s.st_uid, s.st_mode & 0o777), (uid, 0o400))
        self.assertEqual(self.host.state.stat().st_mode & 0o777, 0o711)
        self.assertEqual((self.host.state / "held.json").stat().st_mode & 0o777, 0o600)

    def test_nobody_reads_anothers_sheet(self):
        self.host.apply(sheet("mm-alice"), sheet("mm-bob"))
        for name in ("sheets/mm-alice", "held.json"):
            p = subprocess.run(["cat", str(self.host.state / name)], capture_output=True, check=False,
                               preexec_fn=lambda: (os.setgroups([]), os.setgid(23402), os.setuid(23402)))
            self.assertNotEqual(p.returncode, 0)

    def test_homes_that_cannot_be_used(self):
        remove(self.home("mm-alice"))
        os.chown(self.home("mm-bob"), 4242, 4242)
        self.put("mm-carol", ".msmtprc", "")
        a = self.host.apply(sheet("mm-alice"), sheet("mm-bob"), sheet("mm-carol"), sheet("no-such-user"), sheet("root"))
        why = {f["user"]: f["reason"] for f in a.findings if f["client"] == "agent"}
        self.assertIn("does not exist", why["mm-alice"])
        self.assertRegex(why["mm-bob"], "cannot be entered|belongs to")
        self.assertIn("no such user", why["no-such-user"])
        self.assertIn("not managed", why["root"])
        self.assertEqual({f["state"] for f in a.findings if f["client"] == "agent"}, {"deferred"})
        self.assertEqual(a.finding("outgoing.host", user="mm-carol")["action"], "created")
        self.assertFalse(self.home("mm-alice").exists())
        self.assertEqual(list(self.home("mm-bob").iterdir()), [])
        self.assertEqual(a.status, DIFF)

    def test_links_into_other_homes(self):
        """A user cannot make the agent read or write what the user could not."""
        secret = self.put("mm-bob", ".msmtprc", "account x\nhost secret.test\npassword hunter2\n")
        link = self.home("mm-alice") / ".msmtprc"
        link.symlink_to(secret)
        os.chown(link, 23401, 23401, follow_symlinks=False)
        a = self.host.apply(sheet("mm-alice"))
        self.assertEqual(a.status, FAILED if any(f["state"] == "error" for f in a.findings) else DIFF)
        self.assertNotIn("secret.test", json.dumps(a.frames))
        self.assertEqual(secret.read_text(), "account x\nhost secret.test\npassword hunter2\n")

    def test_state_folder_that_is_a_trap(self):
        """~/.local/state leads elsewhere: nothing is written there with anybody else's rights."""
        target = self.dir / "root-only"
        target.mkdir(mode=0o700)
        self.put("mm-alice", ".msmtprc", "")
        (self.home("mm-alice") / ".local").symlink_to(target)
        os.chown(self.home("mm-alice") / ".local", 23401, 23401, follow_symlinks=False)
        a = self.host.apply(sheet("mm-alice"))
        self.assertTrue(a.ended)
        self.assertEqual(list(target.iterdir()), [])
        self.assertNotEqual(a.status, OK)

    def test_password_command_runs_as_the_user(self):
        self.put("mm-alice", ".msmtprc", "")
        tool = self.dir / "tool"
        tool.write_text("#!/bin/sh\nid -u; env > \"$HOME/env\"; cat > \"$HOME/stdin\"; ulimit -c > \"$HOME/core\"; "
                        "( : < /dev/tty ) 2>/dev/null && echo tty > \"$HOME/tty\"; exit 0\n")
        tool.chmod(0o755)
        self.host.write_conf(programs=[str(tool)])
        s = sheet("mm-alice", check="login",
                  accounts=[account("mm-alice@acme.example", outgoing__password_command=json.dumps([str(tool)]))])
        a = self.host.apply(s)
        self.assertEqual(a.of(LOGIN)[0]["result"], "passed", a.of(LOGIN))
        asked = json.loads((self.home("mm-alice") / ".probe.jsonl").read_text())
        self.assertEqual(asked["password"], "23401")
        env = dict(x.split("=", 1) for x in (self.home("mm-alice") / "env").read_text().splitlines())
        self.assertEqual((env["HOME"], env["USER"]), (str(self.home("mm-alice")), "mm-alice"))
        self.assertEqual(env["PATH"], "/usr/local/bin:/usr/bin:/bin")
        self.assertNotIn("SSH_ORIGINAL_COMMAND", env)
        self.assertNotIn("LD_DEBUG_OUTPUT", env)
        self.assertEqual((self.home("mm-alice") / "core").read_text(), "0\n")
        self.assertEqual((self.home("mm-alice") / "stdin").read_text(), "")
        self.assertFalse((self.home("mm-alice") / "tty").exists())

    def test_by_hand_as_root(self):
        self.put("mm-alice", ".msmtprc", "")
        self.put("mm-bob", ".msmtprc", "")
        self.host.apply(sheet("mm-alice"), sheet("mm-bob"))
        self.put("mm-bob", ".msmtprc", "")
        p = self.host.run("check", "--json")
        self.assertEqual(p.returncode, DIFF, p.stderr)
        self.assertEqual({f["user"] for f in json.loads(p.stdout)["findings"] if f["state"] == "removed"}, {"mm-bob"})
        self.assertEqual(self.host.run("apply", "--user", "mm-bob", "--no-login").returncode, OK)
        self.assertEqual(self.host.run("check").returncode, OK)
        self.assertEqual(json.loads(self.host.run("status", "--json").stdout)["users"], 2)

    # -- login and spool

    def test_login_reports_are_carried_until_acknowledged(self):
        self.put("mm-alice", ".msmtprc", "")
        self.host.apply(sheet("mm-alice", revision=4), revision=4)
        self.put("mm-alice", ".msmtprc", (self.home("mm-alice") / ".msmtprc").read_text().replace("465", "25"))
        p = self.as_user("mm-alice", "login", "--wait")
        self.assertEqual((p.returncode, p.stdout), (OK, b""), p.stderr)
        self.assertIn("port 465", (self.home("mm-alice") / ".msmtprc").read_text())
        waiting = list((self.state("mm-alice") / "spool").iterdir())
        self.assertEqual(len(waiting), 1, waiting)  # the login was proven by apply an hour ago
        ids = []
        for _ in range(2):  # sent again as long as it is not acknowledged
            a = self.host.apply(sheet("mm-alice", revision=4))
            (head,) = [r for r in a.of(REPORT) if r["op"] == "login"]
            self.assertEqual((head["evidence"], head["user"], head["revision"], head["users"]),
                             ("claimed", "mm-alice", 4, ["mm-alice"]))
            at = [i for i, (k, b) in enumerate(a.frames) if k == REPORT and b["op"] == "login"][0]
            told = [b for k, b in a.frames[at:] if k == FINDING and b["setting"] == "outgoing.port"]
            self.assertEqual([(f["state"], f["action"]) for f in told], [("drifted", "corrected")])
            ids.append(head["id"])
        self.assertEqual(ids[0], ids[1])
        a = self.host.apply(sheet("mm-alice", revision=4), ack=ids[:1])
        self.assertEqual([r["op"] for r in a.of(REPORT)], ["apply"])
        self.assertEqual(list((self.state("mm-alice") / "spool").iterdir()), [])

    def test_users_cannot_speak_for_others(self):
        """A forged report in the spool: other user, other host, attested. What comes out is alice's own claim."""
        self.put("mm-alice", ".msmtprc", "")
        self.host.apply(sheet("mm-alice"))
        self.as_user("mm-alice", "login")
        (path,) = (self.state("mm-alice") / "spool").iterdir()

        def forge(head, user):
            frames = frame(REPORT, json.dumps(head).encode()) + frame(FINDING, json.dumps(
                {"user": user, "client": "mutt", "path": "/x", "account": "", "setting": "", "state": "compliant",
                 "action": "none", "reason": ""}).encode())
            import hashlib
            import struct
            sha, n, pos = hashlib.sha256(), 0, 0
            while pos < len(frames):
                kind, _, size = struct.unpack(">HHI", frames[pos:pos + 8])
                sha.update(struct.pack(">HI", kind, size) + frames[pos + 8:pos + 8 + size])
                n, pos = n + 1, pos + 8 + size
            path.write_bytes(frames + frame(END, json.dumps({"frames": n, "sha256": sha.hexdigest()}).encode()))
            os.chown(path, 23401, 23401)
        head = {"id": path.stem, "host": "ws9", "request_id": "0" * 32, "op": "apply", "evidence": "attested",
                "epoch": 9, "serial": 9, "revision": 9, "collected": 1, "agent": "x", "user": "mm-bob",
                "users": ["mm-bob", "mm-alice"], "expired": False}
        forge(head, "mm-alice")
        a = self.host.apply(sheet("mm-alice"))
        (told,) = [r for r in a.of(REPORT) if r["id"] == path.stem]
        self.assertEqual((told["host"], told["op"], told["evidence"], told["user"], told["users"], told.get("request_id")),
                         ("ws1", "login", "claimed", "mm-alice", [], None))
        forge(head, "mm-bob")
        a = self.host.apply(sheet("mm-alice"))
        self.assertTrue(a.ended)
        self.assertEqual([f for f in a.findings if f["user"] == "mm-bob"], [])
        self.assertIn("mm-bob", a.finding("", client="agent")["reason"])

    def test_login_detached(self):
        """The session does not wait for the login check; its result comes in a report of its own."""
        self.put("mm-alice", ".msmtprc", "")
        tool = self.dir / "tool"
        tool.write_text("#!/bin/sh\nsleep 1; echo x\n")
        tool.chmod(0o755)
        self.host.write_conf(programs=[str(tool)])
        s = sheet("mm-alice", check="login",
                  accounts=[account("mm-alice@acme.example", outgoing__password_command=json.dumps([str(tool)]))])
        self.host.plan(s)
        self.host.apply(s)
        (self.state("mm-alice") / "logins.json").unlink()
        began = time.time()
        self.assertEqual(self.as_user("mm-alice", "login").returncode, OK)
        self.assertLess(time.time() - began, 0.9)
        spool = self.state("mm-alice") / "spool"
        self.assertTrue(wait_until(lambda: len(list(spool.iterdir())) == 2, 10))
        a = self.host.ask("status")
        logins = a.of(LOGIN)
        self.assertEqual([x["result"] for x in logins], ["passed"])

    def test_login_saves_work(self):
        """Proven today, or refused with the same password: no second attempt by a session."""
        self.put("mm-alice", ".msmtprc", "")
        right = self.put("mm-alice", ".probe-password", "right")
        secret = self.put("mm-alice", "secret", "wrong\n")
        self.host.write_conf(programs=["/bin/cat"])
        s = sheet("mm-alice", check="login",
                  accounts=[account("mm-alice@acme.example", outgoing__password_command=json.dumps(["/bin/cat", str(secret)]))])
        log = self.home("mm-alice") / ".probe.jsonl"

        def asked():
            return len(log.read_text().splitlines()) if log.exists() else 0
        a = self.host.apply(s)
        self.assertEqual((a.of(LOGIN)[0]["result"], asked()), ("failed", 1))
        self.as_user("mm-alice", "login", "--wait")
        self.assertEqual(asked(), 1)
        first = a.of(LOGIN)[0]
        a = self.host.ask("status")
        (again,) = a.of(LOGIN)
        self.assertEqual((again["result"], again["class"], again["when"]), ("failed", "AUTH_REJECTED", first["when"]))
        self.assertIn("not presented again", again["text"])
        # A new password is tried at once; what passed is not repeated.
        secret.write_text("right\n")
        self.as_user("mm-alice", "login", "--wait")
        self.assertEqual(asked(), 2)
        self.as_user("mm-alice", "login", "--wait")
        self.assertEqual(asked(), 2)
        # An admin who asks gets a fresh answer.
        right.write_text("changed on the server")
        a = self.host.apply(s)
        self.assertEqual((a.of(LOGIN)[0]["result"], asked()), ("failed", 3))
        for path in self.state("mm-alice").rglob("*"):
            if path.is_file():
                self.assertNotIn(b"wrong", path.read_bytes())

    def test_login_says_the_same_only_once(self):
        self.put("mm-alice", ".msmtprc", "")
        self.host.apply(sheet("mm-alice"))
        for _ in range(3):
            self.as_user("mm-alice", "login", "--wait")
        self.assertEqual(len(list((self.state("mm-alice") / "spool").iterdir())), 1)
        (self.home("mm-alice") / ".msmtprc").unlink()
        self.put("mm-alice", ".msmtprc", "")
        self.as_user("mm-alice", "login", "--wait")
        self.assertEqual(len(list((self.state("mm-alice") / "spool").iterdir())), 2)

    def test_login_of_somebody_unmanaged(self):
        self.host.apply(sheet("mm-alice"))
        p = self.as_user("mm-bob", "login")
        self.assertEqual((p.returncode, p.stdout, p.stderr), (OK, b"", b""))
        self.assertEqual(list(self.home("mm-bob").iterdir()), [])

    def test_what_a_user_may_not_or_cannot(self):
        """One line that says so, and nothing is made in the home."""
        self.host.apply(sheet("mm-alice"))
        for args in (("disable", "--reason", "x"), ("enable",)):
            p = self.as_user("mm-bob", *args)
            self.assertEqual((p.returncode, p.stdout), (NOPERM, b""))
            self.assertRegex(p.stderr, rb"^mailmuster-agent: [^\n]*only root[^\n]*\n$")
        p = self.as_user("mm-bob", "restore")
        self.assertEqual((p.returncode, p.stdout), (FAILED, b""))
        self.assertEqual(p.stderr, b"mailmuster-agent: nothing was ever changed in your configs\n")
        self.assertEqual(list(self.home("mm-bob").iterdir()), [])

    def test_xdg_state_home_is_no_second_truth(self):
        """Root cannot know the variable: both must use one journal."""
        self.put("mm-alice", ".msmtprc", "")
        self.host.apply(sheet("mm-alice"))
        self.as_user("mm-alice", "login", XDG_STATE_HOME=str(self.home("mm-alice") / "elsewhere"))
        self.assertFalse((self.home("mm-alice") / "elsewhere").exists())


if __name__ == "__main__":
    unittest.main()
