"""key rotate on real workstations: hosts follow the new key, also after several rotations, and obey the former one no
more; a rotation that is killed at any step leaves one key in use; the audit log knows who put which key in place."""

import json
import os
import pathlib
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent.parent / "lib"), str(HERE)]
import agentlib  # noqa: E402
import fleet as fleets  # noqa: E402

BIN = pathlib.Path(os.environ.get("MM_BIN", "build/gcc/bin")).resolve()
SCRIPT = HERE.parents[2] / "packaging/mailmuster-verify-export"
OK, FAILED, DIFF, HOSTS_FAILED, NOPERM = 0, 1, 2, 4, 77
TAKEN = "/var/lib/mailmuster-agent/keys"
POLICY = """format = 1;
organisation = { name = "Acme"; domain = "acme.example"; };
endpoints = {
  imap = { protocol = "imap"; host = "imap.acme.example"; port = 993; security = "tls"; auth = "password"; username = "%{address}"; };
  smtp = { protocol = "smtp"; host = "smtp.acme.example"; port = 465; security = "tls"; auth = "password"; username = "%{address}"; };
};
accounts = { work = { address = "%{address}"; real_name = "%{name}"; incoming = "imap"; outgoing = "smtp"; }; };
groups = { staff = { priority = 10; accounts = [ "work" ]; }; };
rules = { tls_min = "1.2"; check = "reach"; };
"""


class Controller(unittest.TestCase):
    def new_state(self, folder):
        self.state = folder / self.id().rsplit(".", 1)[1]
        self.env = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": str(folder), "LANG": "C.UTF-8",
                    "ASAN_OPTIONS": "detect_leaks=0", "MAILMUSTER_STATE": str(self.state)}
        self.mm("init")

    def run_mm(self, *args, before=(), **kw):
        return subprocess.run([*before, BIN / "mailmuster", *map(str, args)], env=self.env, capture_output=True, text=True,
                              timeout=120, check=False, **{"stdin": subprocess.DEVNULL, **kw})

    def mm(self, *args, status=OK):
        r = self.run_mm(*args)
        self.assertEqual(r.returncode, status, f"mailmuster {args}\n{r.stdout}{r.stderr}")
        return r.stdout + r.stderr

    def json(self, *args, status=OK):
        r = self.run_mm(*args, "--json")
        self.assertEqual(r.returncode, status, f"mailmuster {args}\n{r.stdout}{r.stderr}")
        return json.loads(r.stdout)

    def keys(self):
        return self.json("key", "list")

    def sql(self, text):
        with sqlite3.connect(self.state / "store.db") as db:
            return db.execute(text).fetchall()


