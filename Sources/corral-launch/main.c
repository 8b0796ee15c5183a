// corral-launch: the only program that makes sandboxes. Single-threaded, static, no allocation
// between a request and its exec. corrald starts it with a socket or a pipe as descriptor 3.
#include <stdio.h>
#include <string.h>

#include "CLaunch.h"

enum { CHANNEL = 3 };

int main(int argc, char **argv)
{
    const char *mode = argc > 1 ? argv[1] : "";
    if (!strcmp(mode, "template") && argc == 2)
        return corral_launch_template(CHANNEL);
#ifdef CORRAL_TEST_WALLS
    if (!strcmp(mode, "template-without") && argc == 3 && corral_leave_out(argv[2]) == 0)
        return corral_launch_template(CHANNEL);
    if (!strcmp(mode, "walls")) {
        corral_print_walls();
        return 0;
    }
#endif
    if (!strcmp(mode, "sweep") && argc > 2)
        return corral_launch_sweep(CHANNEL, argc - 2, argv + 2);
    if (!strcmp(mode, "drop"))
        return corral_launch_drop(argc - 2, argv + 2);
    fprintf(stderr, "corral-launch: it is started by corrald and has no use of its own\n");
    return 2;
}
