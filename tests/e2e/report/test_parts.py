"""A fleet that is walked in parts by a process for each CPU: the report is byte for byte that of one
walk, and a process that is killed is told of, or was not needed.

One store of 600 workstations from the generator of the benchmarks, with waivers."""
import json
import os
import re
import signal
import subprocess
import tempfile
import time
import unittest

BIN = os.path.abspath(os.environ.get("MM_BIN", "build/gcc/bin"))
HOSTS = 600
WORDS = [
    ["--format", "html"],
    ["--format", "json"],
    ["--format", "json", "--baseline", "nist-800-53-moderate"],
    ["--format", "html", "--group", "sales"],
    ["--format", "json", "--tag", "site3", "--client", "mutt"],
    ["--format", "html", "--baseline", "pci-dss-4", "--since", "YESTERDAY"],
    ["--format", "json", "--since", "YESTERDAY"],
    ["--format", "json", "--as-of", "YESTERDAY"],
]


def day(ago):
    return time.strftime("%Y-%m-%d", time.gmtime(time.time() - ago * 86400))


class Parts(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        store = os.path.join(cls.folder.name, "store.db")
        subprocess.run([f"{BIN}/mm-bench-fleetstore", store, str(HOSTS), "600"], check=True, timeout=300)
        for scope in (["--group", "sales", "--check", "implicit-tls"], ["--host", "ws-000301"]):
            subprocess.run([*cls.command("waiver", "add"), *scope, "--until", day(-30), "--owner", "bob",
                            "--reason", "agreed"], check=True, capture_output=True, timeout=60)
        cls.cpus = os.sched_getaffinity(0)

    @classmethod
    def command(cls, *words):
        return [f"{BIN}/mailmuster", "--state", cls.folder.name, *words]

    def reports(self, words):
        """By one process and by one for each CPU, begun together: ages stand in them."""
        words = [day(1) if w == "YESTERDAY" else w for w in words]
        started = [subprocess.Popen(self.command("report", *words), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                    preexec_fn=lambda cpus=cpus: os.sched_setaffinity(0, cpus))
                   for cpus in ({min(self.cpus)}, self.cpus)]
        # Read one behind the other: an output that waits is no trouble.
        said = [p.communicate(timeout=300) for p in started]
        for p, (_, err) in zip(started, said):
            self.assertIn(p.returncode, (0, 2), err.decode())
        return [out.decode() for out, _ in said]

    def test_the_same_as_one_walk(self):
        if len(self.cpus) < 2:
            self.skipTest("there is one CPU")
        for words in WORDS:
            with self.subTest(words=words):
                for _ in range(20):
                    alone, together = self.reports(words)
                    if moment(alone) == moment(together):
                        break
                self.assertEqual(moment(alone), moment(together))
                self.assertTrue(alone == together, "the parts do not make the whole")
                self.assertIn("ws-0005", together)

    def test_one_is_killed(self):
        told, whole = 0, 0
        for delay in (0, 0.002, 0.005, 0.01, 0.02, 0.05):
            p = subprocess.Popen(self.command("report", "--format", "json"), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            end = time.monotonic() + 5
            others = []
            while p.poll() is None and not others and time.monotonic() < end:
                others = children(p.pid)
            time.sleep(delay)
            for pid in others:
                if pid in children(p.pid):
                    os.kill(pid, signal.SIGKILL)
            out, err = p.communicate(timeout=300)
            if p.returncode == 1:
                self.assertIn(b"a process that read part of the store was ended by signal 9", err)
                told += 1
            else:
                self.assertEqual(p.returncode, 2, err)
                self.assertEqual(json.loads(out)["fleet"]["hosts"]["total"], HOSTS)
                whole += 1
        self.assertEqual(told + whole, 6)


def moment(text):
    """When it was made: the first moment that stands in a report."""
    return re.search(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d", text).group()


def children(pid):
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as f:
            return [int(w) for w in f.read().split()]
    except OSError:
        return []


if __name__ == "__main__":
    unittest.main()
