#!/usr/bin/env python3
"""The same zoo for the program as it is shipped: every way out, good or bad, within its seccomp filter.

    MM_BIN=FOLDER python3 tests/e2e/zoo/test_zoo_sandbox.py      (a build without sanitizers)
"""

import os
import sys

sys.path[:0] = [os.path.dirname(os.path.abspath(__file__))]

import world  # noqa: E402

if __name__ == "__main__":
    world.enter()
    import test_zoo
    test_zoo.main()
