/*
 * The heap of FreeRTOS as a pool: add this file and bitfit's src/, compiled
 * with -DBITFIT_FREESTANDING=1, in the place of portable/MemMang/heap_4.c.
 *
 * It keeps to what heap_4 does: configTOTAL_HEAP_SIZE bytes, or an array of the
 * application's (configAPPLICATION_ALLOCATED_HEAP, aligned as max_align_t); the
 * scheduler is suspended while a call is under way; a request for 0 bytes gets
 * NULL. A bad free fails configASSERT() and changes nothing.
 */
#define MPU_WRAPPERS_INCLUDED_FROM_API_FILE
#include "FreeRTOS.h"
#include "task.h"
#undef MPU_WRAPPERS_INCLUDED_FROM_API_FILE

#include <bitfit.h>

#if configAPPLICATION_ALLOCATED_HEAP == 1
extern uint8_t ucHeap[configTOTAL_HEAP_SIZE];
#else
static _Alignas(max_align_t) uint8_t ucHeap[configTOTAL_HEAP_SIZE];
#endif

static void suspend(void *context)
{
    (void)context;
    vTaskSuspendAll();
}

static void resume(void *context)
{
    (void)context;
    (void)xTaskResumeAll();
}

static void fail(const bitfit_misuse *misuse, void *context)
{
    (void)context;
    configASSERT(misuse == NULL);
    (void)misuse;
}

static bitfit_pool *make_pool(void)
{
    enum { ALIGNMENT = portBYTE_ALIGNMENT > 8 ? portBYTE_ALIGNMENT : 8 };
    const bitfit_options options = {
        .granule = ALIGNMENT,
        .payload_alignment = ALIGNMENT,
        .lock_kind = BITFIT_LOCK_CALLER,
        .lock = suspend,
        .unlock = resume,
        .on_misuse = fail,
    };
    bitfit_pool *pool = bitfit_init(ucHeap, sizeof ucHeap, &options);
    configASSERT(pool != NULL);
    return pool;
}

/* The first call makes the pool. */
static bitfit_pool *heap(void)
{
    static bitfit_pool *pool;
    vTaskSuspendAll();
    if (pool == NULL)
        pool = make_pool();
    (void)xTaskResumeAll();
    return pool;
}

static void *told(void *block, size_t size)
{
    (void)size;
    traceMALLOC(block, size);
#if configUSE_MALLOC_FAILED_HOOK == 1
    if (block == NULL)
        vApplicationMallocFailedHook();
#endif
    return block;
}

void *pvPortMalloc(size_t xWantedSize)
{
    void *block = xWantedSize > 0 ? bitfit_alloc(heap(), xWantedSize) : NULL;
    return told(block, xWantedSize);
}

void *pvPortCalloc(size_t xNum, size_t xSize)
{
    void *block =
        xNum > 0 && xSize > 0 ? bitfit_calloc(heap(), xNum, xSize) : NULL;
    return told(block, xNum * xSize);
}

void vPortFree(void *pv)
{
    if (pv != NULL) {
        traceFREE(pv, bitfit_usable_size(heap(), pv));
        bitfit_free(heap(), pv);
    }
}

void vPortInitialiseBlocks(void)
{
}

void vPortHeapResetState(void)
{
    bitfit_reset(heap());
}

size_t xPortGetFreeHeapSize(void)
{
    bitfit_stats stats;
    bitfit_get_stats(heap(), &stats);
    return stats.free;
}

size_t xPortGetMinimumEverFreeHeapSize(void)
{
    bitfit_stats stats;
    bitfit_get_stats(heap(), &stats);
    return stats.capacity - stats.peak_live;
}

void xPortResetHeapMinimumEverFreeHeapSize(void)
{
    bitfit_reset_peak(heap());
}

static bool count_hole(const bitfit_run *run, void *context)
{
    HeapStats_t *stats = context;
    if (!run->live) {
        stats->xNumberOfFreeBlocks++;
        if (run->size < stats->xSizeOfSmallestFreeBlockInBytes)
            stats->xSizeOfSmallestFreeBlockInBytes = run->size;
    }
    return true;
}

void vPortGetHeapStats(HeapStats_t *pxHeapStats)
{
    bitfit_stats stats;
    vTaskSuspendAll();
    bitfit_get_stats(heap(), &stats);
    *pxHeapStats = (HeapStats_t){
        .xAvailableHeapSpaceInBytes = stats.free,
        .xSizeOfLargestFreeBlockInBytes = stats.largest_free,
        .xSizeOfSmallestFreeBlockInBytes = stats.largest_free,
        .xMinimumEverFreeBytesRemaining = stats.capacity - stats.peak_live,
        .xNumberOfSuccessfulAllocations = (size_t)stats.allocations,
        .xNumberOfSuccessfulFrees = (size_t)stats.frees,
    };
    (void)bitfit_walk(heap(), count_hole, pxHeapStats);
    (void)xTaskResumeAll();
}
