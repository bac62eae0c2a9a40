/*
 * The environment that the process was started with, or has now. getenv() may
 * be another library's, and the C library has no environment yet when the first
 * request comes very early: then it is the kernel that tells.
 */
#ifndef BITFIT_MALLOC_ENVIRONMENT_H
#define BITFIT_MALLOC_ENVIRONMENT_H

/* Reads what has to be read; what environment() says is good until the end. */
void environment_begin(void);
void environment_end(void);

/* The variable's value; NULL if there is none, or in a program that runs with
 * another user's rights. */
const char *environment(const char *name);

#endif
