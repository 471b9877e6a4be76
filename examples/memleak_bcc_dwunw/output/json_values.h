/* SPDX-License-Identifier: BSD-2-Clause */
/* The values of a .json file that is not trusted. Functions return 0; -EINVAL, with the reason in `why`; or -ENOMEM. Private to json_*.c. */
#ifndef OUTPUT_JSON_VALUES_H
#define OUTPUT_JSON_VALUES_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct view;
struct view_frame;

struct json_reading {
	struct view *view;	   /* keeps texts */
	struct view_frame *frames; /* each once */
	size_t n_frames, n_frames_of_stacks;
	char *why;
};

int json_refuse(struct json_reading *reading, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Where there is no such key, *ret stays: */
int json_get_u32(struct json_reading *reading, const json_t *object, const char *key,
		 uint32_t *ret);
int json_get_size(struct json_reading *reading, const json_t *object, const char *key,
		  uint64_t *ret);
int json_get_signed(struct json_reading *reading, const json_t *object, const char *key,
		    int64_t *ret);
int json_get_flag(struct json_reading *reading, const json_t *object, const char *key, bool *ret);
int json_get_address(struct json_reading *reading, const json_t *object, const char *key,
		     uint64_t *ret);

/* A name, unescaped; where there is no such key, `absent`. */
int json_get_text(struct json_reading *reading, const json_t *object, const char *key,
		  const char *absent, const char **ret);
int json_keep_text(struct json_reading *reading, const json_t *value, const char *what,
		   const char **ret);

/* An array, and one of its objects; where there is no such key, an empty one. */
int json_get_array(struct json_reading *reading, const json_t *object, const char *key,
		   const json_t **ret, size_t *ret_n);
int json_get_object(struct json_reading *reading, const json_t *array, size_t i, const char *key,
		    const json_t **ret);

#endif
