/* For musl, where cmocka is not at hand: threads, forks, and a misuse. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { THREADS = 4, FORKS = 10, ROUNDS = 100, BLOCKS = 1000 };

static void *work(void *unused)
{
    char *blocks[BLOCKS];
    for (int round = 0; round < ROUNDS; round++) {
        for (size_t i = 0; i < BLOCKS; i++) {
            blocks[i] = malloc(3 * i + 1);
            memset(blocks[i], 1, 3 * i + 1);
        }
        for (size_t i = 0; i < BLOCKS; i++) {
            free(blocks[i * 7 % BLOCKS]);
        }
    }
    return unused;
}

int main(void)
{
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) {
        pthread_create(&threads[i], NULL, work, NULL);
    }
    for (int i = 0; i < FORKS; i++) {
        int status = 1;
        if (fork() == 0) {
            work(NULL);
            _exit(0);
        }
        wait(&status);
        if (status != 0) {
            return 9;
        }
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    char *volatile block = malloc(50);
    puts("fine");
    fflush(stdout);
    free(block);
    free(block);
    return 0;
}
