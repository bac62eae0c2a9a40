/* The functions of a program or library, by address: found in O(log n), where
 * libdwfl looks at each symbol for each address. */
#ifndef FUNCTIONS_H
#define FUNCTIONS_H

#include <elfutils/libdwfl.h>

typedef struct function {
    GElf_Addr start, end; /* the same where the size is not known */
    const char *name;     /* the module's */
    int rank;             /* of several at one start, the highest counts */
} function;

typedef struct functions {
    function *at; /* by start */
    size_t count;
} functions;

/* None if memory is short. */
functions functions_of(Dwfl_Module *module);

/* The name of the function around an address; NULL if there is none. */
const char *functions_name(const functions *of, GElf_Addr address);

#endif
