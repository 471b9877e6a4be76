/* SPDX-License-Identifier: BSD-2-Clause */
/* What is interrupted. */
#ifndef LIVE_WORK_H
#define LIVE_WORK_H

#include <alloca.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The C library's code, which has little call frame information on some machines. */
static __attribute__((noinline)) unsigned int work_of_libc(unsigned int round)
{
	char *texts[8];
	unsigned int sum = 0;

	for (unsigned int i = 0; i < 8; i++) {
		char text[64];

		snprintf(text, sizeof(text), "%u-%a", (i * 2654435761u + round) % 1000,
			 (double)i / (round + 1));
		texts[i] = strdup(text);
	}
	qsort(texts, 8, sizeof(texts[0]), compare_texts);
	for (unsigned int i = 0; i < 8; i++) {
		sum += strtoul(texts[i], NULL, 10) + strlen(texts[i]);
		free(texts[i]);
	}
	return sum;
}

/* Code of our own, in small functions, so that many of the interrupted instructions are in prologues and epilogues. */
static __attribute__((noinline)) unsigned int mix(unsigned int a, unsigned int b)
{
	return (a ^ b) * 2654435761u;
}

static __attribute__((noinline)) unsigned int mix_more(unsigned int a, unsigned int b)
{
	return mix(a, b) + mix(b, a);
}

static __attribute__((noinline)) void sort(unsigned int *v, size_t n)
{
	unsigned int first;
	size_t m = 0;

	if (n < 2)
		return;
	for (size_t i = 1; i < n; i++) {
		unsigned int swapped = v[i];

		if (swapped >= v[0])
			continue;
		v[i] = v[++m];
		v[m] = swapped;
	}
	first = v[0];
	v[0] = v[m];
	v[m] = first;
	sort(v, m);
	sort(v + m + 1, n - m - 1);
}

static __attribute__((noinline)) unsigned int work_on_stack(unsigned int n)
{
	unsigned int *v = alloca(n * sizeof(*v)), sum = 0;

	for (unsigned int i = 0; i < n; i++)
		v[i] = mix_more(i, n);
	sort(v, n);
	for (unsigned int i = 0; i < n; i++)
		sum += i * v[i];
	return sum;
}

static __attribute__((noinline)) unsigned int work(unsigned int round)
{
	unsigned int sum = work_of_libc(round);

	for (unsigned int i = 0; i < 20; i++)
		sum += work_on_stack(i + round % 16);
	return sum;
}

#endif