class HostsFollow(Controller):
    @classmethod
    def setUpClass(cls):
        cls.tmp = pathlib.Path(tempfile.mkdtemp(prefix="mm-rotate-"))
        cls.tmp.chmod(0o755)
        cls.addClassCleanup(shutil.rmtree, cls.tmp, True)
        cls.fleet = fleets.Fleet(cls.tmp / "f", {"a@acme.example": "x"}).prepare(3)
        cls.addClassCleanup(cls.fleet.stop)
        for ws in cls.fleet.workstations.values():
            ws.install_binaries(BIN)
        cls.fleet.start()

    def setUp(self):
        self.new_state(self.tmp)
        (self.tmp / "acme.conf").write_text(POLICY)
        self.mm("policy", "import", self.tmp / "acme.conf")

    def enroll(self, *names, status=OK):
        for name in names:
            shutil.rmtree(self.fleet[name].root / "var/lib/mailmuster-agent", ignore_errors=True)
            self.enroll_again(name)

    def enroll_again(self, name):
        key = self.fleet[name].root / "etc/ssh/ssh_host_ed25519_key.pub"
        found = subprocess.run(["ssh-keygen", "-lf", key], check=True, capture_output=True, text=True).stdout.split()[1]
        self.mm("host", "enroll", name, "--identity", self.fleet.dir / "admin_key", "--allow-domain", "acme.example",
                "--fingerprint", found)

    def push(self, *names, status=OK):
        hosts = [word for name in names for word in ("--host", name)]
        return self.mm("push", *hosts, "--now", status=status)

    def taken(self, name):
        path = self.fleet[name].root / TAKEN[1:]
        return [json.loads(line)["key"] for line in path.read_text().splitlines()] if path.exists() else []

    def order(self, name, key, epoch):
        """What the agent of this host says to an order by this private key: a refusal, or None."""
        host = agentlib.Host.__new__(agentlib.Host)
        host.serial, host.settings = int(time.time()) + 60, {"host": name}
        stream = host.stream(host.request("status", epoch=epoch), key=key)
        r = subprocess.run(self.fleet[name].command("/usr/bin/mailmuster-agent", "receive"), input=stream, timeout=60,
                           capture_output=True, check=False)
        frames = dict(frames_of(r.stdout))
        return json.loads(frames[agentlib.REFUSED]) if agentlib.REFUSED in frames else None

    def test_one_rotation(self):
        self.enroll("ws1", "ws2")
        self.push("ws1", "ws2")
        first = self.keys()[0]["id"]
        shutil.copy(self.state / "keys/sign.pem", self.tmp / "former.pem")
        self.mm("key", "rotate", "--reason", "it is a year old")
        fresh, former = self.keys()
        self.assertEqual((fresh["signed_by"], fresh["epoch"], fresh["in_use"]), (first, 2, True))
        self.assertEqual((former["id"], former["in_use"], former["hosts"]), (first, False, 2))
        # Until the new key has come, the former one is all that the host knows.
        self.assertIsNone(self.order("ws2", self.tmp / "former.pem", 1))
        self.push("ws1")
        self.assertEqual((self.taken("ws1"), self.taken("ws2")), ([fresh["id"]], []))
        self.assertEqual([k["hosts"] for k in self.keys()], [1, 1])
        refused = self.order("ws1", self.tmp / "former.pem", 3)
        self.assertEqual((refused["code"], refused["reason"]), (NOPERM, "signature"))
        self.assertIn("was replaced by " + fresh["id"][:16], refused["text"])
        before = self.fleet["ws1"].read(TAKEN)
        self.push("ws1", "ws2")
        self.assertEqual(self.fleet["ws1"].read(TAKEN), before)
        self.assertEqual([k["hosts"] for k in self.keys()], [2, 0])
        self.assertIsNone(self.order("ws1", self.state / "keys/sign.pem", 2))
        log = self.mm("audit", "log")
        self.assertRegex(log, rf"key\.rotate +{fresh['id']} +epoch=2 former={first}; reason: it is a year old")

    def test_a_host_that_was_off(self):
        self.enroll("ws1")
        self.push("ws1")
        for _ in range(3):
            self.mm("key", "rotate")
        ids = [k["id"] for k in self.keys()]
        self.push("ws1")
        self.assertEqual(self.taken("ws1"), ids[2::-1])
        # Enrolled anew it knows the newest from its configuration, and what it took means nothing.
        self.enroll_again("ws1")
        self.push("ws1")
        self.mm("key", "rotate")
        self.push("ws1")
        self.assertEqual(self.taken("ws1"), [self.keys()[0]["id"]])

    def test_compromised(self):
        self.enroll("ws1")
        self.push("ws1")
        self.mm("key", "rotate")
        self.push("ws1")
        shutil.copy(self.state / "keys/sign.pem", self.tmp / "stolen.pem")
        out = self.mm("key", "rotate", "--compromised", "--reason", "laptop stolen")
        self.assertIn("enrol every host anew", out)
        self.assertNotIn("signed_by", self.keys()[0])
        out = self.push("ws1", status=HOSTS_FAILED)
        self.assertIn("host enroll", out)
        self.enroll_again("ws1")
        self.push("ws1")
        self.assertEqual(self.order("ws1", self.tmp / "stolen.pem", 9)["reason"], "signature")
        self.assertIn("every hash is right", self.mm("audit", "verify"))

    def test_a_controller_that_was_lost(self):
        """A new state begins at epoch 1; an enrolment with its key makes the host count anew."""
        self.enroll("ws1")
        self.mm("key", "rotate")
        self.push("ws1")
        shutil.rmtree(self.state)
        self.mm("init")
        self.mm("policy", "import", self.tmp / "acme.conf")
        self.enroll_again("ws1")
        self.push("ws1")
        self.assertEqual(self.sql("SELECT DISTINCT epoch FROM reports"), [(1,)])

    def test_an_agent_before_rotations(self):
        """It looks for a key that it knows, finds none, and says so."""
        self.enroll("ws1")
        self.push("ws1")
        shutil.copy(self.state / "keys/sign.pem", self.tmp / "former.pem")
        self.mm("key", "rotate")
        # Without the statements this is what such an agent sees.
        refused = self.order("ws1", self.state / "keys/sign.pem", 2)
        self.assertEqual((refused["code"], refused["reason"]), (NOPERM, "signature"))
        self.assertIn("no good signature by one of 1 trusted keys", refused["text"])
        self.assertEqual(self.taken("ws1"), [])

    def test_serve_goes_on(self):
        self.enroll("ws1", "ws2", "ws3")
        self.push("ws1", "ws2", "ws3")
        serve = subprocess.Popen([BIN / "mailmuster", "serve"], env=self.env, stdin=subprocess.DEVNULL,
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(agentlib.end_process, serve)
        self.mm("key", "rotate")
        (self.tmp / "two.conf").write_text(POLICY.replace("imap.acme", "imap2.acme"))
        self.mm("policy", "import", self.tmp / "two.conf")
        self.mm("push", "--all", "--waves", "1,100%", "--bake", "1s", "--min-tested", "0", "--detach")
        self.assertTrue(agentlib.wait_until(lambda: self.json("rollout", "list")[0]["state"] == "done", 90),
                        self.mm("rollout", "show", "1"))
        self.assertEqual([k["hosts"] for k in self.keys()], [3, 0])
        self.assertIsNone(serve.poll())


def frames_of(stream):
    at = stream.index(agentlib.MAGIC) + len(agentlib.MAGIC)
    while at < len(stream):
        kind, length = int.from_bytes(stream[at:at + 2], "big"), int.from_bytes(stream[at + 4:at + 8], "big")
        yield kind, stream[at + 8:at + 8 + length]
        at += 8 + length


class OneKeyIsInUse(Controller):
    def setUp(self):
        self.tmp = pathlib.Path(tempfile.mkdtemp(prefix="mm-rotate-"))
        self.addCleanup(shutil.rmtree, self.tmp, True)
        self.new_state(self.tmp)

    def private_key(self):
        out = subprocess.run(["openssl", "pkey", "-in", self.state / "keys/sign.pem", "-pubout"], check=True,
                             capture_output=True, text=True).stdout
        return out

    def well(self):
        """One key is in use, the log holds, and what is signed now is signed by it."""
        keys = self.keys()
        export = self.tmp / "export"
        export.unlink(missing_ok=True)
        self.assertTrue(self.json("audit", "export", export)["signed"])
        self.assertEqual(self.private_key(), keys[0]["pem"])
        verdict = self.json("audit", "verify")
        self.assertEqual((verdict["good"], verdict["signing_keys"]), (True, len(keys)), verdict)
        return keys

    def test_killed_at_every_step(self):
        """By the system calls that leave a trace on disk, one after the other."""
        steps = "openat,write,fsync,fdatasync,rename,renameat,renameat2,pwrite64,unlink,close"
        rotated = survived = 0
        for step in steps.split(","):
            number = 0
            while True:
                number += max(1, number // 6)
                before = self.keys()
                trace = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={step}",
                         "-e", f"inject={step}:signal=KILL:when={number}"]
                r = self.run_mm("key", "rotate", before=trace)
                keys = self.well()
                grown = len(keys) - len(before)
                self.assertIn(grown, (0, 1))
                self.assertEqual([k["id"] for k in keys[grown:]], [k["id"] for k in before])
                if r.returncode == 0:
                    self.assertFalse((self.state / "keys/sign-next.pem").exists())
                    break
                self.assertEqual(r.returncode, -signal.SIGKILL, r.stderr)
                rotated += grown
                survived += not grown
                if len(keys) > 40:
                    self.skipTest("too many keys for more")
        self.assertGreater(rotated, 0)
        self.assertGreater(survived, 0)

    def test_two_at_once(self):
        runs = [subprocess.Popen([BIN / "mailmuster", "key", "rotate"], env=self.env, stdin=subprocess.DEVNULL,
                                 stdout=subprocess.DEVNULL) for _ in range(4)]
        self.assertEqual([p.wait(60) for p in runs], [0] * 4)
        self.assertEqual(len(self.well()), 5)

    def test_a_key_that_lies_apart(self):
        (self.state / "keys/sign.pem").unlink()
        r = self.run_mm("key", "rotate")
        self.assertEqual(r.returncode, FAILED, r.stderr)
        self.assertIn("keys/sign.pem", r.stderr)
        self.assertEqual(len(self.keys()), 1)

    def test_the_log_and_its_exports(self):
        first = self.tmp / "first.pem"
        first.write_text(self.keys()[0]["pem"])
        for i in range(3):
            self.mm("key", "rotate", "--reason", f"rotation {i}")
        last = self.tmp / "last.pem"
        last.write_text(self.keys()[0]["pem"])
        export = self.tmp / "export"
        self.mm("audit", "export", export)
        for key in (first, last):
            for args in (("--export", export), ()):
                self.assertTrue(self.json("audit", "verify", "--key", key, *args)["good"])
            r = subprocess.run([SCRIPT, export, key], capture_output=True, text=True, check=False)
            self.assertEqual((r.returncode, r.stderr), (0, ""), r.stdout)
            self.assertIn("every signature is right", r.stdout)

    def test_a_key_that_was_slipped_in(self):
        """Whoever can write the store, but has not the key."""
        self.mm("key", "rotate")
        stranger = subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", self.tmp / "s.pem"], check=False)
        self.assertEqual(stranger.returncode, 0)
        pem = subprocess.run(["openssl", "pkey", "-in", self.tmp / "s.pem", "-pubout"], check=True, capture_output=True,
                             text=True).stdout
        for epoch, place in ((0, "first"), (3, "last")):
            copy = self.tmp / f"copy{epoch}"
            shutil.copytree(self.state, copy)
            with sqlite3.connect(copy / "store.db") as db:
                db.execute("INSERT INTO signing_keys (epoch, id, pem, added) VALUES (?, ?, ?, 1)", (epoch, "f" * 64, pem))
            verdict = self.json("--state", copy, "audit", "verify", status=DIFF)
            self.assertIn("neither the key before nor an entry of the log knows it",
                          "".join(f["text"] for f in verdict["faults"]), place)
        copy = self.tmp / "forged"
        shutil.copytree(self.state, copy)
        with sqlite3.connect(copy / "store.db") as db:
            db.execute("UPDATE signing_keys SET sig = proof WHERE epoch = 2")
        verdict = self.json("--state", copy, "audit", "verify", status=DIFF)
        self.assertIn("does not hold", "".join(f["text"] for f in verdict["faults"]))


if __name__ == "__main__":
    fleets.enter_namespaces()
    unittest.main()
