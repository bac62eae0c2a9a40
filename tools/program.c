#include "program.h"

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <link.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

/* ------------------------------------------------------------------ finding */

static bool is_executable(const char *path)
{
    struct stat about;
    return stat(path, &about) == 0 && S_ISREG(about.st_mode) &&
           access(path, X_OK) == 0;
}

int program_find(const char *name, char path[static PATH_MAX])
{
    if (strchr(name, '/') != NULL) {
        if (snprintf(path, PATH_MAX, "%s", name) >= PATH_MAX)
            return ENAMETOOLONG;
        if (access(path, F_OK) != 0)
            return errno;
        return is_executable(path) ? 0 : EACCES;
    }
    const char *folders = getenv("PATH");
    int error = ENOENT;
    if (*name == '\0')
        return ENOENT;
    for (const char *at = folders != NULL ? folders : "/bin:/usr/bin";
         at != NULL;) {
        size_t length = strcspn(at, ":");
        snprintf(path, PATH_MAX, "%.*s%s%s", (int)length, at,
                 length > 0 ? "/" : "", name);
        if (is_executable(path))
            return 0;
        if (access(path, F_OK) == 0)
            error = EACCES;
        at = at[length] == ':' ? at + length + 1 : NULL;
    }
    return error;
}

/* ------------------------------------------------------------- what ELF says
 */

typedef struct sanitizer {
    const char *name;
    const char *symbol; /* by which a program calls it */
    bool records;       /* it lets a recorder stand before its malloc */
} sanitizer;

/* What a file's symbols for other libraries tell. */
typedef struct program_symbols {
    bool own_malloc; /* it is defined there */
    const sanitizer *sanitizer;
} program_symbols;

/* This command's own header, by the linker: the measure of what is for us. */
extern const ElfW(Ehdr) __ehdr_start __attribute__((visibility("hidden")));

static bool is_for_us(Elf *elf)
{
    GElf_Ehdr header;
    return gelf_getehdr(elf, &header) != NULL &&
           header.e_machine == __ehdr_start.e_machine &&
           header.e_ident[EI_CLASS] == __ehdr_start.e_ident[EI_CLASS];
}

/* Whether all that its segments are loaded from is in the file. */
static bool is_whole(Elf *elf)
{
    size_t count = 0;
    size_t size = 0;
    bool whole = elf_rawfile(elf, &size) != NULL &&
                 elf_getphdrnum(elf, &count) == 0 && count > 0;
    for (size_t i = 0; whole && i < count; i++) {
        GElf_Phdr segment;
        whole = gelf_getphdr(elf, (int)i, &segment) != NULL &&
                (segment.p_filesz == 0 ||
                 (segment.p_offset < size &&
                  segment.p_filesz <= size - segment.p_offset));
    }
    return whole;
}

/* The path of the dynamic linker; NULL if it asks for none. */
static const char *interpreter_of(Elf *elf)
{
    size_t count = 0;
    size_t size = 0;
    const char *file = elf_rawfile(elf, &size);
    elf_getphdrnum(elf, &count);
    for (size_t i = 0; file != NULL && i < count; i++) {
        GElf_Phdr segment;
        if (gelf_getphdr(elf, (int)i, &segment) == NULL ||
            segment.p_type != PT_INTERP)
            continue;
        bool whole =
            segment.p_offset < size &&
            segment.p_filesz <= size - segment.p_offset &&
            memchr(file + segment.p_offset, '\0', segment.p_filesz) != NULL;
        return whole ? file + segment.p_offset : "";
    }
    return NULL;
}

static bool has_section(Elf *elf, const char *wanted)
{
    size_t names;
    if (elf_getshdrstrndx(elf, &names) != 0)
        return false;
    for (Elf_Scn *at = NULL; (at = elf_nextscn(elf, at)) != NULL;) {
        GElf_Shdr section;
        const char *name = gelf_getshdr(at, &section) == NULL
                               ? NULL
                               : elf_strptr(elf, names, section.sh_name);
        if (name != NULL && strcmp(name, wanted) == 0)
            return true;
    }
    return false;
}

static void note_symbol(program_symbols *to, const char *name, bool defined)
{
    static const sanitizer sanitizers[] = {
        {"AddressSanitizer", "__asan_init", false},
        {"HWAddressSanitizer", "__hwasan_init", false},
        {"MemorySanitizer", "__msan_init", false},
        {"ThreadSanitizer", "__tsan_init", true},
        {"LeakSanitizer", "__lsan_init", true}};
    if (defined && strcmp(name, "malloc") == 0)
        to->own_malloc = true;
    for (size_t i = 0; i < sizeof sanitizers / sizeof *sanitizers; i++) {
        if (strcmp(name, sanitizers[i].symbol) == 0)
            to->sanitizer = &sanitizers[i];
    }
}

static program_symbols symbols_of_file(Elf *elf)
{
    program_symbols found = {false, NULL};
    for (Elf_Scn *at = NULL; (at = elf_nextscn(elf, at)) != NULL;) {
        GElf_Shdr section;
        GElf_Sym symbol;
        if (gelf_getshdr(at, &section) == NULL || section.sh_type != SHT_DYNSYM)
            continue;
        Elf_Data *data = elf_getdata(at, NULL);
        for (int i = 0; gelf_getsym(data, i, &symbol) != NULL; i++) {
            const char *name = elf_strptr(elf, section.sh_link, symbol.st_name);
            if (name != NULL)
                note_symbol(&found, name, symbol.st_shndx != SHN_UNDEF);
        }
    }
    return found;
}

