/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Replays inputs without libFuzzer: files, and the files in folders, each in a process of its own with a limit of time and
 * memory. Prints `N passed, M failed`; an input fails if its process does not end by itself. No input at all is a failure too.
 */
#include <dirent.h>
#include <errno.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fuzz.h"

#define MAX_SECONDS 5
#define MAX_MEMORY (2ULL << 30)

/* A sanitizer reserves terabytes of address space. */
#if defined(__has_feature)
#define HAS_SHADOW __has_feature(address_sanitizer)
#elif defined(__SANITIZE_ADDRESS__)
#define HAS_SHADOW 1
#else
#define HAS_SHADOW 0
#endif

static unsigned int n_passed, n_failed;

static int read_file(const char *path, uint8_t **data, size_t *size)
{
	FILE *file = fopen(path, "rb");
	struct stat st;
	int err = -EIO;

	if (!file)
		return -errno;
	if (fstat(fileno(file), &st) == 0) {
		*size = (size_t)st.st_size;
		*data = malloc(*size ? *size : 1);
		if (*data && fread(*data, 1, *size, file) == *size)
			err = 0;
		else
			free(*data);
	}
	fclose(file);
	return err;
}

/* In the child. */
static int run(const uint8_t *data, size_t size)
{
	const struct rlimit memory = {MAX_MEMORY, MAX_MEMORY}, no_core = {0, 0};

	setrlimit(RLIMIT_CORE, &no_core);
	if (!HAS_SHADOW)
		setrlimit(RLIMIT_AS, &memory);
	alarm(MAX_SECONDS);
	return LLVMFuzzerTestOneInput(data, size);
}

static void replay_file(const char *path)
{
	uint8_t *data = NULL;
	size_t size = 0;
	int status = -1;
	pid_t child;
	int err = read_file(path, &data, &size);

	if (err) {
		fprintf(stderr, "%s: %s\n", path, strerror(-err));
		n_failed++;
		return;
	}
	child = fork();
	if (child == 0)
		exit(run(data, size));
	free(data);
	if (child > 0 && waitpid(child, &status, 0) == child && status == 0) {
		n_passed++;
		return;
	}
	n_failed++;
	if (child > 0 && WIFSIGNALED(status))
		fprintf(stderr, "%s: %s\n", path, strsignal(WTERMSIG(status)));
	else
		fprintf(stderr, "%s: status %d\n", path, status);
}

static void replay(const char *path)
{
	DIR *dir = opendir(path);
	const struct dirent *entry;

	if (!dir) {
		replay_file(path);
		return;
	}
	while ((entry = readdir(dir))) {
		char name[4096];

		if (entry->d_name[0] == '.')
			continue;
		snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
		replay(name);
	}
	closedir(dir);
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		replay(argv[i]);
	if (n_passed + n_failed == 0) {
		fprintf(stderr, "no input\n");
		n_failed++;
	}
	printf("%u passed, %u failed\n", n_passed, n_failed);
	return n_failed != 0;
}
