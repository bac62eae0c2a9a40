#include "machine.h"

#include "measure.h"

#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

/* The rest of the first line that starts with the key and a colon. */
static void find_line(char *value, size_t room, const char *path,
                      const char *key)
{
    FILE *file = fopen(path, "r");
    char line[512];

    snprintf(value, room, "unknown");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        const char *colon = strchr(line, ':');

        if (strncmp(line, key, strlen(key)) == 0 && colon != NULL) {
            snprintf(value, room, "%.*s", (int)strcspn(colon + 2, "\n"),
                     colon + 2);
            break;
        }
    }
    if (file != NULL) {
        fclose(file);
    }
}

static void find_pages(char *value, size_t room)
{
    FILE *file = fopen("/sys/kernel/mm/transparent_hugepage/enabled", "r");
    char line[128];

    snprintf(value, room, "unknown");
    if (file != NULL) {
        if (fgets(line, sizeof line, file) != NULL) {
            snprintf(value, room, "%.*s", (int)strcspn(line, "\n"), line);
        }
        fclose(file);
    }
}

void machine_describe(cJSON *out, int core)
{
    struct utsname system;
    char text[256];

    find_line(text, sizeof text, "/proc/cpuinfo", "model name");
    cJSON_AddStringToObject(out, "processor", text);
    cJSON_AddNumberToObject(out, "processors",
                            (double)sysconf(_SC_NPROCESSORS_ONLN));
    cJSON_AddNumberToObject(out, "pinned_to", core);
    if (uname(&system) == 0) {
        snprintf(text, sizeof text, "%s %s %s", system.sysname, system.release,
                 system.machine);
        cJSON_AddStringToObject(out, "system", text);
    }
    cJSON_AddStringToObject(out, "compiler", "" __VERSION__);
    find_pages(text, sizeof text);
    cJSON_AddStringToObject(out, "huge_pages", text);
    cJSON_AddNumberToObject(out, "tick_ns", clock_tick_ns());
    cJSON_AddNumberToObject(out, "tick_overhead",
                            (double)clock_tick_overhead());
}
