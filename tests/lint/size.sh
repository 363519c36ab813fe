#!/usr/bin/env bash
# Size and complexity: no function over 100 lines or complexity 25, no file
# over 600 lines; prints the distribution, so that a trend is seen.
set -euo pipefail
cd "$(dirname "$0")/../.."
bad=0

while read -r lines file; do
	[ "$file" = total ] && continue
	if [ "$lines" -gt 600 ]; then
		echo "$file: $lines lines; split it (600)"
		bad=1
	fi
done < <(git ls-files '*.c' '*.h' | xargs wc -l)

# pmccabe: modified complexity, complexity, statements, first line, lines, place
while IFS=$'\t' read -r _ complexity _ _ lines place; do
	if [ "$lines" -gt 100 ] || [ "$complexity" -gt 25 ]; then
		echo "$place: $lines lines, complexity $complexity (100, 25)"
		bad=1
	fi
done < <(git ls-files '*.c' ':!tests' | xargs pmccabe)

git ls-files '*.c' ':!tests' | xargs pmccabe | awk -F'\t' '
	{ n++; lines[n] = $5; cc[n] = $2 }
	END { asort_n(lines, n); asort_n(cc, n)
	      printf "%d functions; lines: median %d, 90 %% below %d; complexity: 90 %% below %d\n",
	             n, lines[int(n / 2)], lines[int(n * .9)], cc[int(n * .9)] }
	function asort_n(a, n,   i, j, t) {
		for (i = 2; i <= n; i++) { t = a[i]; for (j = i - 1; j > 0 && a[j] > t; j--) a[j + 1] = a[j]; a[j + 1] = t }
	}'
exit $bad
