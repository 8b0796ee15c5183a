/* Times in nanoseconds, and the two numbers that are told about them. */
#ifndef BENCH_SAMPLES_H
#define BENCH_SAMPLES_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* How long a measurement of starts a second takes. */
#define RATE_NS 500000000u

struct samples {
    uint64_t *times;
    size_t count, room;
};

static inline uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static inline struct samples samples_make(size_t room)
{
    struct samples made = {calloc(room, sizeof(uint64_t)), 0, room};
    if (made.times == NULL)
        exit(1);
    return made;
}

static inline void samples_add(struct samples *samples, uint64_t time)
{
    if (samples->count < samples->room)
        samples->times[samples->count++] = time;
}

static inline int compare_times(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
    return left < right ? -1 : left > right;
}

/* One line of JSON: {"path":"pipe","size":200,"p50_ns":…,"p99_ns":…,"n":2000}; the same names stand
   for numbers that are no times. */
static inline void samples_print(struct samples *samples, const char *path, size_t size)
{
    if (samples->count == 0)
        return;
    qsort(samples->times, samples->count, sizeof(uint64_t), compare_times);
    printf("{\"path\":\"%s\",\"size\":%zu,\"p50_ns\":%llu,\"p99_ns\":%llu,\"n\":%zu}\n", path, size,
           (unsigned long long)samples->times[samples->count / 2],
           (unsigned long long)samples->times[samples->count * 99 / 100], samples->count);
}

#endif
