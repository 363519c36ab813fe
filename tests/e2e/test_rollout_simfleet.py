"""Rollouts over fifty simulated workstations, some of them down, with nobody
logged in, or with a login that breaks; the same steps as tests/bench/fleet/run
takes with thousands."""

import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "bench/fleet"))
import scenarios  # noqa: E402
import simfleet  # noqa: E402

BIN = pathlib.Path(os.environ.get("MM_BIN", "build/gcc/bin")).resolve()
SHARES = {"down": 6, "broken": 20, "no-session": 40}


@unittest.skipUnless((BIN / "mm-bench-fleet").exists(), "mm-bench-fleet is not built (libssh-dev)")
class SimulatedFleetTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="mm-simfleet-")
        self.addCleanup(folder.cleanup)
        self.fleet = simfleet.Fleet(folder.name, BIN, 50, SHARES, seed=5)
        self.addCleanup(self.fleet.stop)
        self.fleet.start()
        self.fleet.prepare()
        self.r = scenarios.Rollouts(self.fleet, in_flight=3, kills=3)
        self.r.first()

    def test_stops_and_goes_back(self):
        number = self.r.halts(budget=1)
        self.r.back(number)
        self.r.audit()

    def test_nothing_is_lost_when_it_is_killed(self):
        number = self.r.killed()
        self.r.late(number)
        self.r.audit()

    def test_too_few_files_are_told(self):
        r = subprocess.run(["bash", "-c", 'ulimit -n 256; exec "$@"', "push", *self.fleet.argv("push", "--all", "--now")],
                           env=self.fleet.env, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
        self.assertIn("The limit of open files allows only 25 hosts at once", r.stdout)


if __name__ == "__main__":
    unittest.main()
