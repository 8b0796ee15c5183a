// A sandbox that is made before anybody asks: pid 1 is confined in every way and waits to be told
// what to run. Nothing of its confinement can change any more; only its command, its streams and
// its environment come now.
#include <errno.h>
#include <unistd.h>

#include "steps.h"

enum corral_step corral_await_command(struct launch *launch)
{
    static uint8_t bytes[CORRAL_PLAN_BYTES];
    static int descriptors[CORRAL_PLAN_DESCRIPTORS];
    int count;
    ssize_t n = corral_receive_plan(launch->command, bytes, descriptors, &count);
    if (n == 0)
        _exit(0); // it was not needed
    errno = EBADMSG;
    if (n < 0 || count != 3 || !corral_launch_read(bytes, (size_t)n, &launch->plan)
        || launch->plan.flags & CORRAL_LAUNCH_WAIT)
        return STEP_READ_LAUNCH;
    launch->input = descriptors[0];
    launch->output = descriptors[1];
    launch->errors = descriptors[2];
    return STEP_NONE;
}
