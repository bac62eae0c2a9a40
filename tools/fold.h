/*
 * Frames of a call stack that say nothing about who asks: how a program starts,
 * and the functions through which it calls malloc.
 */
#ifndef FOLD_H
#define FOLD_H

/*
 * Takes them out of a text such as "_start;main;load (app.c:7);xmalloc". Of a
 * stack of nothing else the outermost frame stays. `more` are names of further
 * wrappers, parted by commas; a name may end with '*'. NULL: none.
 */
void fold_frames(char *stack, const char *more);

#endif
