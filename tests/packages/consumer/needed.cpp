// A program that names no function of malloc's. Succeeds if it has the library.
#include <cstdio>
#include <cstring>

int main()
{
    char line[512];
    std::FILE *maps = std::fopen("/proc/self/maps", "r");
    while (maps != nullptr && std::fgets(line, sizeof line, maps) != nullptr) {
        if (std::strstr(line, "libbitfit-malloc.so") != nullptr) {
            return 0;
        }
    }
    return 1;
}
