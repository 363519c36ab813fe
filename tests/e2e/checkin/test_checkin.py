"""The check-in over real SSH: workstations call a controller, which is one more machine with an
unprivileged account. Needs root; runs in namespaces of its own."""

import hashlib
import json
import os
import pathlib
import shutil
import socket
import sqlite3
import struct
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "lib"))
import agentlib  # noqa: E402
import fleet as fleets  # noqa: E402
import story  # noqa: E402

BIN = pathlib.Path(os.environ.get("MM_BIN", "build/gcc/bin")).resolve()
OK, FAILED, DIFF, HOSTS_FAILED, UNREACHABLE, USAGE, DATAERR, NOPERM = 0, 1, 2, 4, 8, 64, 65, 77
STATE = "/home/mailmuster/state"
CHECKIN = f"/usr/bin/mailmuster --state {STATE} checkin --host"
AUTHORIZED = "/home/mailmuster/.ssh/authorized_keys"
KEY = "/var/lib/mailmuster-agent/ssh_key"

# Stands before `mailmuster checkin` in the forced command and does to it what $1 says.
BETWEEN = f"""#!/bin/bash
# between.sh MODE HOST
dir=/home/mailmuster/between
case $1 in
record) tee $dir/from_host | {CHECKIN} "$2" | tee $dir/to_host; exit "${{PIPESTATUS[1]}}" ;;
replay) timeout 2 cat >/dev/null & cat $dir/to_host; timeout 5 cat >/dev/null; exit 0 ;;
silent) exec sleep 60 ;;
hold) # the request waits on its way to the host
    {CHECKIN} "$2" | {{ read -r -N 1 c; touch $dir/holding; while [ ! -e $dir/go ]; do sleep 0.1; done; printf %s "$c"; cat; }}
    exit "${{PIPESTATUS[0]}}" ;;
bytes:*) # killed when it has written so many bytes
    rm -f $dir/fifo; mkfifo $dir/fifo
    {CHECKIN} "$2" <&0 >$dir/fifo & pid=$!
    exec 3<$dir/fifo
    head -c "${{1#bytes:}}" <&3
    kill -9 $pid; exit 137 ;;
after:*) # killed so many seconds after its request went out
    rm -f $dir/fifo; mkfifo $dir/fifo
    {CHECKIN} "$2" <&0 >$dir/fifo & pid=$!
    exec 3<$dir/fifo
    head -c 1 <&3
    cat <&3 & sleep "${{1#after:}}"
    kill -9 $pid; exit 137 ;;
esac
"""

SEAL_GOOD = 2  # of reports.seal in the store


def frame_of(kind_and_body):
    return agentlib.frame(*kind_and_body)


class Controller:
    """The machine `ws3`: mailmuster, its state, the account that hosts call."""

    def __init__(self, ws, fleet):
        self.ws = ws
        ws.add_user("mailmuster", 2900)
        ws.run("usermod", "-p", "*", "mailmuster", check=True)  # no password, but not locked
        for name in ("mailmuster", "mailmuster-push-worker"):
            shutil.copy(BIN / name, ws.root / "usr/bin" / name)
        for path in (pathlib.Path(__file__).resolve().parents[3] / "policies/baselines").glob("*.conf"):
            ws.write(f"/usr/share/mailmuster/policies/baselines/{path.name}", path.read_text(), mode=0o644)
        for name in ("admin_key", "admin_key.pub"):
            ws.write(f"/home/mailmuster/{name}", (fleet.dir / name).read_text(), 2900)
        for name, text in (("acme.conf", story.POLICY), ("people.csv", story.USERS_CSV), ("hosts.csv", story.HOSTS_CSV)):
            ws.write(f"/home/mailmuster/{name}", text, 2900)
        ws.write("/home/mailmuster/between.sh", BETWEEN, 2900, 0o755)
        ws.write("/home/mailmuster/between/empty", "", 2900)
        self.authorized = {}

    def run(self, *args, **kw):
        return self.ws.run("/usr/bin/mailmuster", "--state", STATE, *args, user="mailmuster", timeout=120, **kw)

    def must(self, status, *args):
        r = self.run(*args)
        # a report's own status says whether the checks hold: tests/e2e/report looks at that
        if r.returncode not in ((OK, DIFF) if args[0] == "report" else (status,)):
            raise AssertionError(f"mailmuster {' '.join(map(str, args))}: status {r.returncode}, wanted {status}\n"
                                 f"{r.stdout}\n{r.stderr}")
        return r

    def authorise(self, name, public, command):
        """The key of a host may run this command, and nothing else."""
        self.authorized[name] = f'command="{command}",restrict {public.strip()}\n'
        self.write_authorized()

    def write_authorized(self):
        self.ws.write(AUTHORIZED, "".join(self.authorized.values()), 2900)

    def sql(self, text, *args):
        with sqlite3.connect(self.ws.root / STATE[1:] / "store.db") as db:
            return db.execute(text, args).fetchall()

    def audit(self, action, host):
        return [json.loads(row[0]) for row in
                self.sql("SELECT detail FROM audit_log WHERE action = ? AND object = ? ORDER BY seq", action, host)]

    def reports(self, host, evidence=None):
        rows = self.sql("SELECT report_id, evidence FROM reports WHERE host = ?", host)
        return [r[0] for r in rows if evidence in (None, r[1])]

    def push_state(self, host):
        row = self.sql("SELECT pending, outcome, op, revision, done_revision FROM push_state WHERE host = ?", host)[0]
        return dict(zip(("pending", "outcome", "op", "revision", "done"), row))


class CheckinTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.tmp = tempfile.mkdtemp(prefix="mm-checkin-")
        os.chmod(cls.tmp, 0o755)
        cls.fleet = fleets.Fleet(pathlib.Path(cls.tmp) / "f", story.PASSWORDS).prepare(3)
        cls.addClassCleanup(shutil.rmtree, cls.tmp, True)
        cls.addClassCleanup(cls.fleet.stop)
        cls.ws1, cls.ws2, ws3 = cls.fleet.workstations.values()
        secrets = {a.split("@")[0]: p for a, p in story.PASSWORDS.items()}
        for ws, login in ((cls.ws1, "alice"), (cls.ws2, "bob")):
            ws.write("/usr/local/bin/mail-secret", story.SECRET_TOOL, 0, 0o755)
            story.add(ws, 1, login, {".msmtprc": "# nothing yet\n"}, secrets[login])
            (ws.root / "var/lib/mail-secret").chmod(0o755)
            ws.install_binaries(BIN)
        cls.ctl = Controller(ws3, cls.fleet)
        cls.fleet.start()
        must = cls.ctl.must
        for args in (["init"], ["user", "import", "/home/mailmuster/people.csv"],
                     ["host", "import", "/home/mailmuster/hosts.csv"], ["policy", "import", "/home/mailmuster/acme.conf"]):
            must(OK, *args)
        host_key = (ws3.root / "etc/ssh/ssh_host_ed25519_key.pub").read_text()
        ws3.write("/home/mailmuster/known_hosts", "other,ws3 " + host_key, 2900)
        ws3.write("/home/mailmuster/.ssh/config", "", 2900)
        (ws3.root / "home/mailmuster/.ssh").chmod(0o700)
        for ws in (cls.ws1, cls.ws2):
            cls.enroll(ws)
            # Nothing is set up: nothing is done, and nobody complains.
            r = ws.run("/usr/bin/mailmuster-agent", "checkin")
            assert (r.returncode, r.stdout, r.stderr) == (OK, "no check-in is set up\n", ""), r
        # One with all in files, one as a person would begin.
        cls.enrolled = {
            "ws1": cls.enroll(cls.ws1, "--checkin", "mailmuster@ws3", "--checkin-known-hosts",
                              "/home/mailmuster/known_hosts", "--checkin-authorized-keys", AUTHORIZED),
            "ws2": cls.enroll(cls.ws2, "--checkin", "mailmuster@ws3:22"),
        }
        cls.file_of_ws1 = ws3.read(AUTHORIZED)
        for name, told in cls.enrolled.items():
            cls.ctl.authorized[name] = told["checkin_authorized_key"] + "\n"
        cls.ctl.write_authorized()

    @classmethod
    def enroll(cls, ws, *args):
        return json.loads(cls.ctl.must(
            OK, "host", "enroll", ws.name, "--fingerprint", cls.fingerprint(ws), "--identity",
            "/home/mailmuster/admin_key", "--allow-domain", "acme.example", "--allow-program",
            "/usr/local/bin/mail-secret", "--json", *args).stdout)

    @classmethod
    def authorise(cls, ws, command=None):
        cls.ctl.authorise(ws.name, ws.read(KEY + ".pub"), command or f"{CHECKIN} {ws.name}")

    @staticmethod
    def fingerprint(ws):
        return subprocess.run(["ssh-keygen", "-lf", ws.root / "etc/ssh/ssh_host_ed25519_key.pub"], check=True,
                              capture_output=True, text=True).stdout.split()[1]

    # -- what tests do

    def checkin(self, ws, status, *args):
        r = ws.run("/usr/bin/mailmuster-agent", "checkin", *args, timeout=200)
        self.assertEqual(r.returncode, status, r.stdout + r.stderr + self.log())
        return r

    def log(self):
        return (self.ctl.ws.dir / "sshd.log").read_text(errors="replace")[-2000:]

    def owe(self, ws):
        """A push that does not reach the host leaves it pending."""
        ws.stop()
        self.ctl.must(UNREACHABLE, "push", "--host", ws.name)
        ws.start()
        self.assertEqual(self.ctl.push_state(ws.name)["pending"], 1)

    def delivered(self, ws):
        if not self.ctl.sql("SELECT 1 FROM push_state WHERE host = ? AND pending = 0", ws.name):
            self.owe(ws)
            self.checkin(ws, OK)

    def break_and_log_in(self, ws, user):
        """Drift, and what the user's own session says about it."""
        path = f"/home/{user}/.msmtprc"
        text = ws.read(path)
        changed = text.replace("port 465", "port 2525") if "port 465" in text else text + "# touched\n"
        ws.write(path, changed, ws.users[user])
        ws.run("rm", "-f", f"/home/{user}/.local/state/mailmuster-agent/told")
        r = ws.run("/usr/bin/mailmuster-agent", "login", "--wait", user=user)
        self.assertIn(r.returncode, (OK, DIFF), r.stderr)
        spool = self.spool(ws, user)
        self.assertGreater(len(spool), 0)
        return spool

    @staticmethod
    def spool(ws, user):
        folder = ws.root / f"home/{user}/.local/state/mailmuster-agent/spool"
        return sorted(p.stem for p in folder.glob("*.frames"))

    def empty(self, ws, user):
        self.checkin(ws, OK)
        self.assertEqual(self.spool(ws, user), [])

    # -- the tests

    def test_0_enrolment(self):
        for ws in (self.ws1, self.ws2):
            told = self.enrolled[ws.name]
            public = " ".join(ws.read(KEY + ".pub").split()[:2])
            self.assertEqual(told["checkin_authorized_key"],
                             f'command="{CHECKIN} {ws.name}",restrict {public} mailmuster-agent@{ws.name}')
            self.assertEqual(told["checkin_host_key"], self.fingerprint(self.ctl.ws))
            self.assertIn('checkin = { destination = "mailmuster@ws3"; port = 22;', ws.read("/etc/mailmuster/agent.conf"))
            self.assertEqual((ws.root / KEY[1:]).stat().st_mode & 0o7777, 0o600)
        self.assertEqual(self.enrolled["ws1"]["checkin_authorized_keys"], "written")
        self.assertEqual(self.file_of_ws1, self.enrolled["ws1"]["checkin_authorized_key"] + "\n")
        self.assertIsNone(self.enrolled["ws2"].get("checkin_authorized_keys"))
        # Again: nothing changes. Without a word about it, the check-in stays.
        conf, key, lines = self.ws1.read("/etc/mailmuster/agent.conf"), self.ws1.read(KEY), self.ctl.ws.read(AUTHORIZED)
        again = self.enroll(self.ws1, "--checkin", "mailmuster@ws3", "--checkin-authorized-keys", AUTHORIZED)
        self.assertEqual((again["conf"], again["checkin_authorized_keys"]), ("kept", "kept"))
        self.assertEqual(self.enroll(self.ws1)["conf"], "kept")
        self.assertEqual((self.ws1.read("/etc/mailmuster/agent.conf"), self.ws1.read(KEY), self.ctl.ws.read(AUTHORIZED)),
                         (conf, key, lines))
        for bad, status in (("ws3", USAGE), ("mailmuster@ws3:0", USAGE), ("-o@ws3", USAGE), ("a@-x", USAGE)):
            r = self.ctl.run("host", "enroll", "ws1", "--checkin", bad)
            self.assertEqual(r.returncode, status, bad + r.stderr)

    def test_a_pending_revision_is_delivered(self):
        self.owe(self.ws1)
        out = self.checkin(self.ws1, OK).stdout
        self.assertIn("checked in with mailmuster@ws3: 0 spooled reports carried", out)
        self.assertIn("host smtp.acme.example", self.ws1.read("/home/alice/.msmtprc"))
        state = self.ctl.push_state("ws1")
        self.assertEqual(state, {"pending": 0, "outcome": "ok", "op": "apply", "revision": 1, "done": 1})
        last = self.ctl.audit("checkin", "ws1")[-1]
        self.assertEqual((last["outcome"], last["op"], last["spooled"]), ("ok", "apply", 0))
        logins = json.loads(self.ctl.must(OK, "report", "--format", "json", "--all").stdout)["logins"]
        self.assertEqual({row["result"] for row in logins if row["host"] == "ws1"}, {"passed"}, logins)

    def test_b_nothing_owed_nothing_changed(self):
        self.delivered(self.ws1)
        before = self.ws1.read("/home/alice/.msmtprc")
        self.ws1.write("/home/alice/.msmtprc", before.replace("port 465", "port 2525"), self.ws1.users["alice"])
        # Drift is told, and left alone: no apply is owed.
        self.checkin(self.ws1, DIFF)
        self.assertIn("port 2525", self.ws1.read("/home/alice/.msmtprc"))
        self.assertEqual(self.ctl.audit("checkin", "ws1")[-1]["op"], "status")
        drift = json.loads(self.ctl.run("drift", "--json").stdout)["differences"]
        self.assertIn(("outgoing.port", "2525"), [(d["setting"], d["found"]) for d in drift if d["host"] == "ws1"])
        self.ws1.write("/home/alice/.msmtprc", before, self.ws1.users["alice"])
        self.checkin(self.ws1, OK)

    def test_b_the_signing_key_was_rotated(self):
        self.delivered(self.ws1)
        before = json.loads(self.ctl.must(OK, "key", "list", "--json").stdout)
        self.ctl.must(OK, "key", "rotate")
        self.ctl.must(OK, "key", "rotate")
        self.checkin(self.ws1, OK)
        taken = [json.loads(line)["former"] for line in self.ws1.read("/var/lib/mailmuster-agent/keys").splitlines()]
        self.assertEqual((len(taken), taken[0]), (2, before[0]["id"]))

    def test_c_spooled_report_arrives_and_is_acknowledged(self):
        self.delivered(self.ws1)
        spool = self.break_and_log_in(self.ws1, "alice")
        r = self.checkin(self.ws1, OK, "--json")
        self.assertEqual(json.loads(r.stdout), {"set_up": True, "account": "mailmuster", "controller": "ws3", "port": 22,
                                                "reports": len(spool), "asked": True, "status": 0})
        self.assertEqual(self.spool(self.ws1, "alice"), [])
        self.assertLessEqual(set(spool), set(self.ctl.reports("ws1", evidence=1)))
        last = self.ctl.audit("checkin", "ws1")[-1]
        self.assertEqual(last["spooled"], len(spool))
        self.assertGreaterEqual(last["acknowledged"], len(spool))
        # The host has signed what it carried as a claim, and what it saw as attested.
        seals = self.ctl.sql("SELECT evidence, seal FROM reports WHERE host = 'ws1' AND report_id IN "
                             f"({','.join('?' * len(spool))}) OR op = 'status'", *spool)
        self.assertEqual(set(seals), {(0, SEAL_GOOD), (1, SEAL_GOOD)})

    def copy_store(self, source, target):
        path = self.ctl.ws.root / STATE[1:] / "store.db"
        with sqlite3.connect(source or path) as a, sqlite3.connect(target or path) as b:
            a.backup(b)

    def test_c_a_host_is_a_witness(self):
        self.delivered(self.ws1)
        old, new = f"{self.tmp}/old.db", f"{self.tmp}/new.db"
        self.copy_store(None, old)
        self.checkin(self.ws1, OK)
        self.checkin(self.ws1, OK)
        kept = [json.loads(line) for line in self.ws1.read("/var/lib/mailmuster-agent/checkpoints").splitlines()]
        self.assertEqual([c["seq"] for c in kept], sorted(c["seq"] for c in kept))
        self.assertLessEqual(len(kept), 16)
        self.assertEqual(self.ctl.sql("SELECT checkpoint FROM host_seen WHERE host = 'ws1'")[0][0], kept[-1]["seq"])
        self.assertEqual(self.ctl.sql("SELECT COUNT(*) FROM witness_alarms"), [(0,)])
        # The store of before is put back: the host has seen more.
        self.copy_store(None, new)
        last = self.ctl.sql("SELECT serial FROM serials WHERE host = 'ws1'")[0][0]
        self.copy_store(old, None)
        while time.time() <= last + 1:  # or its requests would be refused as replays
            time.sleep(0.1)
        self.checkin(self.ws1, OK)
        self.assertEqual([(a, host) for a, host in self.ctl.sql(
            "SELECT action, object FROM audit_log WHERE action = 'audit.alarm'")], [("audit.alarm", "ws1")])
        r = self.ctl.run("status")
        self.assertEqual(r.returncode & DIFF, DIFF, r.stdout)
        self.assertIn("are not in our log", r.stdout)
        r = self.ctl.run("audit", "verify")
        self.assertEqual(r.returncode, DIFF, r.stdout)
        self.assertIn("host ws1: ", r.stdout)
        # What the host holds is not replaced by what the older store says.
        self.assertEqual(json.loads(self.ws1.read("/var/lib/mailmuster-agent/checkpoints").splitlines()[-1]), kept[-1])
        last = self.ctl.sql("SELECT serial FROM serials WHERE host = 'ws1'")[0][0]
        self.copy_store(new, None)
        while time.time() <= last + 1:
            time.sleep(0.1)
        self.checkin(self.ws1, OK)

    def test_d_a_revision_that_is_not_released_stays_here(self):
        self.delivered(self.ws1)
        new = story.POLICY.replace("port = 465", "port = 587").replace(
            'port = 587; security = "tls"; auth = "password";\n                 username = "%{address}"',
            'port = 587; security = "starttls"; auth = "password";\n                 username = "%{address}"')
        self.ctl.ws.write("/home/mailmuster/new.conf", new, 2900)
        self.ctl.must(OK, "policy", "import", "/home/mailmuster/new.conf")
        before = self.ws1.read("/home/alice/.msmtprc")
        # Neither delivered, nor is the host measured by it.
        self.checkin(self.ws1, OK)
        self.assertEqual(self.ws1.read("/home/alice/.msmtprc"), before)
        self.assertIn("port 465", before)
        self.ctl.must(OK, "policy", "rollback", "1")

    def test_e_controller_down(self):
        self.delivered(self.ws1)
        spool = self.break_and_log_in(self.ws1, "alice")
        self.ctl.ws.stop()
        try:
            r = self.checkin(self.ws1, UNREACHABLE)
            self.assertIn("Connection refused", r.stderr)
        finally:
            self.ctl.ws.start()
        self.assertEqual(self.spool(self.ws1, "alice"), spool)
        self.empty(self.ws1, "alice")
        self.assertLessEqual(set(spool), set(self.ctl.reports("ws1", evidence=1)))

    def test_e_controller_silent(self):
        self.delivered(self.ws1)
        spool = self.break_and_log_in(self.ws1, "alice")
        self.authorise(self.ws1, "/home/mailmuster/between.sh silent ws1")
        try:
            # Behind ssh, and instead of it.
            self.assertIn("no answer in time", self.checkin(self.ws1, UNREACHABLE, "--timeout", "2").stderr)
            self.ctl.ws.stop()
            with socket.create_server((self.ctl.ws.address, 22)):
                self.assertIn("imed out", self.checkin(self.ws1, UNREACHABLE, "--timeout", "2").stderr)
        finally:
            self.ctl.ws.start()
            self.authorise(self.ws1)
        self.assertEqual(self.spool(self.ws1, "alice"), spool)
        self.empty(self.ws1, "alice")

    def test_f_another_controller_key(self):
        known = self.ws1.read("/etc/mailmuster/known_hosts")
        other = (self.ws2.root / "etc/ssh/ssh_host_ed25519_key.pub").read_text()
        self.ws1.write("/etc/mailmuster/known_hosts", "ws3 " + other, 0, 0o644)
        try:
            self.assertIn("verification failed", self.checkin(self.ws1, NOPERM).stderr)
            self.ws1.write("/etc/mailmuster/known_hosts", known, 0, 0o666)
            self.assertIn("known_hosts", self.checkin(self.ws1, NOPERM).stderr)
        finally:
            self.ws1.write("/etc/mailmuster/known_hosts", known, 0, 0o644)

    def test_g_one_host_does_not_speak_for_another(self):
        self.delivered(self.ws1)
        before = self.ctl.reports("ws1"), self.ctl.reports("ws2")
        self.authorise(self.ws2, f"{CHECKIN} ws1")
        try:
            r = self.checkin(self.ws2, NOPERM)
        finally:
            self.authorise(self.ws2)
        self.assertIn('the key is that of ws1, but it speaks for "ws2"', r.stderr)
        self.assertEqual((self.ctl.reports("ws1"), self.ctl.reports("ws2")), before)
        self.assertEqual(self.ctl.audit("checkin", "ws1")[-1]["outcome"], "hostile")

    def test_h_not_enrolled(self):
        for host in ("ws9", "ws5"):  # not in the inventory; in it, but never enrolled
            self.authorise(self.ws2, f"{CHECKIN} {host}")
            try:
                r = self.checkin(self.ws2, NOPERM)
            finally:
                self.authorise(self.ws2)
            self.assertIn(f"host {host} is not enrolled", r.stderr)

    def test_i_no_forced_command_is_no_way_in(self):
        self.ctl.authorized["ws2"] = self.ws2.read(KEY + ".pub")
        self.ctl.authorise("nobody", self.ws1.read(KEY + ".pub"), "/bin/false")
        try:
            self.checkin(self.ws2, FAILED)
        finally:
            del self.ctl.authorized["nobody"]
            self.authorise(self.ws2)

    def test_j_no_signing_key_here(self):
        self.delivered(self.ws1)
        spool = self.break_and_log_in(self.ws1, "alice")
        key = self.ctl.ws.root / STATE[1:] / "keys/sign.pem"
        os.chown(key, 0, 0)
        try:
            r = self.checkin(self.ws1, NOPERM)
        finally:
            os.chown(key, 2900, 2900)
        self.assertIn("no request can be signed here", r.stderr)
        # What came is stored; it was not acknowledged, so the host keeps it.
        self.assertLessEqual(set(spool), set(self.ctl.reports("ws1", evidence=1)))
        self.assertEqual(self.spool(self.ws1, "alice"), spool)
        self.empty(self.ws1, "alice")

    def test_k_a_captured_stream_changes_nothing(self):
        self.delivered(self.ws1)
        self.break_and_log_in(self.ws1, "alice")
        self.owe(self.ws1)
        self.authorise(self.ws1, "/home/mailmuster/between.sh record ws1")
        self.checkin(self.ws1, OK)
        self.authorise(self.ws1)
        # To the controller: every report is known, the answer is to another request.
        reports = sorted(self.ctl.reports("ws1"))
        findings = self.ctl.sql("SELECT * FROM findings ORDER BY id")
        stolen = (self.ctl.ws.root / "home/mailmuster/between/from_host").read_bytes()
        self.owe(self.ws1)
        r = subprocess.run(self.ctl.ws.command(*CHECKIN.split(), "ws1", user="mailmuster"), input=stolen,
                           capture_output=True, timeout=60, check=False)
        self.assertEqual(r.returncode, DATAERR, r.stderr)
        self.assertEqual(sorted(self.ctl.reports("ws1")), reports)
        self.assertEqual(self.ctl.sql("SELECT * FROM findings ORDER BY id"), findings)
        self.assertEqual(self.ctl.push_state("ws1")["pending"], 1)
        self.checkin(self.ws1, OK)
        # To the agent: an old request.
        before = self.ws1.read("/home/alice/.msmtprc")
        changed = before.replace("port 465", "port 2525")
        self.ws1.write("/home/alice/.msmtprc", changed, self.ws1.users["alice"])
        self.authorise(self.ws1, "/home/mailmuster/between.sh replay ws1")
        try:
            r = self.checkin(self.ws1, NOPERM)
        finally:
            self.authorise(self.ws1)
        self.assertIn("was seen before", r.stderr)
        self.assertEqual(self.ws1.read("/home/alice/.msmtprc"), changed)
        self.ws1.write("/home/alice/.msmtprc", before, self.ws1.users["alice"])

    def test_k_overtaken_by_a_push(self):
        """The host refuses what it was to be told by check-in, since a push has told it more: no alarm."""
        self.owe(self.ws1)
        between = self.ctl.ws.root / "home/mailmuster/between"
        self.authorise(self.ws1, "/home/mailmuster/between.sh hold ws1")
        agent = subprocess.Popen(self.ws1.command("/usr/bin/mailmuster-agent", "checkin"), stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE, text=True)
        try:
            self.assertTrue(agentlib.wait_until((between / "holding").exists, 30))
            self.ctl.must(OK, "push", "--host", "ws1")
        finally:
            (between / "go").touch()
            _, err = agent.communicate(timeout=60)
            self.authorise(self.ws1)
        self.assertIn("was seen before", err)
        self.assertEqual(self.ctl.audit("checkin", "ws1")[-1]["outcome"], "superseded")
        state = self.ctl.push_state("ws1")
        self.assertEqual((state["pending"], state["outcome"], state["op"]), (0, "ok", "apply"))
        self.checkin(self.ws1, OK)

    def test_l_killed_in_the_middle(self):
        self.delivered(self.ws1)
        for mode in ("bytes:1", "bytes:8", "bytes:300", "after:0", "after:0.1", "after:0.3"):
            with self.subTest(mode):
                spool = self.break_and_log_in(self.ws1, "alice")
                self.owe(self.ws1)
                self.authorise(self.ws1, f"/home/mailmuster/between.sh {mode} ws1")
                self.checkin(self.ws1, UNREACHABLE)
                self.authorise(self.ws1)
                stored = self.ctl.reports("ws1", evidence=1)
                self.assertLessEqual(set(spool), set(stored), "the spool is stored before the request is made")
                left = self.spool(self.ws1, "alice")
                self.assertIn(left, (spool, []))
                self.checkin(self.ws1, OK)
                self.assertEqual(self.spool(self.ws1, "alice"), [])
                self.assertEqual(sorted(self.ctl.reports("ws1", evidence=1)), sorted(stored))
                self.assertEqual(self.ctl.push_state("ws1")["pending"], 0)
                self.ctl.must(OK, "audit", "verify")

    def talk(self, stream):
        """What a host could send, without its agent."""
        return subprocess.run(self.ctl.ws.command(*CHECKIN.split(), "ws2", user="mailmuster"), input=stream,
                              capture_output=True, timeout=60, check=False)

    @staticmethod
    def stream(*frames):
        """Frames as (type, body) behind the magic, with a right END."""
        sha = hashlib.sha256(b"".join(struct.pack(">HI", kind, len(body)) + body for kind, body in frames))
        end = json.dumps({"frames": len(frames), "sha256": sha.hexdigest()}).encode()
        return agentlib.MAGIC + b"".join(agentlib.frame(*f) for f in frames) + agentlib.frame(agentlib.END, end)

    HELLO = (agentlib.HELLO, b'{"agent":"0","proto":[1,0],"host":"ws2"}')

    @staticmethod
    def head(**changes):
        h = {"id": "ab" * 16, "host": "ws2", "op": "login", "evidence": "claimed", "epoch": 0, "serial": 0, "revision": 0,
             "collected": int(time.time()), "agent": "0", "user": "bob", "users": [], "expired": False}
        h.update(changes)
        return (agentlib.REPORT, json.dumps(h).encode())

    def test_m_hostile_streams(self):
        frame, magic, hello = agentlib.frame, agentlib.MAGIC, frame_of(self.HELLO)
        cases = {
            "no stream of frames": (b"x" * 5000, DATAERR),
            "is larger than": (magic + b"\0\x10\0\0\xff\xff\xff\xff", DATAERR),
            "does not begin with HELLO": (magic + frame_of(self.head()), DATAERR),
            'in the name of host "ws1"': (magic + hello + frame_of(self.head(host="ws1")), DATAERR),
            "was asked nothing": (magic + frame(agentlib.REFUSED, b'{"code":1,"reason":"replay","text":"y"}'), DATAERR),
            "without a report": (magic + hello + frame(agentlib.FINDING, b"{}"), DATAERR),
            "frames": (magic + hello + frame(agentlib.END, b'{"frames":7,"sha256":"' + b"0" * 64 + b'"}'), DATAERR),
            "after the end": (self.stream(self.HELLO) + b"x", DATAERR),
            "went away": (magic + hello, UNREACHABLE),
        }
        reports = self.ctl.reports("ws2")
        for words, (stream, status) in cases.items():
            with self.subTest(words):
                r = self.talk(stream)
                self.assertEqual(r.returncode, status, r.stderr)
                self.assertIn(words, r.stderr.decode())
                self.assertEqual(r.stdout, b"")
        self.assertEqual(self.ctl.reports("ws2"), reports)

    def test_m_a_stream_without_an_end(self):
        """Every byte of it is right; it is cut off where it is too much, and nothing of it is stored."""
        reports, one = self.ctl.reports("ws2"), {
            "user": "bob", "client": "mutt", "account": "work", "setting": "incoming.port", "desired": "993", "found": "x" * 16000,
            "line": 3, "state": "drifted", "action": "none", "reason": ""}
        first = agentlib.MAGIC + frame_of(self.HELLO) + frame_of(self.head(users=["bob"]))
        with subprocess.Popen(self.ctl.ws.command(*CHECKIN.split(), "ws2", user="mailmuster"), stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE) as p:
            sent = 0
            try:
                p.stdin.write(first)
                while sent < 1 << 30:
                    sent += p.stdin.write(agentlib.frame(agentlib.FINDING, json.dumps({**one, "path": f"/{sent}"}).encode()))
            except BrokenPipeError:
                pass
            err = p.stderr.read().decode()
            self.assertEqual(p.wait(60), DATAERR, err)
        self.assertIn(f"larger than {64 << 20} bytes", err)
        self.assertEqual(err.count("\n"), 1, err)
        self.assertLess(sent, 80 << 20)
        self.assertEqual(self.ctl.reports("ws2"), reports)

    def test_m_carried_evidence_is_a_claim(self):
        ident = os.urandom(16).hex()
        r = self.talk(self.stream(self.HELLO, self.head(id=ident, evidence="attested")))
        self.assertEqual(r.returncode, UNREACHABLE, r.stderr)  # we do not answer its request
        self.assertTrue(r.stdout.startswith(agentlib.MAGIC))
        self.assertIn(ident, self.ctl.reports("ws2", evidence=1))

    def test_m_an_answer_to_something_else_settles_nothing(self):
        self.owe(self.ws2)
        spool, old = self.stream(self.HELLO), self.stream(self.HELLO, self.head(
            id=os.urandom(16).hex(), request_id=os.urandom(16).hex(), op="apply", evidence="attested"))
        self.assertEqual(self.talk(spool + old).returncode, DATAERR)  # before it was asked for
        with subprocess.Popen(self.ctl.ws.command(*CHECKIN.split(), "ws2", user="mailmuster"), stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE) as p:
            p.stdin.write(spool)
            p.stdin.flush()
            self.assertEqual(p.stdout.read(8), agentlib.MAGIC)
            _, err = p.communicate(old, timeout=60)
        self.assertEqual(p.returncode, DATAERR, err)
        self.assertIn("none to this request", err.decode())
        state = self.ctl.push_state("ws2")
        self.assertEqual((state["pending"], state["outcome"]), (1, "hostile"))
        self.checkin(self.ws2, OK)
        self.assertEqual(self.ctl.push_state("ws2")["pending"], 0)

    def test_n_one_user_without_root(self):
        uid = self.ws2.users["bob"]
        home = "/home/bob"
        conf = self.ws2.read("/etc/mailmuster/agent.conf").split("checkin")[0]
        known = self.ws2.read("/etc/mailmuster/known_hosts")
        self.ws2.write(f"{home}/.config/mailmuster/known_hosts", known, uid)
        self.ws2.write(f"{home}/.config/mailmuster/agent.conf",
                       conf + 'checkin = { destination = "mailmuster@ws3"; };\n', uid)
        self.ws2.run("/usr/bin/mkdir", "-p", f"{home}/.local/state/mailmuster-agent", user="bob", check=True)
        self.ws2.run("/usr/bin/ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f",
                     f"{home}/.local/state/mailmuster-agent/ssh_key", user="bob", check=True)
        self.ctl.authorise("ws2", self.ws2.read(f"{home}/.local/state/mailmuster-agent/ssh_key.pub"), f"{CHECKIN} ws2")
        try:
            self.owe(self.ws2)
            r = self.ws2.run("/usr/bin/mailmuster-agent", "checkin", user="bob", timeout=120)
            self.assertEqual(r.returncode, OK, r.stderr)
            self.assertIn("host smtp.acme.example", self.ws2.read(f"{home}/.msmtprc"))
            self.assertEqual(self.ctl.push_state("ws2")["pending"], 0)
            spool = self.break_and_log_in(self.ws2, "bob")
            r = self.ws2.run("/usr/bin/mailmuster-agent", "checkin", user="bob", timeout=120)
            self.assertEqual(r.returncode, OK, r.stderr)
            self.assertEqual(self.spool(self.ws2, "bob"), [])
            self.assertLessEqual(set(spool), set(self.ctl.reports("ws2", evidence=1)))
        finally:
            shutil.rmtree(self.ws2.root / "home/bob/.config/mailmuster")
            self.authorise(self.ws2)

    def test_o_a_user_does_not_check_in_for_the_host(self):
        r = self.ws1.run("/usr/bin/mailmuster-agent", "checkin", user="alice")
        self.assertEqual(r.returncode, NOPERM, r.stderr)


if __name__ == "__main__":
    fleets.enter_namespaces()
    unittest.main(verbosity=2, warnings="ignore")
