// Misuses of the C++ operators, one at a time: see caught.c.
#include <cstdio>
#include <cstring>
#include <string>

namespace
{

struct large {
    long numbers[9];
};

// Keeps the compiler from knowing what is done to a pointer.
template <class T> T *hide(void *pointer)
{
    static void *volatile anything;
    anything = pointer;
    return static_cast<T *>(anything);
}

void delete_as_another_type()
{
    delete hide<large>(new char);
}

void delete_one_as_many()
{
    delete[] hide<char>(new char);
}

void delete_one_string_as_many()
{
    delete[] hide<std::string>(new std::string);
}

void delete_many_as_one()
{
    delete hide<char>(new char[4096]);
}

void delete_many_strings_as_one()
{
    delete hide<std::string>(new std::string[4096]);
}

struct misuse {
    const char *name;
    void (*commit)();
};

const misuse misuses[] = {
    {"delete as another type", delete_as_another_type},
    {"delete[] of one char", delete_one_as_many},
    {"delete[] of one string", delete_one_string_as_many},
    {"delete of many chars", delete_many_as_one},
    {"delete of many strings", delete_many_strings_as_one},
};

} // namespace

int main(int argc, char **argv)
{
    for (const misuse &one : misuses) {
        if (argc == 1) {
            std::puts(one.name);
        } else if (std::strcmp(argv[1], one.name) == 0) {
            one.commit();
            std::puts("went on");
        }
    }
    return 0;
}
