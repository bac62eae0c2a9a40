/* Something for a compiler to chew on: structures, loops, a table of calls. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct shape {
    const char *name;
    double (*area)(const struct shape *);
    double a;
    double b;
};

static double rectangle(const struct shape *it)
{
    return it->a * it->b;
}

static double triangle(const struct shape *it)
{
    return it->a * it->b / 2;
}

static double circle(const struct shape *it)
{
    return it->a * it->a * 3.14159265358979;
}

static int compare(const void *left, const void *right)
{
    const struct shape *l = left;
    const struct shape *r = right;
    double difference = l->area(l) - r->area(r);

    return (difference > 0) - (difference < 0);
}

static size_t fill(struct shape *shapes, size_t count)
{
    static double (*const areas[])(const struct shape *) = {rectangle, triangle,
                                                            circle};
    static const char *const names[] = {"rectangle", "triangle", "circle"};
    unsigned seed = 1;

    for (size_t i = 0; i < count; i++) {
        seed = seed * 1664525 + 1013904223;
        shapes[i].name = names[seed % 3];
        shapes[i].area = areas[seed % 3];
        shapes[i].a = seed >> 8 & 255;
        shapes[i].b = seed >> 16 & 255;
    }
    return count;
}

int main(int argc, char **argv)
{
    size_t count = argc > 1 ? strtoul(argv[1], NULL, 10) : 100;
    struct shape *shapes = calloc(count, sizeof *shapes);
    double sum = 0;

    if (shapes == NULL) {
        return 1;
    }
    fill(shapes, count);
    qsort(shapes, count, sizeof *shapes, compare);
    for (size_t i = 0; i < count; i++) {
        sum += shapes[i].area(&shapes[i]);
        if (i % 10 == 0 && strlen(shapes[i].name) > 6) {
            printf("%s %g\n", shapes[i].name, shapes[i].area(&shapes[i]));
        }
    }
    printf("%g\n", sum);
    free(shapes);
    return 0;
}
