/*
 * A disk that fails when it is told to, for a gateway started with LD_PRELOAD=bad_disk.so. It stands
 * between the program and its C library, for the store's files alone ($BAD_DISK_FILE and what its
 * name begins: the log; not the shared index, which is memory).
 *
 * $BAD_DISK is a directory. While it holds a file `sync-NAME`, `write-NAME`, `read-NAME` or
 * `open-NAME`, that call on the file NAME fails with the errno written in it; only once, if the
 * word `once` follows. With the word `hang` in it, the call waits until the file is gone, and works
 * then; with the word `slow`, it takes a millisecond and works. `open` fails only when it asks to
 * write, as on a file system that was made read-only.
 *
 * In $BAD_DISK/platter/NAME stands what would be left of NAME after a power cut. Bytes get there
 * when a sync succeeds. When a sync fails, what was written since the last good one is forgotten,
 * as Linux does: a later sync succeeds and does not bring it there.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILES_MAX 8

struct range { off_t at; size_t length; };

struct file {
    char name[NAME_MAX + 1];
    struct range *dirty;
    size_t dirty_count, dirty_room;
};

static struct file files[FILES_MAX];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* The C library's own function. */
#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

/* Whether `path` is one of the store's files; then `name` is its last part. */
static int is_ours(const char *path, char *name) {
    const char *wanted = getenv("BAD_DISK_FILE");
    const char *slash = strrchr(path, '/');
    const char *last = slash ? slash + 1 : path;
    if (!wanted || strncmp(last, wanted, strlen(wanted)) != 0) return 0;
    const char *rest = last + strlen(wanted);
    if (strcmp(rest, "") != 0 && strcmp(rest, "-wal") != 0) return 0;
    snprintf(name, NAME_MAX + 1, "%s", last);
    return 1;
}

static int is_our_fd(int fd, char *name) {
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return is_ours(path, name);
}

/* The errno that `call` on the file `name` fails with now; 0 when it works. */
static int told_to_fail(const char *call, const char *name) {
    char rule[PATH_MAX], text[16] = "";
    snprintf(rule, sizeof rule, "%s/%s-%s", getenv("BAD_DISK"), call, name);
    int fd = REAL(open)(rule, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return 0;
    ssize_t length = REAL(read)(fd, text, sizeof text - 1);
    close(fd);
    if (strstr(text, "once")) unlink(rule);
    if (strstr(text, "hang")) {
        while (access(rule, F_OK) == 0) usleep(10000);
        return 0;
    }
    if (strstr(text, "slow")) {
        usleep(1000);
        return 0;
    }
    return length > 0 ? atoi(text) : 0;
}

static struct file *file_named(const char *name) {
    for (int i = 0; i < FILES_MAX; i++) {
        if (files[i].name[0] == 0) snprintf(files[i].name, sizeof files[i].name, "%s", name);
        if (strcmp(files[i].name, name) == 0) return &files[i];
    }
    abort();
}

static void note_dirty(const char *name, off_t at, size_t length) {
    pthread_mutex_lock(&lock);
    struct file *file = file_named(name);
    if (file->dirty_count == file->dirty_room) {
        file->dirty_room = file->dirty_room * 2 + 64;
        file->dirty = realloc(file->dirty, file->dirty_room * sizeof *file->dirty);
        if (!file->dirty) abort();
    }
    file->dirty[file->dirty_count++] = (struct range){at, length};
    pthread_mutex_unlock(&lock);
}

/* Brings what is dirty to the platter, or forgets it. */
static void clean(int fd, const char *name, int to_platter) {
    pthread_mutex_lock(&lock);
    struct file *file = file_named(name);
    if (to_platter) {
        char path[PATH_MAX];
        struct stat now;
        snprintf(path, sizeof path, "%s/platter/%s", getenv("BAD_DISK"), name);
        int platter = REAL(open64)(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        if (platter < 0 || fstat(fd, &now) != 0) abort();
        for (size_t i = 0; i < file->dirty_count; i++) {
            struct range *range = &file->dirty[i];
            char *bytes = malloc(range->length);
            if (!bytes) abort();
            ssize_t read = REAL(pread64)(fd, bytes, range->length, range->at);
            if (read > 0 && REAL(pwrite64)(platter, bytes, read, range->at) != read) abort();
            free(bytes);
        }
        if (REAL(ftruncate64)(platter, now.st_size) != 0) abort();
        close(platter);
    }
    file->dirty_count = 0;
    pthread_mutex_unlock(&lock);
}

static int sync_or_fail(int fd, int (*real)(int)) {
    char name[NAME_MAX + 1];
    if (!is_our_fd(fd, name)) return real(fd);
    int error = told_to_fail("sync", name);
    int result = error ? -1 : real(fd);
    clean(fd, name, result == 0);
    if (error) errno = error;
    return result;
}

int fdatasync(int fd) { return sync_or_fail(fd, REAL(fdatasync)); }

int fsync(int fd) { return sync_or_fail(fd, REAL(fsync)); }

ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t at) {
    char name[NAME_MAX + 1];
    if (!is_our_fd(fd, name)) return REAL(pwrite64)(fd, bytes, length, at);
    int error = told_to_fail("write", name);
    if (error) {
        errno = error;
        return -1;
    }
    ssize_t written = REAL(pwrite64)(fd, bytes, length, at);
    if (written > 0) note_dirty(name, at, written);
    return written;
}

ssize_t pread64(int fd, void *bytes, size_t length, off64_t at) {
    char name[NAME_MAX + 1];
    int error = is_our_fd(fd, name) ? told_to_fail("read", name) : 0;
    if (error) {
        errno = error;
        return -1;
    }
    return REAL(pread64)(fd, bytes, length, at);
}

static int open_or_fail(const char *path, int flags, mode_t mode) {
    char name[NAME_MAX + 1];
    int writes = (flags & O_ACCMODE) != O_RDONLY;
    int error = writes && is_ours(path, name) ? told_to_fail("open", name) : 0;
    if (error) {
        errno = error;
        return -1;
    }
    return REAL(open64)(path, flags, mode);
}

static mode_t mode_of(int flags, va_list more) {
    int makes = (flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE;
    return makes ? va_arg(more, mode_t) : 0;
}

int open64(const char *path, int flags, ...) {
    va_list more;
    va_start(more, flags);
    mode_t mode = mode_of(flags, more);
    va_end(more);
    return open_or_fail(path, flags, mode);
}

int open(const char *path, int flags, ...) {
    va_list more;
    va_start(more, flags);
    mode_t mode = mode_of(flags, more);
    va_end(more);
    return open_or_fail(path, flags | O_LARGEFILE, mode);
}
