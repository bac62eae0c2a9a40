/*
 * What the heap does at a fork: nobody is inside when the child is made, and
 * the child can go on.
 */
#ifndef BITFIT_MALLOC_FORKS_H
#define BITFIT_MALLOC_FORKS_H

/* Registers for forks. */
void forks_begin(void);

#endif
