/* Words that are nearly what was meant. */
#ifndef NEAR_H
#define NEAR_H

#include <stddef.h>

/* How many letters have to be changed, added, left out or swapped with their
 * neighbour to make one word of the other. Letters beyond 31 do not count. */
size_t near_distance(const char *word, const char *other);

/* A word is near if its distance is below this. */
size_t near_limit(const char *word);

#endif
