import os
import pathlib
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
import unittest

from common import BIN, Case

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tests"))
import schemas  # noqa: E402

MANUAL = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../packaging/man/mailmuster.1")


class Printed(Case):
    def setUp(self):
        super().setUp()
        self.mm("init")
        self.validators = schemas.load(ROOT / "schemas/json")

    def valid(self, name, document):
        self.assertEqual([e.message for e in self.validators[name].iter_errors(document)], [])

    def test_lists_of_checks(self):
        for baseline in sorted((ROOT / "policies/baselines").glob("*.conf")):
            if baseline.stem == "checks":
                continue
            printed = self.mm_json("report", "--list-checks", "--baseline", baseline.stem)
            self.valid("check-list", printed)
            self.assertEqual(printed["baseline"]["id"], baseline.stem)
            self.assertGreater(len(printed["checks"]), 10)

    def test_keys(self):
        self.mm("key", "rotate")
        keys = self.mm_json("key", "list")
        self.assertEqual([k["epoch"] for k in keys], [2, 1])
        self.assertEqual(keys[0]["signed_by"], keys[1]["id"])
        for key in keys:
            self.valid("signing-key", key)


class Init(Case):
    def test_makes_everything_private(self):
        out = self.mm_json("init")
        self.assertTrue(out["created"])
        for name, mode in (("", 0o700), ("keys", 0o700), ("keys/sign.pem", 0o600), ("keys/ssh", 0o600), ("store.db", 0o600)):
            self.assertEqual(os.stat(os.path.join(self.state, name)).st_mode & 0o777, mode, name)
        with open(os.path.join(self.state, "keys/ssh.pub"), encoding="ascii") as f:
            self.assertTrue(f.read().startswith("ssh-ed25519 "))
        keys = self.mm_json("key", "list")
        self.assertEqual([k["epoch"] for k in keys], [1])
        self.assertEqual(keys[0]["id"], out["key_id"])

    def test_again_keeps(self):
        first = self.mm_json("init")
        again = self.mm_json("init")
        self.assertFalse(again["created"])
        self.assertEqual(first["key_id"], again["key_id"])

    def test_key_that_lies_apart(self):
        self.mm("init")
        key = os.path.join(self.state, "keys/sign.pem")
        os.rename(key, os.path.join(self.dir, "safe.pem"))
        self.assertIn("lies apart", self.mm("init")[0])
        self.assertFalse(os.path.exists(key))

    def test_another_key_is_noticed(self):
        other = self.state + "2"
        self.mm("init")
        self.mm("--state", other, "init")
        os.replace(os.path.join(other, "keys/sign.pem"), os.path.join(self.state, "keys/sign.pem"))
        _, err = self.mm("init", rc=1)
        self.assertIn("epoch 1", err)

    def test_interrupted_after_any_step(self):
        """kill -9 during init: the next one completes it."""
        for i in range(10):
            self.state = os.path.join(self.dir, "state%d" % i)
            p = subprocess.Popen([BIN, "init"], env=dict(os.environ, MAILMUSTER_STATE=self.state), stdout=subprocess.DEVNULL)
            time.sleep(random.uniform(0, 0.06))
            p.kill()
            p.wait()
            out = self.mm_json("init")
            self.assertEqual([k["id"] for k in self.mm_json("key", "list")], [out["key_id"]])
            p = subprocess.run(["ssh-keygen", "-y", "-P", "", "-f", out["ssh_key"]], capture_output=True, check=False)
            self.assertEqual(p.returncode, 0, p.stderr)

    def test_open_folder_is_refused(self):
        os.mkdir(self.state, 0o755)
        os.chmod(self.state, 0o755)
        _, err = self.mm("init", rc=77)
        self.assertIn("0700", err)

    def test_without_init(self):
        _, err = self.mm("user", "list", rc=1)
        self.assertIn("mailmuster init", err)


