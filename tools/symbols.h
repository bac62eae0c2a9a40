/* Functions' names for the addresses that the recorder writes. */
#ifndef SYMBOLS_H
#define SYMBOLS_H

/* What was read of programs and libraries so far. */
typedef struct symbols symbols;

/* `wrappers` are more frames to leave out, as for fold_frames(); they must live
 * on. NULL if and only if memory is out. */
symbols *symbols_open(const char *wrappers);
void symbols_close(symbols *closed);

/*
 * A call stack with frames such as "/usr/bin/app+0x1234" turned into names such
 * as "main (app.c:12)", inlined functions among them; "main" without debug
 * information, "app+0x1234" without symbols. Frames that say nothing are left
 * out, as fold_frames() does. The caller frees it. NULL if and only if memory
 * is out.
 */
char *symbols_of_stack(symbols *with, const char *stack);

#endif
