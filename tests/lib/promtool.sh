#!/usr/bin/env bash
# Prints the path of a promtool: that of the system, or else Debian's, unpacked
# into build/ once for a tree. The package itself is not installed, for it would
# start a server on this machine.
set -euo pipefail
cd "$(dirname "$0")/../.."
command -v promtool && exit 0

dir=$PWD/build/promtool
mkdir -p "$dir"
exec 9>"$dir/lock" # several tests may ask at once
flock 9
if [ ! -x "$dir/usr/bin/promtool" ]; then
	chmod 755 "$dir"
	(cd "$dir" && apt-get -q -o APT::Sandbox::User=root download prometheus) >&2
	dpkg-deb --fsys-tarfile "$dir"/prometheus_*.deb | tar -x -C "$dir" ./usr/bin/promtool
	rm -f "$dir"/prometheus_*.deb
fi
echo "$dir/usr/bin/promtool"
