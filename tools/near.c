#include "near.h"

#include <string.h>

enum { LETTERS = 32 };

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Row by row: distances between the beginnings of both words. */
size_t near_distance(const char *word, const char *other)
{
    size_t rows[LETTERS][LETTERS];
    size_t length = strnlen(word, LETTERS - 1);
    size_t other_length = strnlen(other, LETTERS - 1);
    for (size_t i = 0; i <= length; i++) {
        for (size_t j = 0; j <= other_length; j++) {
            if (i == 0 || j == 0) {
                rows[i][j] = i + j;
                continue;
            }
            size_t differs = word[i - 1] != other[j - 1];
            rows[i][j] = least(rows[i - 1][j - 1] + differs,
                               least(rows[i - 1][j], rows[i][j - 1]) + 1);
            if (i > 1 && j > 1 && word[i - 1] == other[j - 2] &&
                word[i - 2] == other[j - 1])
                rows[i][j] = least(rows[i][j], rows[i - 2][j - 2] + 1);
        }
    }
    return rows[length][other_length];
}

/* A third of the letters may be wrong, and one always. */
size_t near_limit(const char *word)
{
    return strnlen(word, LETTERS) / 3 + 2;
}
