#!/usr/bin/env bash
# scan-build (the clang analyser around a real build) over the product's programs.
# A finding is a failure. Two minutes on two cores; it is stopped after twenty.
set -euo pipefail
cd "$(dirname "$0")/../.."
dir=build/scan
# Afresh: what is compiled already is not looked at again. A launcher would hide the analyser.
rm -rf "$dir"
unset CMAKE_C_COMPILER_LAUNCHER
scan=(timeout 1200 scan-build --use-cc=clang --status-bugs -o "$dir/reports"
	-enable-checker optin.portability.UnixAPI -enable-checker security.FloatLoopCounter
	-enable-checker nullability.NullPassedToNonnull -enable-checker nullability.NullableDereferenced)
"${scan[@]}" cmake -S . -B "$dir" -G Ninja -DCMAKE_BUILD_TYPE=Debug >/dev/null
grep -q '^CMAKE_C_COMPILER:.*ccc-analyzer$' "$dir/CMakeCache.txt" || {
	echo "the build does not go through the analyser" >&2
	exit 1
}
"${scan[@]}" ninja -C "$dir" -j "$(nproc)" mailmuster mailmuster-push-worker mailmuster-agent mailmuster-probe
