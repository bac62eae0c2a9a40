/* A shell whose lines come from standard input, once main() has returned. */
#ifndef STAND_IN_SHELL_H
#define STAND_IN_SHELL_H

#include <stddef.h>
#include <stdio.h>

struct shell {
    FILE *out;
};

typedef int shell_cmd_handler(const struct shell *sh, size_t argc, char **argv);

struct shell_command {
    const char *syntax;
    const struct shell_command *subcommands;
    const char *help;
    shell_cmd_handler *handler;
};

enum { SHELL_NORMAL };

#define shell_fprintf(sh, color, ...)                                          \
    ((void)(color), (void)fprintf((sh)->out, __VA_ARGS__))
#define shell_print(sh, ...)                                                   \
    (shell_fprintf(sh, SHELL_NORMAL, __VA_ARGS__), (void)fputc('\n', (sh)->out))
#define shell_error shell_print

#define SHELL_CMD(name, subcommands, help, handler)                            \
    {                                                                          \
#name, subcommands, help, handler                                      \
    }
#define SHELL_SUBCMD_SET_END                                                   \
    {                                                                          \
        NULL, NULL, NULL, NULL                                                 \
    }
#define SHELL_STATIC_SUBCMD_SET_CREATE(name, ...)                              \
    static const struct shell_command name[] = {__VA_ARGS__}
#define SHELL_CMD_REGISTER(name, subcommands, help, handler)                   \
    __attribute__((constructor)) static void register_##name(void)             \
    {                                                                          \
        static const struct shell_command command =                            \
            SHELL_CMD(name, *(subcommands), help, handler);                    \
        stand_in_register(&command);                                           \
    }                                                                          \
    _Static_assert(sizeof(help) > 1, "a text")

void stand_in_register(const struct shell_command *command);

#endif
