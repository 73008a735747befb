/* A machine on which nothing gets its turn for a while: what is to be written to standard error is
 * written a second later. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <unistd.h>

ssize_t write(int fd, const void *bytes, size_t count) {
    static ssize_t (*real)(int, const void *, size_t);
    if (!real) real = (ssize_t(*)(int, const void *, size_t))dlsym(RTLD_NEXT, "write");
    if (fd == STDERR_FILENO) sleep(1);
    return real(fd, bytes, count);
}
