/* What stands for Zephyr: mutexes of one thread, its tests, and its shell. */
#include <zephyr/kernel.h>
#include <zephyr/shell/shell.h>
#include <zephyr/ztest.h>

#include <string.h>

/* ----------------------------------------------------------------- mutexes */

int k_mutex_init(struct k_mutex *mutex)
{
    mutex->lock_count = 0;
    return 0;
}

int k_mutex_lock(struct k_mutex *mutex, k_timeout_t timeout)
{
    mutex->lock_count++;
    return timeout.ticks == -1 ? 0 : -1;
}

int k_mutex_unlock(struct k_mutex *mutex)
{
    if (mutex->lock_count == 0) {
        abort();
    }
    mutex->lock_count--;
    return 0;
}

/* ------------------------------------------------------------------- tests */

enum { TESTS_MOST = 16 };

static struct {
    const char *name;
    void (*test)(void);
} tests[TESTS_MOST];
static int test_count;

void stand_in_test(const char *name, void (*test)(void))
{
    if (test_count == TESTS_MOST) {
        abort();
    }
    tests[test_count].name = name;
    tests[test_count++].test = test;
}

int stand_in_run(void)
{
    for (int i = 0; i < test_count; i++) {
        tests[i].test();
        printf("PASS - %s\n", tests[i].name);
    }
    return test_count == 0;
}

/* ------------------------------------------------------------------- shell */

static const struct shell_command *root;

void stand_in_register(const struct shell_command *command)
{
    root = command;
}

static const struct shell_command *find(const struct shell_command *commands,
                                        const char *name)
{
    while (commands->syntax != NULL && strcmp(commands->syntax, name) != 0) {
        commands++;
    }
    return commands;
}

/* A line of a root command and its subcommand. */
static void execute(const struct shell *sh, char *line)
{
    char *argv[] = {strtok(line, " \n"), strtok(NULL, " \n")};
    if (argv[0] == NULL || argv[1] == NULL || strcmp(argv[0], root->syntax)) {
        abort();
    }
    const struct shell_command *command = find(root->subcommands, argv[1]);
    if (command->syntax == NULL || command->handler(sh, 1, argv + 1) != 0) {
        shell_error(sh, "%s %s failed", argv[0], argv[1]);
    }
}

__attribute__((destructor)) static void read_lines(void)
{
    const struct shell sh = {stdout};
    char line[80];
    while (root != NULL && fgets(line, sizeof line, stdin) != NULL) {
        execute(&sh, line);
    }
}
