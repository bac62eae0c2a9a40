/* Uses the heap as FreeRTOS' own files and applications do. */
#include "FreeRTOS.h"
#include "task.h"

#include <stdio.h>
#include <stdlib.h>

int failed_asserts;
static int suspended, suspensions, hooked;

void vTaskSuspendAll(void)
{
    suspended++;
    suspensions++;
}

BaseType_t xTaskResumeAll(void)
{
    suspended--;
    return 1;
}

void vApplicationMallocFailedHook(void)
{
    hooked++;
}

static void expect(int truth, const char *what)
{
    if (!truth) {
        puts(what);
        exit(1);
    }
}

static void serves_and_counts(void)
{
    char *a = pvPortMalloc(100), *b = pvPortCalloc(10, 10);
    size_t minimum = xPortGetFreeHeapSize();
    expect(a != NULL && b == a + 104, "first fit, multiples of 8");
    expect(b[0] == 0 && b[99] == 0, "calloc clears");
    vPortFree(a);

    HeapStats_t stats;
    vPortGetHeapStats(&stats);
    expect(stats.xNumberOfFreeBlocks == 2, "two holes");
    expect(stats.xSizeOfSmallestFreeBlockInBytes == 104, "the smaller one");
    expect(stats.xAvailableHeapSpaceInBytes ==
               stats.xSizeOfLargestFreeBlockInBytes + 104,
           "the larger one");
    expect(stats.xNumberOfSuccessfulAllocations == 2, "two allocations");
    expect(stats.xNumberOfSuccessfulFrees == 1, "one free");
    expect(stats.xMinimumEverFreeBytesRemaining == minimum, "minimum");
    expect(xPortGetMinimumEverFreeHeapSize() == minimum, "minimum");
    vPortFree(b);
}

static void forgets_the_minimum(void)
{
    size_t all = xPortGetFreeHeapSize();
    char *large = pvPortMalloc(4000);
    expect(xPortGetMinimumEverFreeHeapSize() == all - 4000, "the minimum");
    vPortFree(large);
    expect(xPortGetMinimumEverFreeHeapSize() == all - 4000, "it stays");

    xPortResetHeapMinimumEverFreeHeapSize();
    expect(xPortGetMinimumEverFreeHeapSize() == all, "as free as now");
    char *first = pvPortMalloc(1000), *second = pvPortCalloc(2, 500);
    vPortFree(first);
    vPortFree(second);
    vPortFree(pvPortMalloc(8));
    HeapStats_t stats;
    vPortGetHeapStats(&stats);
    expect(xPortGetMinimumEverFreeHeapSize() == all - 2000, "since then");
    expect(stats.xMinimumEverFreeBytesRemaining == all - 2000, "there, too");

    char *small = pvPortMalloc(104);
    xPortResetHeapMinimumEverFreeHeapSize();
    vPortFree(small);
    expect(xPortGetMinimumEverFreeHeapSize() == all - 104, "from in use on");
    vPortHeapResetState();
    expect(xPortGetMinimumEverFreeHeapSize() == all, "as at the start");
}

static void refuses_as_heap_4(void)
{
    expect(pvPortMalloc(0) == NULL && hooked == 1, "0 bytes");
    expect(pvPortMalloc(configTOTAL_HEAP_SIZE) == NULL && hooked == 2, "full");
    expect(pvPortCalloc((size_t)-1, 2) == NULL && hooked == 3, "overflow");
    vPortFree(NULL);
}

static void asserts_on_a_bad_free(void)
{
    char *block = pvPortMalloc(100);
    expect(failed_asserts == 0, "no assert so far");
    vPortFree(block);
    vPortFree(block);
    expect(failed_asserts == 1, "double free");
    vPortHeapResetState();
    expect(pvPortMalloc(100) == block, "empty again");
}

int main(void)
{
    serves_and_counts();
    forgets_the_minimum();
    refuses_as_heap_4();
    asserts_on_a_bad_free();
    expect(suspended == 0 && suspensions > 0, "suspensions are paired");
    return 0;
}
