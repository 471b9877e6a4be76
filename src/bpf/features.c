/* SPDX-License-Identifier: BSD-2-Clause */
#include <stddef.h>

#include <bpf/libbpf.h>
#include <linux/bpf.h>

#include <dwunw/dwunw.h>

const char *dwunw_bpf_missing_feature(void)
{
	static const struct {
		enum bpf_func_id helper;
		const char *text;
	} needed[] = {
		{BPF_FUNC_task_storage_get, "task storage for tracing programs (Linux 5.11)"},
		{BPF_FUNC_get_attach_cookie, "probe cookies (Linux 5.15)"},
	};

	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
		if (libbpf_probe_bpf_helper(BPF_PROG_TYPE_KPROBE, needed[i].helper, NULL) == 0)
			return needed[i].text;
	}
	return NULL;
}
