/* SPDX-License-Identifier: BSD-2-Clause */
#include "output/json_values.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "output/escape.h"
#include "output/json_read.h"
#include "output/view.h"

int json_refuse(struct json_reading *reading, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(reading->why, JSON_MAX_REASON, format, args);
	va_end(args);
	return -EINVAL;
}

static int get_number(struct json_reading *reading, const json_t *object, const char *key,
		      uint64_t max, uint64_t *ret)
{
	const json_t *value = json_object_get(object, key);

	if (!value)
		return 0;
	if (!json_is_integer(value) || json_integer_value(value) < 0 ||
	    (uint64_t)json_integer_value(value) > max)
		return json_refuse(reading, "%s is not a number from 0 to %llu", key,
				   (unsigned long long)max);
	*ret = (uint64_t)json_integer_value(value);
	return 0;
}

int json_get_u32(struct json_reading *reading, const json_t *object, const char *key, uint32_t *ret)
{
	uint64_t value = *ret;
	int err = get_number(reading, object, key, UINT32_MAX, &value);

	*ret = (uint32_t)value;
	return err;
}

int json_get_size(struct json_reading *reading, const json_t *object, const char *key,
		  uint64_t *ret)
{
	return get_number(reading, object, key, INT64_MAX, ret);
}

int json_get_signed(struct json_reading *reading, const json_t *object, const char *key,
		    int64_t *ret)
{
	const json_t *value = json_object_get(object, key);

	if (value && !json_is_integer(value))
		return json_refuse(reading, "%s is not a number", key);
	if (value)
		*ret = json_integer_value(value);
	return 0;
}

int json_get_flag(struct json_reading *reading, const json_t *object, const char *key, bool *ret)
{
	const json_t *value = json_object_get(object, key);

	if (value && !json_is_boolean(value))
		return json_refuse(reading, "%s is neither true nor false", key);
	if (value)
		*ret = json_is_true(value);
	return 0;
}

int json_get_address(struct json_reading *reading, const json_t *object, const char *key,
		     uint64_t *ret)
{
	const json_t *value = json_object_get(object, key);
	const char *text = json_string_value(value);

	if (!value)
		return 0;
	if (!text || strncmp(text, "0x", 2) != 0 || !text[2] || strlen(text) > 18 ||
	    text[2 + strspn(text + 2, "0123456789abcdefABCDEF")])
		return json_refuse(reading, "%s is not a hexadecimal number", key);
	*ret = strtoull(text, NULL, 16);
	return 0;
}

int json_keep_text(struct json_reading *reading, const json_t *value, const char *what,
		   const char **ret)
{
	const char *text = json_string_value(value), *kept;
	char *name;
	int err;

	if (!text)
		return json_refuse(reading, "%s is not a text", what);
	err = unescape_name(text, &name);
	if (err == -EINVAL)
		return json_refuse(reading, "%s has a backslash that begins nothing", what);
	if (err)
		return err;
	kept = strings_keep(&reading->view->strings, name);
	free(name);
	if (!kept)
		return -ENOMEM;
	*ret = kept;
	return 0;
}

int json_get_text(struct json_reading *reading, const json_t *object, const char *key,
		  const char *absent, const char **ret)
{
	const json_t *value = json_object_get(object, key);

	if (value)
		return json_keep_text(reading, value, key, ret);
	*ret = absent ? strings_keep(&reading->view->strings, absent) : NULL;
	return absent && !*ret ? -ENOMEM : 0;
}

int json_get_array(struct json_reading *reading, const json_t *object, const char *key,
		   const json_t **ret, size_t *ret_n)
{
	const json_t *value = json_object_get(object, key);

	*ret = value;
	*ret_n = json_array_size(value);
	return !value || json_is_array(value) ? 0 : json_refuse(reading, "%s is not an array", key);
}

int json_get_object(struct json_reading *reading, const json_t *array, size_t i, const char *key,
		    const json_t **ret)
{
	*ret = json_array_get(array, i);
	return json_is_object(*ret) ? 0 : json_refuse(reading, "%s[%zu] is not an object", key, i);
}