class CommandLine(Case):
    def test_usage(self):
        self.mm(rc=64)
        self.assertIn("policy", self.mm("--help")[0])
        self.assertIn("mailmuster 0", self.mm("--version")[0])
        self.assertIn('did you mean "policy"', self.mm("polcy", rc=64)[1])
        self.assertIn('did you mean "import"', self.mm("policy", "imprt", rc=64)[1])
        self.assertIn("--group", self.mm("user", "list", "--grop", "x", rc=64)[1])
        self.mm("user", "show", rc=64)
        self.mm("user", "show", "a", "b", rc=64)
        self.mm("--state", rc=64)
        self.assertIn("Usage: mailmuster user add", self.mm("user", "add", "--help")[0])

    def test_every_command_has_help(self):
        for line in self.mm("--help")[0].split("Commands:\n")[1].split("\n\n")[0].splitlines():
            name = line.split()[0]
            self.assertIn("Usage: mailmuster " + name, self.mm(name, "--help")[0])

    def commands(self, *words):
        """Every command with its help."""
        text = self.mm(*words, "--help")[0]
        if "ommands:\n" in text:
            for line in text.split("ommands:\n")[1].split("\n\n")[0].splitlines():
                yield from self.commands(*words, line.split()[0])
        else:
            yield words, text

    @unittest.skipUnless(shutil.which("mandoc"), "needs mandoc")
    def test_manual_has_every_command_and_option(self):
        page = subprocess.run(["mandoc", "-T", "utf8", "-O", "width=1000", MANUAL], capture_output=True, text=True,
                              timeout=60, check=True).stdout
        page = " ".join(re.sub(".\b", "", page).split())
        for words, text in self.commands():
            self.assertIn(" ".join(words), page)
            for option in re.findall(r"^ +(?:-\w, )?(--[a-z-]+)", text, re.M):
                self.assertRegex(page, option + r"(?![a-z-])", words)

    def test_state_folder(self):
        other = os.path.join(self.dir, "other")
        self.mm("--state", other, "init")
        self.assertTrue(os.path.exists(os.path.join(other, "store.db")))
        self.assertEqual(self.mm("user", "list", "--json", "--state=" + other)[0], "[]\n")
        xdg = os.path.join(self.dir, "xdg")
        os.mkdir(xdg)
        if os.geteuid() == 0:
            os.chmod(self.dir, 0o755)
            os.chown(xdg, 65534, 65534)
            p = subprocess.run([BIN, "init"], env={"XDG_STATE_HOME": xdg, "PATH": "/usr/bin"}, capture_output=True,
                               text=True, timeout=60, user=65534, group=65534, check=False)
            self.assertEqual(p.returncode, 0, p.stderr)
            self.assertTrue(os.path.exists(os.path.join(xdg, "mailmuster/store.db")))

    def test_full_disk_is_no_success(self):
        self.started()
        with open("/dev/full", "w", encoding="ascii") as full:
            p = subprocess.run([BIN, "user", "list"], env=dict(os.environ, MAILMUSTER_STATE=self.state), stdout=full,
                               stderr=subprocess.PIPE, timeout=60, check=False)
        self.assertEqual(p.returncode, 1)

    def test_completion(self):
        script = self.mm("completion", "bash")[0]
        self.mm("completion", "tcsh", rc=64)
        check = script + '\nCOMP_WORDS=(mailmuster policy im); COMP_CWORD=2; _mailmuster; echo "${COMPREPLY[@]}"\n' \
            'COMP_WORDS=(mailmuster --state /x ba); COMP_CWORD=3; _mailmuster; echo "${COMPREPLY[@]}"\n'
        p = subprocess.run(["bash", "-c", check], capture_output=True, text=True, timeout=60, check=True)
        self.assertEqual(p.stdout, "import\nbackup\n")


class Audit(Case):
    def test_log_and_verify(self):
        self.started()
        self.mm("host", "add", "ws1", "--user", "alice", "--reason", "ticket 7")
        log = self.mm_json("audit", "log")
        self.assertEqual([e["seq"] for e in log], list(range(1, len(log) + 1)))
        last = log[-1]
        self.assertEqual((last["action"], last["object"], last["reason"]), ("host.add", "ws1", "ticket 7"))
        self.assertIn("uid %d" % os.getuid(), last["who"])
        self.assertEqual(self.mm_json("audit", "log", "--after", str(len(log) - 1)), [last])
        verdict = self.mm_json("audit", "verify")
        self.assertEqual((verdict["good"], verdict["entries"], verdict["faults"]), (True, len(log), []))

    def test_forgery_is_found(self):
        import sqlite3
        self.started()
        db = sqlite3.connect(os.path.join(self.state, "store.db"))
        db.execute("UPDATE audit_log SET who = 'somebody else' WHERE seq = 3")
        db.commit()
        db.close()
        self.assertIn("entry 3: changed", self.mm("audit", "verify", rc=2)[0])
        self.assertFalse(self.mm_json("audit", "verify", rc=2)["good"])

    def test_sudo_names_the_person(self):
        if os.geteuid() != 0:
            self.skipTest("needs root")
        self.mm("init")
        self.mm("group", "add", "staff", env={"SUDO_UID": "65534"})
        self.assertIn("uid 65534", self.mm_json("audit", "log")[-1]["who"])


class Trouble(Case):
    def test_disk_full(self):
        """Nothing of an import that did not fit is stored."""
        self.started()
        before = os.path.getsize(os.path.join(self.state, "store.db"))
        path = self.file("many.csv", "login,name\n" + "".join("u%d,Some Name\n" % i for i in range(5000)))

        def limit():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (before + 65536, before + 65536))

        p = subprocess.run([BIN, "user", "import", path], env=dict(os.environ, MAILMUSTER_STATE=self.state),
                           capture_output=True, text=True, timeout=60, check=False, preexec_fn=limit)
        self.assertEqual(p.returncode, 1, p.stderr)
        self.assertIn("store:", p.stderr)
        self.assertEqual([u["login"] for u in self.mm_json("user", "list")], ["alice", "bob"])
        self.mm("user", "import", path)

    def test_side_by_side(self):
        """Eight commands at once: every one gets its turn, the chain stays whole."""
        self.started()
        env = dict(os.environ, MAILMUSTER_STATE=self.state)
        running = [subprocess.Popen([BIN, "host", "add", "ws%d" % i], env=env, stdout=subprocess.DEVNULL) for i in range(8)]
        self.assertEqual([p.wait() for p in running], [0] * 8)
        self.assertEqual(len(self.mm_json("host", "list")), 8)
        self.mm("audit", "verify")

    def test_newer_store(self):
        import sqlite3
        self.mm("init")
        db = sqlite3.connect(os.path.join(self.state, "store.db"))
        db.execute("PRAGMA user_version = 99")
        db.close()
        self.assertIn("version 99", self.mm("user", "list", rc=65)[1])


class Backup(Case):
    def test_backup(self):
        self.started()
        path = os.path.join(self.dir, "copy.db")
        self.mm("backup", path)
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)
        self.mm("backup", path, rc=1)
        other = os.path.join(self.dir, "restored")
        os.mkdir(other, 0o700)
        os.rename(path, os.path.join(other, "store.db"))
        self.state = other
        self.assertEqual([u["login"] for u in self.mm_json("user", "list")], ["alice", "bob"])
        self.mm("audit", "verify")


if __name__ == "__main__":
    unittest.main()
