#!/usr/bin/env bash
# gcc -fanalyzer over the product's sources: only what it compiles, nothing is linked.
set -euo pipefail
cd "$(dirname "$0")/../.."
# One header is generated when the build is configured.
[ -e build/gcc/controller/known_clients.h ] || cmake --preset gcc >/dev/null
flags=(-std=c11 -D_GNU_SOURCE -DMM_VERSION='"0"' -I. -Ibuild/gcc -include common/banned.h -O1 -fanalyzer -Werror -c -o /dev/null)
read -r -a libs < <(pkg-config --cflags jansson libcrypto libssl libseccomp sqlite3 libssh2 libconfig libcurl; echo)
git ls-files '*.c' ':!tests' | xargs -P "$(nproc)" -I{} gcc "${flags[@]}" "${libs[@]}" {}
