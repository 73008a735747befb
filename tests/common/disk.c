/* A disk that a test spoils: while the file named by TEST_DISK says "full" or "read-only", nothing
 * can be written to databases. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static int spoilt(int fd) {
    char link[64], name[4096], said[16] = "";
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, name, sizeof name - 1);
    const char *disk = getenv("TEST_DISK");
    if (length <= 0 || !disk)
        return 0;
    name[length] = 0;
    if (!strstr(name, ".db"))
        return 0;
    int file = open(disk, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return 0;
    ssize_t count = read(file, said, sizeof said - 1);
    close(file);
    if (count > 0 && !strncmp(said, "full", 4))
        return ENOSPC;
    if (count > 0 && !strncmp(said, "read-only", 9))
        return EROFS;
    return 0;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define REFUSE(fd)                     \
    do {                               \
        int why = spoilt(fd);          \
        if (why) {                     \
            errno = why;               \
            return -1;                 \
        }                              \
    } while (0)

ssize_t write(int fd, const void *bytes, size_t count) {
    static ssize_t (*real)(int, const void *, size_t);
    if (!real)
        real = REAL(write);
    if (fd > 2)
        REFUSE(fd);
    return real(fd, bytes, count);
}

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t at) {
    REFUSE(fd);
    return REAL(pwrite)(fd, bytes, count, at);
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t at) {
    REFUSE(fd);
    return REAL(pwrite64)(fd, bytes, count, at);
}
