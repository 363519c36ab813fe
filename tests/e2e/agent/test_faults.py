"""Faults: whatever happens to the agent, the user's file is the old or the new one, whole."""

import ctypes
import json
import os
import pathlib
import random
import signal
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "lib"))
from agentlib import *  # noqa: E402,F403
from test_receive import Case  # noqa: E402
import story  # noqa: E402

KILLS = int(os.environ.get("MM_KILLS", "50"))


def policy(port):
    return sheet(accounts=[account("carol@acme.example", replaces=["mail.old.example"], outgoing__port=str(port))],
                 cleartext=True)


def subtree(pid):
    """Process ids below pid, deepest last."""
    found = []
    for p in pathlib.Path("/proc").iterdir():
        if p.name.isdigit():
            try:
                parent = int((p / "stat").read_text().rsplit(")", 1)[1].split()[1])
            except (OSError, IndexError):
                continue
            if parent == pid:
                found += [int(p.name), *subtree(int(p.name))]
    return found


class Killed(Case):
    def once(self, port, delay):
        """Kill the agent and its workers after `delay` seconds."""
        p = self.host.popen("receive")
        p.stdin.write(self.host.stream(self.host.request("apply", [policy(port)]), [policy(port)]))
        p.stdin.close()
        time.sleep(delay)
        for pid in [p.pid, *subtree(p.pid)]:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        p.stdout.read()
        p.stdout.close()
        p.stderr.close()
        p.wait()

    def test_kill_at_random_moments(self):
        """After each kill the config is one of the whole texts that the agent makes; the next run puts it
        right; and in the end the user gets the bytes from before."""
        rng = random.Random(4711)
        self.put(".msmtprc", story.CAROL_MSMTPRC)
        began = time.time()
        self.host.apply(policy(465))
        whole = max(0.02, time.time() - began)
        allowed = {story.CAROL_MSMTPRC.encode(), self.read(".msmtprc")}
        expect = self.read(".msmtprc")
        for i in range(KILLS):
            port = 1000 + i
            self.once(port, rng.uniform(0, whole * 1.2))
            new = expect.replace(expect[expect.index(b"account office"):],
                                 expect[expect.index(b"account office"):].replace(b"port 465", b"port %d" % port))
            allowed.add(new)
            self.assertIn(self.read(".msmtprc"), allowed, f"kill {i}")
            leftovers = [p.name for p in self.home.iterdir() if "mailmuster" in p.name]
            self.assertLessEqual(len(leftovers), 1, leftovers)
            json.loads((self.host.state / "journal.json").read_text())
        a = self.host.apply(policy(2000))
        self.assertTrue(a.ended)
        self.assertEqual(a.status, OK, a.findings)
        self.assertIn(b"port 2000", self.read(".msmtprc"))
        self.assertEqual([p.name for p in self.home.iterdir() if p.name.endswith(".tmp") or "mailmuster." in p.name], [])
        a = self.host.apply(sheet(accounts=[], cleartext=True))
        self.assertEqual(self.read(".msmtprc"), story.CAROL_MSMTPRC.encode())

    def test_kill_between_file_and_journal(self):
        """The intent on disk says which file was meant; what the file holds says how far the run got."""
        self.put(".msmtprc", "# mine\n")
        self.host.apply(sheet())
        journal = self.host.state / "journal.json"
        done = json.loads(journal.read_text())
        new = self.read(".msmtprc")
        intent = {"client": "msmtp", "path": str(self.home / ".msmtprc"), "rows": done["rows"],
                  "files": [{"path": str(self.home / ".msmtprc"), "before": digest(b"# mine\n"), "after": digest(new)}]}
        # Killed after the file was replaced: the account is ours, and removal takes it away.
        journal.write_text(json.dumps({"version": 1, "revision": 0, "rows": [], "intent": intent}))
        a = self.host.apply(sheet())
        self.assertEqual(a.finding("outgoing.host")["state"], "compliant")
        # Killed before it: the file is as it was, and the account is made.
        self.put(".msmtprc", "# mine\n")
        journal.write_text(json.dumps({"version": 1, "revision": 0, "rows": [], "intent": intent}))
        a = self.host.apply(sheet())
        self.assertEqual((a.finding("outgoing.host")["state"], a.finding("outgoing.host")["action"]), ("pending", "created"))
        self.host.apply(sheet(accounts=[]))
        self.assertEqual(self.read(".msmtprc"), b"# mine\n")

    def test_journal_of_a_newer_agent(self):
        self.put(".msmtprc", "")
        self.host.apply(sheet())
        journal = self.host.state / "journal.json"
        journal.write_text('{"version":2,"revision":1,"rows":[]}')
        before = self.read(".msmtprc")
        a = self.host.apply(sheet(accounts=[account(outgoing__port="1")]))
        f = a.finding("", client="agent")
        self.assertEqual((f["state"], a.status), ("error", FAILED))
        self.assertIn("newer", f["reason"])
        self.assertEqual(self.read(".msmtprc"), before)
        self.assertEqual(journal.read_text(), '{"version":2,"revision":1,"rows":[]}')


    def test_journal_of_another_host(self):
        """It says what is owned elsewhere: nothing here is taken for ours, and nothing there is touched."""
        away = scratch()
        self.addCleanup(remove, away)
        home = away / "home"
        home.mkdir()
        theirs = home / ".msmtprc"
        theirs.write_text("# theirs\n")
        for p in (home, theirs):
            os.chown(p, *(self.uid, self.uid) if self.uid else (-1, -1))
        other = Host(away, home=home, login="alice", uid=self.uid, host="ws2", probe=self.host.settings["probe"])
        self.assertTrue(other.apply(sheet(revision=5), revision=5).ended)
        before, there = b"account own\nhost smtp.home.example\nport 465\nfrom alice@home.example\n", theirs.read_bytes()
        self.put(".msmtprc", before)
        self.host.apply(sheet(accounts=[], revision=5), revision=5)
        stolen = json.loads((other.state / "journal.json").read_text())
        self.assertEqual({r["path"] for r in stolen["rows"]}, {str(theirs)})
        # As it is; and with paths of this home, as if that account had been made here.
        here = json.loads(json.dumps(stolen).replace(str(home), str(self.home)))
        for journal in (stolen, here, {**stolen, "intent": {
                "client": "msmtp", "path": str(theirs), "rows": stolen["rows"],
                "files": [{"path": str(theirs), "before": digest(b""), "after": digest(there)}]}}):
            (self.host.state / "journal.json").write_text(json.dumps(journal))
            a = self.host.apply(sheet(accounts=[], revision=5), revision=5)
            self.assertTrue(a.ended, a.stderr)
            self.assertEqual((self.read(".msmtprc"), theirs.read_bytes()), (before, there))
            self.assertEqual({f["path"] for f in a.findings} & {str(theirs)}, set())

    def test_journal_that_says_it_is_further(self):
        """Whoever writes a higher revision into it stops the agent, and cannot hide that."""
        self.put(".msmtprc", "")
        self.host.apply(sheet(revision=3), revision=3)
        journal = self.host.state / "journal.json"
        journal.write_text(json.dumps({**json.loads(journal.read_text()), "revision": 1 << 40}))
        a = self.host.apply(sheet(revision=4), revision=4)
        f = a.finding("", client="agent")
        self.assertEqual((f["state"], a.status), ("deferred", DIFF))
        self.assertIn("applied in this home already", f["reason"])
        self.assertNotIn("compliant", [x["state"] for x in a.findings])


