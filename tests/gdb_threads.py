# SPDX-License-Identifier: BSD-2-Clause
# For gdb -p PID: the pcs of each thread's frames, innermost first, as gdb finds them:
#   TID 42:
#   0x00007f0c21b0e2d9
# Inlined functions have no frame of their own, nor have those that debug information says a tail call has left.
import gdb  # pylint: disable=import-error

VIRTUAL = (gdb.INLINE_FRAME, gdb.TAILCALL_FRAME)

gdb.execute("set backtrace past-main on")
gdb.execute("set backtrace past-entry on")
gdb.execute("set backtrace limit 2000")
for thread in sorted(gdb.selected_inferior().threads(), key=lambda t: t.ptid[1]):
    thread.switch()
    print("TID %d:" % thread.ptid[1])
    frame = gdb.newest_frame()
    while frame is not None:
        if frame.type() not in VIRTUAL:
            print("0x%016x" % frame.pc())
        frame = frame.older()
