#!/bin/sh
# The frozen samples are untouched, and valid by the published JSON Schemas;
# documents that break them are not. Needs Debian's python3-jsonschema.
set -eu
cd "$(dirname "$0")/.."
for samples in v1 v1.1 v1.2 v1.3; do
	(cd "schemas/samples/$samples" && sha256sum --check --strict --quiet SHA256SUMS)
done
for python in python3 /usr/bin/python3; do
	if "$python" -c 'import jsonschema' 2>/dev/null; then
		exec "$python" tests/schemas.py schemas
	fi
done
echo "schemas.sh: install python3-jsonschema" >&2
exit 1
