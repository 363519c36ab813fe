#!/usr/bin/env python3
"""--discover once more with the sandbox, which builds with a sanitizer do not have.

    python3 tests/e2e/probe/test_discover_sandbox.py --bin FOLDER     (or MM_BIN=FOLDER)
"""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import test_probe_discover  # noqa: E402
from test_probe_discover import Discover  # noqa: E402


class Sandboxed(Discover):
    def test_all_sources(self):
        self.assertEqual(self.chosen(self.discover("alice@acme.example")),
                         [("imap", "imap.acme.example", 993, "tls"), ("smtp", "smtp.acme.example", 465, "tls")])
        found = self.discover("alice@auto.example")
        self.assertEqual({c["trust"] for c in found if c["chosen"]}, {"https"})
        found = self.discover("alice@plain.example")
        self.assertEqual({tuple(c["found"]) for c in found}, {("standard-name",)})


if __name__ == "__main__":
    test_probe_discover.main()
