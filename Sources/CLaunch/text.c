// Texts for the kernel's files. snprintf(3) would do, and touches a dozen pages that a sandbox has
// not touched yet: each costs a start some microseconds, and its end as much again.
#include "steps.h"

char *corral_put(char *at, const char *text)
{
    while (*text)
        *at++ = *text++;
    *at = '\0';
    return at;
}

char *corral_put_number(char *at, uint64_t number)
{
    char digits[20];
    size_t count = 0;
    do
        digits[count++] = (char)('0' + number % 10);
    while (number /= 10);
    while (count > 0)
        *at++ = digits[--count];
    *at = '\0';
    return at;
}
