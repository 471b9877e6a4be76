/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The part of go_like.c that is like what Go's linker makes: call frame information that knows the size of frames alone, in
 * .debug_frame, frame pointers, calls of C on another stack.
 */
	.cfi_sections .debug_frame

	.section .note.go.buildid, "a", @note
	.long 4, 4, 4
	.asciz "Go\0"
	.long 0

	.macro function name
	.type "\name", @function
"\name":
	.cfi_startproc
	.endm

	.macro end_function name
	.cfi_endproc
	.size "\name", . - "\name"
	.endm

	/* What Go's compiler does for a frame; of %rbp it says nothing. */
	.macro frame
	sub $24, %rsp
	.cfi_adjust_cfa_offset 24
	mov %rbp, 16(%rsp)
	lea 16(%rsp), %rbp
	.endm

	.macro leave_frame
	mov 16(%rsp), %rbp
	add $24, %rsp
	.cfi_adjust_cfa_offset -24
	ret
	.endm

	.text
	.globl go_start
	/* void go_start(void *thread_stack, void *goroutine_stack): their upper ends */
go_start:
	push %rbx
	push %rbp
	push %r12
	push %r13
	push %r14
	push %r15
	mov %rsp, saved_sp(%rip)
	mov %rdi, thread_stack(%rip)
	mov %rsi, %rsp
	xor %ebp, %ebp
	lea "runtime.goexit.abi0" + 1(%rip), %rax
	push %rax
	jmp "main.worker"

	.section .go_text, "ax", @progbits
	.type "runtime.text", @function
"runtime.text":
	nop

	function runtime.goexit.abi0
	nop
	call "runtime.goexit1"
	nop
	end_function runtime.goexit.abi0

	function runtime.goexit1
	mov saved_sp(%rip), %rsp
	pop %r15
	pop %r14
	pop %r13
	pop %r12
	pop %rbp
	pop %rbx
	ret
	end_function runtime.goexit1

	/* %rax: a C function */
	function runtime.asmcgocall.abi0
	mov %rsp, %rdx
	cmpb $0, on_thread_stack(%rip)
	jne 1f
	mov thread_stack(%rip), %rsp
1:	sub $64, %rsp
	and $-16, %rsp
	mov %rdx, 40(%rsp)
	call *%rax
	mov 40(%rsp), %rsp
	ret
	end_function runtime.asmcgocall.abi0

	/* %rax: a function of this file */
	function runtime.systemstack.abi0
	mov %rsp, goroutine_sp(%rip)
	mov thread_stack(%rip), %rsp
	movb $1, on_thread_stack(%rip)
	call *%rax
	movb $0, on_thread_stack(%rip)
	mov goroutine_sp(%rip), %rsp
	ret
	end_function runtime.systemstack.abi0

	function main.call_c
	frame
	mov leak_for_goroutine@GOTPCREL(%rip), %rax
	call "runtime.asmcgocall.abi0"
	leave_frame
	end_function main.call_c

	function main.call_c_there
	frame
	mov leak_on_thread_stack@GOTPCREL(%rip), %rax
	call "runtime.asmcgocall.abi0"
	leave_frame
	end_function main.call_c_there

	function main.on_thread_stack
	frame
	call "main.call_c_there"
	leave_frame
	end_function main.on_thread_stack

	function main.switch
	frame
	lea "main.on_thread_stack"(%rip), %rax
	call "runtime.systemstack.abi0"
	leave_frame
	end_function main.switch

	function main.worker
	frame
	call "main.call_c"
	call "main.switch"
	leave_frame
	end_function main.worker

	.type "runtime.etext", @function
"runtime.etext":
	nop

	.bss
	.balign 8
saved_sp:
	.skip 8
thread_stack:
	.skip 8
goroutine_sp:
	.skip 8
on_thread_stack:
	.skip 1

	.section .note.GNU-stack, "", @progbits
