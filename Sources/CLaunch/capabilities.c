#include <errno.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "steps.h"

static int set_capabilities(uint64_t keep)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2] = {0};
    for (int i = 0; i < 2; i++) {
        data[i].permitted = (uint32_t)(keep >> (32 * i));
        data[i].effective = data[i].permitted;
    }
    return (int)syscall(SYS_capset, &header, data);
}

int corral_keep_capabilities(uint64_t keep, uint64_t if_there)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2] = {0};
    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0
        || syscall(SYS_capget, &header, data) < 0)
        return -1;
    uint64_t permitted = data[0].permitted | (uint64_t)data[1].permitted << 32;
    return set_capabilities(keep | (if_there & permitted));
}

int corral_drop_all_capabilities(void)
{
    // The kernel says EINVAL for the first number it does not know (prctl(2)).
    for (unsigned long number = 0;; number++) {
        if (prctl(PR_CAPBSET_DROP, number, 0, 0, 0) == 0)
            continue;
        if (errno == EINVAL && number > CAP_AUDIT_READ)
            break;
        return -1;
    }
    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
        return -1;
    return set_capabilities(0);
}
