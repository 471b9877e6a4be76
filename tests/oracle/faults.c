/* SPDX-License-Identifier: BSD-2-Clause */
/* Functions whose CFI is wrong, missing and right, 100 calls of each: what `dwunw check` has to tell apart. x86-64 only. */
enum { CALLS = 100 };

void right_cfi(void);
void wrong_cfi(void);
void no_cfi(void);

#define FUNCTION(name, begin, pushed, popped, end)                                                 \
	".globl " #name "\n.type " #name ",@function\n" #name ":\n" begin "push %rbx\n" pushed     \
	"nop\npop %rbx\n" popped "ret\n" end ".size " #name ",. - " #name "\n"

__asm__(".text\n" FUNCTION(right_cfi, ".cfi_startproc\n", ".cfi_def_cfa_offset 16\n",
			   ".cfi_def_cfa_offset 8\n", ".cfi_endproc\n")
		FUNCTION(wrong_cfi, ".cfi_startproc\n", "", "", ".cfi_endproc\n")
			FUNCTION(no_cfi, "", "", "", ""));

int main(void)
{
	for (int i = 0; i < CALLS; i++) {
		right_cfi();
		wrong_cfi();
		no_cfi();
	}
	return 0;
}