@unittest.skipUnless(is_root(), "needs root for mounts")
class FileSystems(Case):
    @classmethod
    def setUpClass(cls):
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.unshare(0x20000) != 0:
            raise unittest.SkipTest("no mount namespace")
        mount("none", "/", None, (1 << 18) | 16384)

    def mount_home(self, options):
        mount("tmpfs", self.home, "tmpfs", 0, options + f",uid={self.uid},gid={self.uid},mode=755")
        self.addCleanup(umount, self.home)

    def fill(self, leave=0):
        try:
            with open(self.home / "ballast", "wb", buffering=0) as f:
                while f.write(b"x" * 4096) == 4096:
                    pass
        except OSError:
            pass
        if leave and (self.home / "ballast").exists():
            os.truncate(self.home / "ballast", max(0, (self.home / "ballast").stat().st_size - leave))

    def test_full_disk(self):
        """At every amount of space that is left: old or new, and what is told is true."""
        self.mount_home("size=256k")
        self.put(".msmtprc", story.CAROL_MSMTPRC)
        outcomes = set()
        for leave in (0, 4096, 8192, 12288, 16384, 20480, 24576, 32768, 65536):
            (self.home / "ballast").unlink(missing_ok=True)
            self.fill(leave)
            a = self.host.apply(policy(465))
            text = self.read(".msmtprc")
            if a.refused:
                outcomes.add("refused")
                self.assertEqual(text, story.CAROL_MSMTPRC.encode())
                continue
            f = a.finding("outgoing.host")
            outcomes.add(f["action"])
            if f["action"] in ("adopted", "corrected"):
                self.assertIn(b"smtp.acme.example", text)
            elif f["state"] != "compliant":
                self.assertEqual(f["state"], "error", f)
                self.assertIn("No space", f["reason"])
                self.assertEqual(text, story.CAROL_MSMTPRC.encode())
            self.assertEqual([p.name for p in self.home.iterdir() if "mailmuster" in p.name], [])
        self.assertIn("adopted", outcomes)
        self.assertGreater(len(outcomes), 1, outcomes)
        (self.home / "ballast").unlink()
        self.assertEqual(self.host.apply(policy(465)).finding("outgoing.host")["state"], "compliant")
        self.host.apply(sheet(accounts=[], cleartext=True))
        self.assertEqual(self.read(".msmtprc"), story.CAROL_MSMTPRC.encode())

    def test_read_only_home(self):
        self.mount_home("size=1m")
        self.put(".msmtprc", story.CAROL_MSMTPRC)
        state = self.dir / "state"
        state.mkdir()
        os.chown(state, self.uid, self.uid)
        self.host.state = state
        self.host.write_conf()
        mount("tmpfs", self.home, None, 32 | 1)  # MS_REMOUNT | MS_RDONLY
        a = self.host.apply(policy(465))
        f = a.finding("outgoing.host")
        self.assertEqual((f["state"], f["action"], a.status), ("deferred", "none", DIFF), f)
        self.assertIn("ead-only", f["reason"])
        self.assertEqual(self.read(".msmtprc"), story.CAROL_MSMTPRC.encode())
        mount("tmpfs", self.home, None, 32)
        self.assertEqual(self.host.apply(policy(465)).finding("outgoing.host")["action"], "adopted")


if __name__ == "__main__":
    unittest.main()
