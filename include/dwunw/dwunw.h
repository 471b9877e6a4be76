/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libdwunw: complete user stacks for eBPF tools. This is the user-space side; the BPF side is dwunw.bpf.h.
 *
 *   obj = open the BPF object
 *   dwunw_bpf_prepare(obj, &opts)              sizes the maps
 *   load the BPF object
 *   dwunw_context_create(NULL, &context)
 *   dwunw_bpf_create(context, obj, &bpf)
 *   dwunw_bpf_add_process(bpf, pid)            loads its unwind tables
 *   attach the tool's probes
 *   for each record of the ring buffer "dwunw_events": dwunw_bpf_handle_event(bpf, data, size)
 *   dwunw_bpf_find_stack(bpf, id, &stack)      id as dwunw_get_stackid() returned it
 *
 * Without eBPF, for one thread at a time, or a snapshot of one that may be gone: dwunw_capture().
 *
 * Functions return 0 or a negative errno, results through the last argument, which is untouched on failure. Why a call
 * failed (errno) and why a stack ended (stop reason) are two things: a stack that is cut short is no error.
 *
 * A context and what was created from it belong to one thread at a time. Addresses are those of the target process, sizes are bytes.
 */
#ifndef DWUNW_H
#define DWUNW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "event_format.h"

#ifdef __cplusplus
extern "C" {
#endif

#define DWUNW_API __attribute__((visibility("default")))

struct bpf_object;
struct dwunw_address_space;
struct dwunw_bpf;
struct dwunw_context;

/* Options structs are led by their size, so that they can grow: { .size = sizeof(opts), ... }. */
struct dwunw_bpf_opts {
	size_t size;
	unsigned int max_depth;	 /* frames of a stack, 1 .. DWUNW_MAX_FRAMES - 1; 0: 127 */
	unsigned int max_stacks; /* different stacks; 0: 131072 */
	unsigned int
		ship_percent; /* of each CPU's time, for sending unfinished stacks to user space; 1 .. 100, 0: 2 */
	unsigned int
		slice_size; /* bytes of the stack sent with each: multiple of 1024 up to 65536; 0: 16384 */
	bool walk_in_user_space; /* sends every stack there; so does a kernel before 5.17 */
	bool details;		 /* frames carry sp and cfa */
	/*
	 * A stack that does not reach its root (a file that could not be read, wrong call frame information, more of them than
	 * may be sent, ...) is walked by frame pointer: where it is stuck, then from the beginning. It is taken if that leads to the root, with
	 * DWUNW_FRAME_FP on the frames that were left so; else the stack ends where it does without this.
	 */
	bool guess;
};

struct dwunw_frame {
	uint64_t pc;
	uint64_t sp, cfa; /* 0 where not known, see dwunw_bpf_opts.details */
	uint64_t ra;	  /* 0 in the last frame */
	uint32_t flags;	  /* DWUNW_FRAME_* */
	/*
	 * The ELF file that pc is in, where the stack was taken: its number in the context, its path as the target names it
	 * ("[vdso]"), and pc in that file, which stay right when the file has been unmapped. 0 and NULL: memory of no
	 * file. The path is owned by the context, see dwunw_forget_process(), or by the address space; that of a frame of
	 * struct dwunw_stack by the struct dwunw_bpf.
	 */
	uint32_t module_id;
	const char *module;
	uint64_t vaddr;
};

/* A stack, innermost frame first. Owned by the struct dwunw_bpf; valid until dwunw_bpf_forget_unused() or the end. */
struct dwunw_stack {
	uint32_t index; /* small, and the same for every id that stands for this stack */
	uint32_t stop;	/* enum dwunw_stop_reason; DWUNW_STOP_ROOT: complete */
	pid_t pid;	/* thread group, in this process's PID namespace */
	pid_t tid; /* the thread that was first seen with it, likewise; 0: it has no number there */
	char comm[16];
	bool finished_in_user_space;
	bool has_details;
	size_t n_frames;
	const struct dwunw_frame *frames;
};

/* What happened so far; sums over all CPUs. */
struct dwunw_bpf_stats {
	uint64_t stops[DWUNW_N_STOP_REASONS]; /* walks by how they ended in the kernel */
	uint64_t full_walks;		      /* walked again with all registers */
	uint64_t
		fp_stacks; /* complete with the help of frame-pointer steps, in the kernel or here */
	uint64_t shipped;  /* sent to user space to be finished */
	uint64_t finished; /* of those, completed */
	uint64_t cut_short
		[DWUNW_N_STOP_REASONS]; /* stacks that stay incomplete, by where they end for good */
	uint64_t untold;		/* stack records lost because the ring buffer was full */
	uint64_t unannounced;		/* changes of mappings found out late, ring buffer full */
	uint64_t refresh_failures;	/* mappings could not be read or shown to the kernel */
	uint64_t stacks_full; /* stacks not remembered in the kernel: more than max_stacks */
	uint64_t known;	      /* not walked to the root: the rest was as the thread's last one */
	uint64_t
		no_memo; /* walked whole: the kernel did not give memory for the thread's last one */
	uint64_t tables;	   /* unwind tables loaded */
	uint64_t table_bytes;	   /* of table space in use */
	uint64_t tables_refused;   /* tables that did not fit into table space */
	uint64_t mappings_refused; /* executable mappings past the limit of one process */
	uint64_t
		records_lost; /* of new mappings, of any process: stacks from before may stay unfinished */
	/*
	 * Executable mappings of the present processes whose files could not be read, and why the first of them could not (negative errno; 0: there
	 * is none). Stacks that come to such a file end there with DWUNW_STOP_NO_TABLE.
	 */
	uint64_t unreadable;
	int unreadable_error;
	/*
	 * 0, or why the kernel gives no records of new mappings (negative errno): a stack through code that was unmapped before it was handled is not
	 * finished.
	 */
	int records_error;
	bool walk_in_user_space; /* all stacks are sent there: see dwunw_bpf_opts */
};

struct dwunw_context_opts {
	size_t size;
	unsigned int max_processes; /* that dwunw_capture() remembers; 0: 256 */
	/*
	 * Of memory for ELF files, 0: 256 MiB. Counted is what has been read of them and what was made of that: headers,
	 * sections (uncompressed), indices, tables; not what else is remembered of a process, which is some 100 bytes a mapping. Files
	 * that nothing refers to stay for the next process that maps them, until this is exceeded or half of the
	 * descriptors that the process may have (RLIMIT_NOFILE at creation) are open, one a file. Then the longest unused ones are dropped;
	 * if that is not enough, what is remembered of processes by dwunw_capture(), the oldest first. Files that are needed by the capture at
	 * hand, a struct dwunw_bpf or a struct dwunw_address_space stay, whatever they take.
	 */
	size_t max_module_bytes;
};

/* What a context holds, and what it had to drop so far. Led by its size, which the caller sets. */
struct dwunw_context_stats {
	size_t size;
	uint64_t modules;			/* ELF files, each with an open descriptor */
	uint64_t unused_modules;		/* of those, that nothing refers to */
	uint64_t module_bytes;			/* as for max_module_bytes */
	uint64_t modules_dropped;		/* unused ones, for a bound */
	uint64_t processes;			/* remembered by dwunw_capture() */
	uint64_t processes_dropped;		/* for max_processes */
	uint64_t processes_dropped_for_modules; /* for max_module_bytes or descriptors */
};

/* `opts` may be NULL. -EINVAL: opts->size is none, or options are set that this library does not know. */
DWUNW_API int dwunw_context_create(const struct dwunw_context_opts *opts,
				   struct dwunw_context **ret);
/* Everything created from it must be destroyed first. NULL is allowed. */
DWUNW_API void dwunw_context_destroy(struct dwunw_context *context);

/* -EINVAL: an argument is NULL or ret->size is none. Fields that this library does not know become 0. */
DWUNW_API int dwunw_context_get_stats(const struct dwunw_context *context,
				      struct dwunw_context_stats *ret);

#define DWUNW_MAPPING_EXECUTABLE 1

/* A mapping of a process that need not be there, as it was when a snapshot was taken. Only executable ones are needed. */
struct dwunw_file_mapping {
	uint64_t start, end; /* [start, end) */
	uint64_t file_off;   /* in the file, of the byte at `start` */
	/* as this process may open it; "[vdso]": this kernel's vDSO; NULL, "" and other "[...]": no file */
	const char *path;
	const void *build_id; /* that the file must have; or NULL */
	size_t build_id_size; /* 64 at most */
	uint32_t flags;	      /* DWUNW_MAPPING_* */
};

/*
 * The mappings of a process that is gone, or of another machine, for dwunw_unwind_request.address_space: made once, used for any
 * number of stacks. In any order. What is given is copied; files are opened now, under their paths as this process sees them, and are not
 * looked for again. A file that cannot be used is no error: a stack that comes to it ends with DWUNW_STOP_NO_TABLE, and `detail` says why:
 * what open(2) said, or -ESTALE: it is not the one that was mapped. One that is no ELF file is as good as none. The vDSO is this kernel's if
 * it is as long as the mapping (-ENOENT: it is not).
 *
 * -EINVAL: an argument is NULL; no mappings; one that is empty or has flags unknown to this library; two that overlap; one of
 *	    build_id and build_id_size without the other, or more than 64 bytes
 * -ENOMEM
 */
DWUNW_API int dwunw_address_space_create(struct dwunw_context *context,
					 const struct dwunw_file_mapping *mappings, size_t n,
					 struct dwunw_address_space **ret);

/*
 * The same from the text of a /proc/PID/maps of this machine. A file whose inode number is not that of the text is not the one that
 * was mapped (-ESTALE). For those of another machine give an array, with build IDs.
 * -EBADMSG: a line is none of proc(5); else as dwunw_address_space_create().
 */
DWUNW_API int dwunw_address_space_parse(struct dwunw_context *context, const char *maps,
					struct dwunw_address_space **ret);

/* The `module` of frames goes with it. NULL is allowed. */
DWUNW_API void dwunw_address_space_destroy(struct dwunw_address_space *space);

/*
 * Copies `size` bytes at `addr` of the target to `buf`. 0, or a negative errno when not all of them can be read. Called
 * with whole words mostly, from the thread that called dwunw_capture().
 */
typedef int dwunw_read_fn(void *arg, uint64_t addr, void *buf, size_t size);

/*
 * What to unwind. Without registers, thread `tid` is stopped, read and resumed. With registers nothing is stopped, and memory
 * is `stack` where that has it, else what `read` gives; with neither of the two it is read from the process, whose thread the
 * caller holds still. With an address space and one of the two the process itself is not looked at, and may be none (pid 0).
 */
struct dwunw_unwind_request {
	size_t size;
	pid_t pid;				 /* thread group, in this process's PID namespace */
	pid_t tid;				 /* 0: pid */
	const struct dwunw_registers *registers; /* pc, stack and frame pointer at least; or NULL */
	dwunw_read_fn *read;			 /* or NULL */
	void *read_arg;
	const void *stack; /* copy of the stack from stack_start upwards; or NULL */
	uint64_t stack_start;
	size_t stack_size;
	struct dwunw_frame *frames; /* receives the frames, innermost first */
	size_t max_frames;
	/* With registers only: of this context, in place of the mappings that the process has now; or NULL. */
	struct dwunw_address_space *address_space;
	/*
	 * With registers only: the bits that sign return addresses (aarch64: insn_mask of NT_ARM_PAC_MASK), as they were in the
	 * process; 0: the usual ones of the architecture. A thread that is stopped here is asked for them.
	 */
	uint64_t ra_mask;
};

struct dwunw_unwind_result {
	size_t n_frames; /* filled in; at least 1 */
	uint32_t stop;	 /* enum dwunw_stop_reason; DWUNW_STOP_ROOT: complete */
	/*
	 * Negative errno behind the stop reason, or 0. NO_TABLE: why the file could not be used; BAD_READ: what the reader
	 * returned; NO_CFI: -EINVAL where there is call frame information that makes no sense.
	 */
	int detail;
	uint64_t address; /* BAD_READ, SLICE: what could not be read; else the last pc */
};

/*
 * Unwinds one thread. A stack that is cut short is no error: its frames are there, and result->stop says why it ends.
 *
 * A thread is stopped (ptrace) for a fraction of a millisecond, and then goes on as if
 * nothing had been: pending signals are delivered, system calls restarted (but those that signal(7) names under "Interruption of
 * system calls and library functions by stop signals" return EINTR), and what was stopped stays stopped. This process gets
 * a SIGCHLD for it; while another of its threads waits for just any child, that may take the stop away (-ETIMEDOUT).
 *
 * The mappings of a process are remembered. They are read again each time a thread is stopped, else when a pc is in
 * none of them; see dwunw_forget_process().
 *
 * -EINVAL: a field is missing, contradicts another, or is not known to this library; or a thread of this process is to be
 *	    stopped
 * -ESRCH: there is no such thread in that process, or no longer, or it has no user memory (kernel thread, zombie)
 * -EPERM: not permitted to trace the process or to read its mappings
 * -EBUSY: another process traces the thread (a debugger, strace)
 * -ENOTSUP: the thread runs code of another architecture (32-bit code on a 64-bit kernel)
 * -ETIMEDOUT: the thread did not stop within a second: it sleeps uninterruptibly
 * -ENOMEM, -EAGAIN: no memory; no thread could be started
 */
DWUNW_API int dwunw_capture(struct dwunw_context *context,
			    const struct dwunw_unwind_request *request,
			    struct dwunw_unwind_result *ret);

/*
 * Drops what is remembered of a process, and with it the `module` of its frames. To be called when it has ended; also, where
 * stacks are unwound with given registers, after it has replaced code that was seen before (exec, dlclose and dlopen). It is also
 * dropped while others are captured, for dwunw_context_opts.max_processes or max_module_bytes. -EINVAL: no context, no pid; -ENOENT:
 * it was not remembered.
 */
DWUNW_API int dwunw_forget_process(struct dwunw_context *context, pid_t pid);

/*
 * Stacks of this process, from within: for allocators, profilers and crash handlers.
 *
 *   dwunw_self_create(&self)                                    once; builds the tables of all that is mapped
 *   dwunw_get_registers(&registers)                             here, or in a signal handler:
 *   dwunw_registers_from_context(ucontext, &registers)          what was interrupted
 *   dwunw_self_capture(self, &registers, frames, n, &result)    from any thread
 *
 * The three that take and unwind registers allocate nothing, take no lock, leave errno as it is, need 4 KiB of stack, and may
 * be called in signal handlers and in any number of threads at once; so may they while another thread is in dwunw_self_refresh().
 * Addresses are asked about before they are read: wrong registers or wrong call frame information cut a stack short, no more.
 */
struct dwunw_self;

/* -EINVAL: no `ret`; -ENOMEM; -ENOENT, -EACCES: /proc is not there, or not to be read. */
DWUNW_API int dwunw_self_create(struct dwunw_self **ret);

/*
 * After dlopen() or dlclose(), or when a stack ends with DWUNW_STOP_NO_MAPPING: looks at what is mapped now. One thread at a time. Tables are
 * kept for all files that were ever seen. On failure, as of dwunw_self_create(), what was known stays.
 */
DWUNW_API int dwunw_self_refresh(struct dwunw_self *self);

/* When no capture is under way any more. The `module` of frames is gone with it. NULL is allowed. */
DWUNW_API void dwunw_self_destroy(struct dwunw_self *self);

/* The caller's registers, as they are when this function has returned; those that calls preserve. */
DWUNW_API void dwunw_get_registers(struct dwunw_registers *ret);

/* Those of a ucontext_t: the third argument of a signal handler with SA_SIGINFO, or of getcontext(3). */
DWUNW_API void dwunw_registers_from_context(const void *ucontext, struct dwunw_registers *ret);

/*
 * Fills `frames` from the function whose registers are given outwards. A stack that is cut short is no error: see result->stop. (EXPRESSION: a
 * rule that no table can hold; dwunw_capture() of another process can evaluate it.) -EINVAL: an argument is missing, or registers.valid lacks
 * the stack or the frame pointer.
 */
DWUNW_API int dwunw_self_capture(struct dwunw_self *self, const struct dwunw_registers *registers,
				 struct dwunw_frame *frames, size_t max_frames,
				 struct dwunw_unwind_result *ret);

/* What a stop reason says; never NULL. */
DWUNW_API const char *dwunw_stop_reason_text(unsigned int stop);

/*
 * What this kernel lacks of that which dwunw.bpf.h needs, in words; NULL: nothing, or it cannot be asked without
 * CAP_BPF and CAP_PERFMON. For the message of a tool whose programs the kernel does not load.
 */
DWUNW_API const char *dwunw_bpf_missing_feature(void);

/*
 * Sizes the maps of an object that includes dwunw.bpf.h, between opening and loading it. `opts` may be NULL. -ENOENT: it does not
 * include that; -EINVAL: no object, opts->size is none, an option is out of its range or not known to this library.
 */
DWUNW_API int dwunw_bpf_prepare(struct bpf_object *object, const struct dwunw_bpf_opts *opts);

/* After loading; borrows both. -ENOENT: the object does not include dwunw.bpf.h, or is not loaded; -EINVAL: NULL; -ENOMEM. */
DWUNW_API int dwunw_bpf_create(struct dwunw_context *context, struct bpf_object *object,
			       struct dwunw_bpf **ret);
DWUNW_API void dwunw_bpf_destroy(struct dwunw_bpf *bpf);

/*
 * Loads the unwind tables of a process and follows its dynamic linker. Its stacks are walked in the kernel from now on. (A process
 * that was not added announces itself with its first stack.) Again for the same pid: reads its mappings again. Files of it that cannot be read are
 * no error: see dwunw_bpf_stats.unreadable.
 * -ESRCH: no such process; -EACCES, -EPERM: not permitted to read its mappings; -EINVAL: NULL, or no pid.
 */
DWUNW_API int dwunw_bpf_add_process(struct dwunw_bpf *bpf, pid_t pid);

/* Stops following a process and frees what is kept for it; its stacks stay. -ESRCH: it was not added. */
DWUNW_API int dwunw_bpf_remove_process(struct dwunw_bpf *bpf, pid_t pid);

/*
 * One record of the ring buffer "dwunw_events". 1: it is not libdwunw's (type DWUNW_EVENT_TOOL or above); -EBADMSG: it is no record that
 * this library knows; -EINVAL: NULL, or too short for a type.
 */
DWUNW_API int dwunw_bpf_handle_event(struct dwunw_bpf *bpf, const void *data, size_t size);

/*
 * The stack that `id` stands for. -ENOENT: none was kept (the low bits of an id with DWUNW_ID_REASON say why), or
 * its record has not been handled yet; -EINVAL: NULL.
 */
DWUNW_API int dwunw_bpf_find_stack(struct dwunw_bpf *bpf, int64_t id,
				   const struct dwunw_stack **ret);

/*
 * Frees stacks that were finished in user space, each for one event, and that dwunw_bpf_find_stack() was not asked for since the
 * last call of this function. For tools that keep ids for long and look all of them up from time to time. -ENOMEM:
 * nothing, or not everything, was freed.
 */
DWUNW_API int dwunw_bpf_forget_unused(struct dwunw_bpf *bpf);

/* Neither may be NULL. */
DWUNW_API void dwunw_bpf_get_stats(struct dwunw_bpf *bpf, struct dwunw_bpf_stats *ret);

#ifdef __cplusplus
}
#endif

#endif
