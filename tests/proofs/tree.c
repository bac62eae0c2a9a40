/*
 * The floors of the tree, over any map: of each word it says how long its
 * longest hole is, and nothing else matters. Words have 8 bits, so that a few
 * of them have a tree with rows above the leaves.
 */
#include "prover.h"

#include "tree.h"

#define W ((size_t)BF_WORD_BITS)

typedef struct holes {
    size_t longest[N];
} holes;

holes nondet_holes(void);
bf_upper nondet_upper(void);

static struct {
    bf_upper upper;
    bf_tree tree;
} head;

static holes said;

/* Of the floor of each class: it is right, and one of its class. While short
 * requests begin at the top, theirs say nothing. */
static bool floor_right(unsigned class, size_t word)
{
    int16_t least = head.upper.least[class];
    int16_t floor = head.upper.floors[class];
    bool silent = head.upper.direct != 0 && least < (int16_t)W;
    return floor >= 0 && least >= 0 &&
           (least == 0 || bf_class_of((size_t)least) == class) &&
           (!silent || floor == 0) &&
           ((size_t)floor <= word || said.longest[word] < (size_t)least);
}

/* Any map, any floors, and a request that has one. */
static size_t any_request(void)
{
    size_t count = nondet_size();
    said = nondet_holes();
    head.upper = nondet_upper();
    head.tree.rows = 1;
    ASSUME(count > 0 && bf_tree_has_floor(&head.tree, count));
    return count;
}

static size_t any_word(void)
{
    size_t word = nondet_size();
    ASSUME(word < N);
    return word;
}

/* No hole for the request starts before its floor. */
void prove_floor(void)
{
    size_t place = any_word();
    size_t count = any_request();
    for (unsigned i = 0; i < BF_FLOORS; i++) {
        ASSUME(floor_right(i, place));
    }
    CLAIM(said.longest[place] < count ||
              bf_tree_floor(&head.tree, count) <= place,
          "none before it");
    REACHED();
}

/* The first word that serves a request is a floor that is right. */
void prove_set_floor(void)
{
    size_t place = any_word();
    size_t word = any_word();
    size_t count = any_request();
    ASSUME(place >= word || said.longest[place] < count);
    unsigned class = bf_class_of(count);
    bf_tree_set_floor(&head.tree, class, count, word);
    CLAIM(floor_right(class, place), "the floor is right");
    REACHED();
}

/* A hole came to be, or grew: no floor that it serves is above its word. */
void prove_lower_floors(void)
{
    size_t place = any_word();
    size_t word = any_word();
    size_t length = nondet_size();
    unsigned class = nondet_unsigned();
    ASSUME(length > 0 && class < BF_FLOORS);
    any_request();
    ASSUME(floor_right(class, place));
    said.longest[word] =
        length > said.longest[word] ? length : said.longest[word];
    lower_floors(&head.upper, word, length);
    CLAIM(floor_right(class, place), "each floor is right");
    REACHED();
}