/* ----------------------------------------------------------------- judgement
 */

static const char *file_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL ? path : slash + 1;
}

/* The dynamic linker of this command; the caller frees it. */
static char *own_interpreter(void)
{
    char *found = NULL;
    int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    Elf *elf = file < 0 ? NULL : elf_begin(file, ELF_C_READ_MMAP, NULL);
    const char *path = elf == NULL ? NULL : interpreter_of(elf);
    if (path != NULL)
        found = strdup(path);
    elf_end(elf);
    if (file >= 0)
        close(file);
    return found;
}

/* It can be started with a program as its argument. */
static bool is_dynamic_linker(const char *path, const char *linker)
{
    char one[PATH_MAX];
    char other[PATH_MAX];
    return realpath(path, one) != NULL && realpath(linker, other) != NULL &&
           strcmp(one, other) == 0;
}

static const char *refusal_of_static(Elf *elf, program_library library)
{
    if (has_section(elf, ".go.buildinfo"))
        return "is a static Go program: nothing can be preloaded, and Go's "
               "memory does not come from malloc";
    return library == PROGRAM_POOL
               ? "is statically linked: nothing can be preloaded; link it "
                 "with libbitfit-malloc instead"
               : "is statically linked: nothing can be preloaded";
}

static const char *refusal_of_symbols(Elf *elf, program_library library)
{
    static char text[128];
    program_symbols has = symbols_of_file(elf);
    bool served = has.sanitizer == NULL ||
                  (has.sanitizer->records && library == PROGRAM_RECORDER);
    if (!served) {
        snprintf(text, sizeof text,
                 "is built with %s, which brings a malloc of its own that must "
                 "come first",
                 has.sanitizer->name);
        return text;
    }
    return has.own_malloc ? "has a malloc of its own, which it calls before "
                            "any that is preloaded"
                          : NULL;
}

static const char *refusal_of_elf(Elf *elf, const char *path,
                                  program_library library)
{
    char *linker = own_interpreter();
    const char *interpreter = interpreter_of(elf);
    const char *why = NULL;
    if (!is_for_us(elf))
        why = "is made for another kind of processor";
    else if (!is_whole(elf))
        why = "is damaged: a part of it is missing";
    else if (linker != NULL && is_dynamic_linker(path, linker))
        why = NULL;
    else if (interpreter == NULL)
        why = refusal_of_static(elf, library);
    else if (linker != NULL &&
             strcmp(file_name(interpreter), file_name(linker)) != 0)
        why = "is made for another C library than this one";
    else
        why = refusal_of_symbols(elf, library);
    free(linker);
    return why;
}

/* Whether the kernel starts it with AT_SECURE, so that ld.so ignores
 * LD_PRELOAD. */
static bool gains_rights(const char *path)
{
    struct stat about;
    if (stat(path, &about) != 0)
        return false;
    if ((about.st_mode & S_ISUID) != 0 && about.st_uid != getuid())
        return true;
    if ((about.st_mode & S_ISGID) != 0 && about.st_gid != getgid())
        return true;
    return getuid() != 0 && getxattr(path, "security.capability", NULL, 0) > 0;
}

enum { START_SIZE = 256 };

/* Its first bytes; returns how many, a NUL stands behind them. */
static ssize_t read_start(const char *path, char start[static START_SIZE])
{
    int file = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = file < 0 ? -1 : pread(file, start, START_SIZE - 1, 0);
    if (file >= 0)
        close(file);
    start[length > 0 ? length : 0] = '\0';
    return length;
}

bool program_is_text(const char *path)
{
    char start[START_SIZE];
    ssize_t length = read_start(path, start);
    for (ssize_t i = 0; i < length; i++) {
        bool control = (unsigned char)start[i] < ' ' || start[i] == '\x7f';
        if (control && (start[i] < '\a' || start[i] > '\r'))
            return false;
    }
    return length >= 0;
}

/* Stores the interpreter that the first line of a script names. */
static bool is_script(char path[static PATH_MAX])
{
    char start[START_SIZE];
    ssize_t length = read_start(path, start);
    if (length < 3 || memcmp(start, "#!", 2) != 0)
        return false;
    const char *name = start + 2 + strspn(start + 2, " \t");
    snprintf(path, PATH_MAX, "%.*s", (int)strcspn(name, " \t\n"), name);
    return true;
}

const char *program_refusal(char path[static PATH_MAX], program_library library)
{
    const char *why = NULL;
    for (int depth = 0; depth < 4 && is_script(path); depth++)
        continue;
    if (gains_rights(path))
        return "runs with other rights than yours (setuid, setgid or "
               "capabilities): the system ignores preloads there";
    elf_version(EV_CURRENT);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    Elf *elf = file < 0 ? NULL : elf_begin(file, ELF_C_READ_MMAP, NULL);
    if (elf != NULL && elf_kind(elf) == ELF_K_ELF)
        why = refusal_of_elf(elf, path, library);
    elf_end(elf);
    if (file >= 0)
        close(file);
    return why;
}
