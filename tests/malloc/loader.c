/* usage: loader LIBRARY: a C program that loads a C++ library for itself. */
#include <dlfcn.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    void *library = argc == 2 ? dlopen(argv[1], RTLD_NOW | RTLD_LOCAL) : NULL;
    if (library == NULL) {
        fprintf(stderr, "%s\n", dlerror());
        return 9;
    }
    int (*work)(void);
    *(void **)&work = dlsym(library, "operators_work");
    return work();
}
