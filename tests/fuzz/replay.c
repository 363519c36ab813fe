/*
 * Runs every file of a corpus folder through a fuzz target, so that what the
 * fuzzer once found stays found in every ordinary build.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int run_file(const char *dir, const char *name)
{
	char path[4096];
	int n = snprintf(path, sizeof(path), "%s/%s", dir, name);
	FILE *f = n > 0 && (size_t)n < sizeof(path) ? fopen(path, "rb") : NULL;
	if (f == NULL) {
		fprintf(stderr, "cannot open %s/%s\n", dir, name);
		return -1;
	}
	size_t cap = 2u << 20;
	uint8_t *data = malloc(cap);
	if (data == NULL)
		abort();
	size_t len = fread(data, 1, cap, f);
	fclose(f);
	LLVMFuzzerTestOneInput(data, len);
	free(data);
	return 0;
}

int main(int argc, char **argv)
{
	DIR *d = argc == 2 ? opendir(argv[1]) : NULL;
	if (d == NULL) {
		fprintf(stderr, "usage: %s CORPUS-FOLDER\n", argv[0]);
		return 64;
	}
	unsigned count = 0;
	int rc = 0;
	for (struct dirent *e; (e = readdir(d)) != NULL;) {
		if (e->d_name[0] == '.')
			continue;
		rc |= run_file(argv[1], e->d_name);
		count++;
	}
	closedir(d);
	printf("%u inputs\n", count);
	return rc != 0 || count == 0;
}
