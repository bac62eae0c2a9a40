/* The shell command `heap`: looks at the application's pool. */
#include "bitfit_zephyr.h"

#include <errno.h>
#include <zephyr/shell/shell.h>

static void say(const char *text, size_t length, void *shell)
{
    shell_fprintf((const struct shell *)shell, SHELL_NORMAL, "%.*s",
                  (int)length, text);
}

static int show(const struct shell *sh, size_t argc, char **argv)
{
    ARG_UNUSED(argc);
    ARG_UNUSED(argv);
    bitfit_print(bitfit_zephyr_heap(), say, (void *)(uintptr_t)sh);
    return 0;
}

static int check(const struct shell *sh, size_t argc, char **argv)
{
    ARG_UNUSED(argc);
    ARG_UNUSED(argv);
    int broken = bitfit_check(bitfit_zephyr_heap());
    if (broken != 0) {
        shell_error(sh, "invariant %d is broken", broken);
        return -EIO;
    }
    shell_print(sh, "all invariants hold");
    return 0;
}

static int reset_peak(const struct shell *sh, size_t argc, char **argv)
{
    ARG_UNUSED(sh);
    ARG_UNUSED(argc);
    ARG_UNUSED(argv);
    bitfit_reset_peak(bitfit_zephyr_heap());
    return 0;
}

SHELL_STATIC_SUBCMD_SET_CREATE(
    heap_commands, SHELL_CMD(show, NULL, "Statistics and a map", show),
    SHELL_CMD(check, NULL, "Verify every invariant", check),
    SHELL_CMD(reset_peak, NULL, "Measure the peak anew", reset_peak),
    SHELL_SUBCMD_SET_END);

SHELL_CMD_REGISTER(heap, &heap_commands, "The heap of bitfit", NULL);
