/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Proves: a file that is replaced is seen whole by a reader at any time, and keeps what it held where writing fails (RLIMIT_FSIZE); so does one that
 * is appended to; nothing is left behind; new files have fopen()'s permissions, those that were there keep theirs, and their owner; links stay; a FIFO is written to, and one that nobody reads,
 * or no more, is an error;
 * what cannot be written is known before; names of reports are different ones.
 */
#include "output/output_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../test.h"

#define SIZE 20000

static bool holds(const char *path, const char *expected)
{
	char bytes[256] = "";
	FILE *file = fopen(path, "r");
	size_t n = file ? fread(bytes, 1, sizeof(bytes) - 1, file) : 0;

	if (file)
		fclose(file);
	return file && n == strlen(expected) && !memcmp(bytes, expected, n);
}

static size_t n_files(void)
{
	DIR *dir = opendir(".");
	size_t n = 0;

	while (readdir(dir))
		n++;
	closedir(dir);
	return n - 2;
}

static void test_replace(void)
{
	struct stat status;

	umask(027);
	CHECK(!output_file_replace("a", "first", 5) && holds("a", "first"));
	CHECK(!stat("a", &status) && (status.st_mode & 0777) == 0640);
	umask(022);
	CHECK(!chmod("a", 0600) && (geteuid() || !chown("a", 65534, 65534)));
	CHECK(!output_file_replace("./a", "2nd", 3) && holds("a", "2nd"));
	CHECK(!stat("a", &status) && (status.st_mode & 0777) == 0600);
	CHECK(geteuid() || (status.st_uid == 65534 && status.st_gid == 65534));
	CHECK(!output_file_append("a", " more", 5) && holds("a", "2nd more"));
	CHECK(!output_file_append("new", "x", 1) && holds("new", "x"));
	CHECK(n_files() == 2);
	unlink("new");
}

/* A full disk, as far as a process can have one of its own. */
static void test_full(void)
{
	const struct rlimit small = {4096, RLIM_INFINITY}, all = {RLIM_INFINITY, RLIM_INFINITY};
	char *bytes = calloc(1, SIZE);

	CHECK(!setrlimit(RLIMIT_FSIZE, &small));
	CHECK(output_file_replace("a", bytes, SIZE) == -EFBIG && holds("a", "2nd more"));
	CHECK(output_file_append("a", bytes, SIZE) == -EFBIG && holds("a", "2nd more"));
	CHECK(output_file_append("a", "!", 1) == 0 && holds("a", "2nd more!"));
	CHECK(!setrlimit(RLIMIT_FSIZE, &all));
	CHECK(n_files() == 1);
	free(bytes);
}

static void test_links(void)
{
	struct stat status;

	CHECK(!mkdir("other", 0755) && !symlink("other/target", "link"));
	CHECK(output_file_replace("link", "x", 1) == -ENOENT); /* leads nowhere */
	CHECK(!output_file_replace("other/target", "x", 1));
	CHECK(!output_file_replace("link", "through", 7) && holds("other/target", "through"));
	CHECK(!lstat("link", &status) && S_ISLNK(status.st_mode));
	CHECK(output_file_check("other") == -EISDIR);
	unlink("other/target");
	CHECK(!rmdir("other")); /* nothing else is in there */
	unlink("link");
}

#define FIFO_SIZE (1u << 20) /* more than one holds, pipe(7) */

static void *read_fifo(void *n_read)
{
	int fd = open("fifo", O_RDONLY);
	size_t *total = n_read;
	char bytes[4096];
	ssize_t n;

	while ((n = read(fd, bytes, sizeof(bytes))) > 0)
		*total += (size_t)n;
	close(fd);
	return NULL;
}

