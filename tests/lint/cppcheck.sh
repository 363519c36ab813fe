#!/usr/bin/env bash
# cppcheck over the product's sources.
set -euo pipefail
cd "$(dirname "$0")/../.."
git ls-files '*.c' ':!tests' | xargs cppcheck --quiet --std=c11 --enable=warning,portability,performance \
	--inline-suppr --error-exitcode=1 --suppress=missingIncludeSystem --suppress=normalCheckLevelMaxBranches --suppress=varFuncNullUB \
	-D_GNU_SOURCE -DMM_VERSION='"0"' -I. -j "$(nproc)"