/* A reader that is slower than the writer; one that has stopped to read. */
static void test_fifo_read_on(void)
{
	char *bytes = calloc(1, FIFO_SIZE);
	size_t n_read = 0;
	pthread_t reader;
	int err, fd;

	CHECK(!pthread_create(&reader, NULL, read_fifo, &n_read));
	while ((err = output_file_replace("fifo", bytes, FIFO_SIZE)) == -ENXIO)
		usleep(1000); /* not open yet */
	pthread_join(reader, NULL);
	CHECK(!err && n_read == FIFO_SIZE);
	fd = open("fifo", O_RDONLY | O_NONBLOCK);
	CHECK(output_file_replace("fifo", bytes, FIFO_SIZE) == -ETIMEDOUT);
	close(fd);
	free(bytes);
}

static void test_fifo(void)
{
	char bytes[8] = "";
	int fd;

	CHECK(!mkfifo("fifo", 0600) && !output_file_check("fifo"));
	CHECK(output_file_replace("fifo", "x", 1) == -ENXIO);
	fd = open("fifo", O_RDONLY | O_NONBLOCK);
	CHECK(!output_file_replace("fifo", "abc", 3) && read(fd, bytes, 8) == 3);
	CHECK(!output_file_append("fifo", "de", 2) && read(fd, bytes, 8) == 2);
	CHECK(!memcmp(bytes, "dec", 3));
	close(fd);
	test_fifo_read_on();
	unlink("fifo");
}

static void test_check(void)
{
	char longest[300];

	CHECK(output_file_check("missing/a") == -ENOENT);
	CHECK(output_file_check("a/b") == -ENOTDIR);
	CHECK(output_file_check("/proc/a") < 0);
	memset(longest, 'x', sizeof(longest));
	longest[299] = '\0';
	CHECK(output_file_check(longest) == -ENAMETOOLONG);
	CHECK(!output_file_check("b") && !output_file_check("a") && n_files() == 1);
}

static atomic_bool over;

/* Counts what is neither all of one kind of byte nor as long as it must be. */
static void *read_on(void *n_bad)
{
	static char bytes[SIZE + 1];
	size_t *bad = n_bad;

	while (!over) {
		FILE *file = fopen("whole", "r");
		size_t n = file ? fread(bytes, 1, sizeof(bytes), file) : 0, same = 0;

		while (same < n && bytes[same] == bytes[0])
			same++;
		*bad += n != SIZE || same != n;
		if (file)
			fclose(file);
	}
	return NULL;
}

static void test_whole(void)
{
	char *bytes = malloc(SIZE);
	size_t n_bad = 0, n_failed = 0;
	pthread_t reader;

	memset(bytes, 'a', SIZE);
	CHECK(!output_file_replace("whole", bytes, SIZE));
	CHECK(!pthread_create(&reader, NULL, read_on, &n_bad));
	for (int i = 0; i < 2000; i++) {
		memset(bytes, 'a' + i % 26, SIZE);
		n_failed += output_file_replace("whole", bytes, SIZE) != 0;
	}
	over = true;
	pthread_join(reader, NULL);
	CHECK(n_bad == 0 && n_failed == 0);
	free(bytes);
	unlink("whole");
}

static void test_names(void)
{
	struct output_times times = {};
	char text[64], *name;

	output_time(&times, 1795413684, text);
	CHECK(!strcmp(text, "20261123T060124Z"));
	output_time(&times, 1795413684, text);
	CHECK(!strcmp(text, "20261123T060124Z-2"));
	output_time(&times, 1795413000, text); /* the clock was set back */
	CHECK(!strcmp(text, "20261123T060124Z-3"));
	output_time(&times, 1795413685, text);
	CHECK(!strcmp(text, "20261123T060125Z"));
	name = output_name("a%t/%t%.json", "T");
	CHECK(name && !strcmp(name, "aT/T%.json") && output_has_time("%t"));
	CHECK(!output_has_time("a%T"));
	free(name);
}

int main(void)
{
	char dir[] = "/tmp/output_file_test.XXXXXX";

	if (!mkdtemp(dir) || chdir(dir)) {
		perror(dir);
		return 1;
	}
	signal(SIGXFSZ, SIG_IGN);
	test_replace();
	test_full();
	test_links();
	test_fifo();
	test_check();
	test_whole();
	test_names();
	unlink("a");
	CHECK(!chdir("/") && !rmdir(dir));
	return test_end();
}
