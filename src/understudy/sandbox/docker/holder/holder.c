/* Process 1 of a container: starts the image's processes one after another and relays their connections.
 *
 * Everything goes through stdin and stdout, which the engine holds by one `attach` of the Docker API: so the
 * Runtime API is reached wherever the Docker engine runs, a container without a network has it too, and what a
 * process printed arrives before what it asked for next. The end of stdin, so the end of the engine by any
 * means, is the end of every process and of the container.
 *
 * It runs as the function's own user without a privilege; the kernel shields process 1 from signals of its own
 * namespace, and PR_SET_DUMPABLE from a look inside. Frames are type (1 byte), number and length (4 each, big
 * endian), payload; `frames.py` is the other side and says what each type means.
 *
 * Arguments: the sockets to listen on, `tcp:ADDRESS:PORT` or `udp:ADDRESS:PORT`; the first is the Runtime API's.
 */
#include "holder.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { HEAD = 9, TICK_MS = 20, PEEK_AT_MOST = 1 << 20, TOLD_AT_MOST = 512, OTHERS = 4 };

static pid_t main_pid;
static int output = -1, reporting = -1, over_limit, stopped;
static uint64_t memory_limit;
static long oom_kills_before, checked_ms;
static unsigned char chunk[CHUNK];

static void end(int status) {
    kill(-1, SIGKILL);
    _exit(status);
}

void *checked(void *memory) {
    if (memory == NULL) end(2);
    return memory;
}

/* Frames to the engine */

static void write_all(const void *data, size_t length) {
    const char *at = data;
    while (length > 0) {
        ssize_t done = write(1, at, length);
        if (done < 0 && errno == EINTR) continue;
        if (done <= 0) end(0);
        at += done;
        length -= (size_t)done;
    }
}

void send_frame(char type, uint32_t number, const void *payload, size_t length) {
    unsigned char head[HEAD];
    uint32_t big = htonl(number), size = htonl((uint32_t)length);
    head[0] = (unsigned char)type;
    memcpy(head + 1, &big, 4);
    memcpy(head + 5, &size, 4);
    write_all(head, HEAD);
    write_all(payload, length);
}

/* What a frame F says: stage, errno, text. */
static size_t failure(char *payload, const char *stage, int number, const char *text) {
    int length = snprintf(payload, TOLD_AT_MOST, "%s%c%d%c%s", stage, 0, number, 0, text);
    return length < TOLD_AT_MOST ? (size_t)length : TOLD_AT_MOST - 1;
}

static void send_failure(const char *stage, int number) {
    char payload[TOLD_AT_MOST];
    send_frame('F', 0, payload, failure(payload, stage, number, strerror(number)));
}

/* What the kernel says */

static size_t read_file(const char *path, void *into, size_t most) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    size_t length = 0;
    if (fd < 0) return 0;
    for (ssize_t got; length < most && (got = read(fd, (char *)into + length, most - length)) > 0;)
        length += (size_t)got;
    close(fd);
    return length;
}

/* The number behind `name` in a file of lines; -1 when there is none. */
static long figure(const char *path, const char *name) {
    static char text[8192];
    size_t length = read_file(path, text, sizeof text - 1), size = strlen(name);
    text[length] = 0;
    for (char *line = text; line != NULL && *line; line = strchr(line, '\n'), line += line != NULL)
        if (strncmp(line, name, size) == 0) return strtol(line + size, NULL, 10);
    return -1;
}

/* Sum over every process but this one, in bytes; `name` is a line of /proc/PID/status. */
static uint64_t sum_of(const char *name) {
    uint64_t sum = 0;
    DIR *folder = opendir("/proc");
    if (folder == NULL) return 0;
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        char path[64];
        int pid = atoi(entry->d_name);
        if (pid <= 1) continue;
        snprintf(path, sizeof path, "/proc/%d/status", pid);
        long kilobytes = figure(path, name);
        if (kilobytes > 0) sum += (uint64_t)kilobytes * 1024;
    }
    closedir(folder);
    return sum;
}

/* Memory without /tmp, by the container's control group, version 2 or 1; by its processes without either. */
static uint64_t memory_used(void) {
    long bytes = figure("/sys/fs/cgroup/memory.stat", "anon ");
    if (bytes < 0) bytes = figure("/sys/fs/cgroup/memory/memory.stat", "rss ");
    return bytes >= 0 ? (uint64_t)bytes : sum_of("RssAnon:");
}

static long oom_kills(void) {
    long kills = figure("/sys/fs/cgroup/memory.events", "oom_kill ");
    return kills >= 0 ? kills : figure("/sys/fs/cgroup/memory/memory.oom_control", "oom_kill ");
}

/* Processes */

static void drain_output(void) {
    static unsigned char printed[CHUNK];
    while (output >= 0) {
        ssize_t got = read(output, printed, CHUNK);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0 && errno == EAGAIN) return;
        if (got <= 0) {
            close(output);
            output = -1;
            return;
        }
        send_frame('O', 0, printed, (size_t)got);
    }
}

/* A request to the Runtime API comes behind the output before it and the memory used so far. */
void before_request(void) {
    send_frame('M', (uint32_t)(sum_of("VmHWM:") / 1024), "", 0);
    drain_output();
}

/* In a child that is not the image's program yet: says why it will not be. */
static void give_up(int report, const char *stage, const char *text) {
    char payload[TOLD_AT_MOST];
    ssize_t ignored = write(report, payload, failure(payload, stage, errno, text));
    (void)ignored;
    _exit(127);
}

/* Starts an extension beside this process, as a child of process 1; an errno when it cannot be executed. */
static int accompany(char *path, char **environment) {
    int report[2], number = 0;
    if (pipe2(report, O_CLOEXEC) < 0) return errno;
    pid_t child = fork();
    if (child == 0) {
        if (fork() == 0) {
            char *argv[] = {path, NULL};
            if (chdir("/") == 0) execve(path, argv, environment);
            ssize_t ignored = write(report[1], &errno, sizeof errno);
            (void)ignored;
        }
        _exit(0);
    }
    close(report[1]);
    waitpid(child, NULL, 0);
    ssize_t told = read(report[0], &number, sizeof number);
    close(report[0]);
    return told > 0 ? number : 0;
}

/* The value of a variable; NULL when there is none. */
static const char *value_of(char **environment, const char *name) {
    size_t length = strlen(name);
    for (; *environment != NULL; environment++)
        if (strncmp(*environment, name, length) == 0 && (*environment)[length] == '=')
            return *environment + length + 1;
    return NULL;
}

/* Lambda starts the runtime when its extensions have registered; who waits for them in vain is killed. */
static int await_registration(char **environment) {
    static const char asked[] = "GET /understudy/extensions HTTP/1.1\r\nHost: runtime\r\n\r\n";
    const char *api = value_of(environment, "AWS_LAMBDA_RUNTIME_API");
    const char *port = api != NULL ? strrchr(api, ':') : NULL;
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    char answer;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    at.sin_port = htons((uint16_t)(port != NULL ? atoi(port + 1) : 0));
    if (fd < 0 || connect(fd, (struct sockaddr *)&at, sizeof at) < 0) return -1;
    if (write(fd, asked, sizeof asked - 1) < 0 || read(fd, &answer, 1) < 0) return -1;
    return close(fd);
}

/* As execvp, but with the PATH of `environment`; -2 when it is not found there. */
static int execute(char **argv, char **environment) {
    const char *path = value_of(environment, "PATH");
    int found = 0;
    if (strchr(argv[0], '/') != NULL) return execve(argv[0], argv, environment);
    for (const char *at = path ? path : "/bin:/usr/bin"; at != NULL; at = strchr(at, ':'), at += at != NULL) {
        char candidate[4096];
        struct stat about;
        int length = (int)strcspn(at, ":");
        snprintf(candidate, sizeof candidate, "%.*s/%s", length ? length : 1, length ? at : ".", argv[0]);
        if (stat(candidate, &about) < 0) continue;
        found = 1;
        if (S_ISDIR(about.st_mode) || access(candidate, X_OK) < 0) continue;
        return execve(candidate, argv, environment);
    }
    errno = found ? EACCES : ENOENT;
    return -2;
}

/* What a start asks for. */
typedef struct {
    char *cwd, **argv, **environment, **extensions, **extension_environment;
} Wanted;

static void run_child(const Wanted *wanted, int out, int report) {
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    int null = open("/dev/null", O_RDONLY);
    if (null < 0 || dup2(null, 0) < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0)
        give_up(report, "limits", strerror(errno));
    close(null);
    setsid();
    umask(022);
    for (char **each = wanted->extensions; *each != NULL; each++) {
        errno = accompany(*each, wanted->extension_environment);
        if (errno) give_up(report, "extension", *each);
    }
    if (*wanted->extensions != NULL && await_registration(wanted->environment) < 0)
        give_up(report, "extension", strerror(errno));
    if (chdir(wanted->cwd) < 0) give_up(report, "cwd", strerror(errno));
    int failed = execute(wanted->argv, wanted->environment);
    give_up(report, "exec", failed == -2 ? "not found on PATH" : strerror(errno));
}

/* Splits `count` strings off; NULL-terminated. */
static char **strings(char **at, char *limit) {
    int count = atoi(*at);
    char **list = checked(calloc((size_t)count + 1, sizeof *list));
    *at += strlen(*at) + 1;
    for (int i = 0; i < count && *at < limit; i++, *at += strlen(*at) + 1) list[i] = *at;
    return list;
}

/* The child has said why it gave up, or it became the image's program. */
static void hear_child(void) {
    char payload[TOLD_AT_MOST];
    ssize_t length = read(reporting, payload, sizeof payload);
    if (length > 0) send_frame('F', 0, payload, (size_t)length);
    close(reporting);
    reporting = -1;
}

/* Lambda resets the whole process tree: what the main process left behind does not outlive it. */
static void ended(int status, const struct rusage *usage) {
    char payload[128];
    int oom = over_limit || (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL && oom_kills() > oom_kills_before);
    int code = WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
    main_pid = 0;
    kill(-1, SIGKILL);
    while (waitpid(-1, NULL, 0) > 0 || errno == EINTR) continue;
    if (reporting >= 0) hear_child();
    receive_all();
    drain_output();
    if (output >= 0) close(output);
    output = -1;
    int length = snprintf(payload, sizeof payload, "%d %ld %d", code, usage->ru_maxrss * 1024L, oom);
    send_frame('X', 0, payload, (size_t)length);
}

/* Payload: memory limit, directory, and four lists: arguments, variables, extensions, their variables. A list is
 * its length and its words; NUL behind each. */
static void start(char *payload, size_t length) {
    char *at = payload, *limit = payload + length;
    int out[2], report[2];
    Wanted wanted;
    memory_limit = strtoull(at, NULL, 10);
    at += strlen(at) + 1;
    wanted.cwd = at;
    at += strlen(at) + 1;
    char ***lists[] = {&wanted.argv, &wanted.environment, &wanted.extensions, &wanted.extension_environment};
    for (int i = 0; i < 4; i++) *lists[i] = strings(&at, limit);
    over_limit = stopped = 0;
    oom_kills_before = oom_kills();
    if (pipe2(out, O_CLOEXEC) < 0 || pipe2(report, O_CLOEXEC) < 0) end(2);
    main_pid = fork();
    if (main_pid == 0) run_child(&wanted, out[1], report[1]);
    int failed = main_pid < 0 ? errno : 0;
    close(out[1]);
    close(report[1]);
    for (int i = 0; i < 4; i++) free(*lists[i]);
    output = out[0];
    reporting = report[0];
    fcntl(output, F_SETFL, O_NONBLOCK);
    if (failed) {
        struct rusage none = {0};
        send_failure("limits", failed);
        ended(SIGKILL, &none);
    }
}

static void reap(int signals) {
    struct signalfd_siginfo info;
    struct rusage usage;
    int status;
    while (read(signals, &info, sizeof info) > 0) continue;
    for (pid_t pid; (pid = wait4(-1, &status, WNOHANG, &usage)) > 0;)
        if (pid == main_pid) ended(status, &usage);
}

/* Payload: executable, directory, number of bytes of the command line; NUL behind each; then it, environment. */
static void peek(void) {
    static char payload[2 * 4096 + 16 + 2 * PEEK_AT_MOST];
    char path[64], *at = payload;
    for (int i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "/proc/%d/%s", main_pid, i ? "cwd" : "exe");
        ssize_t length = main_pid ? readlink(path, at, 4095) : -1;
        if (length < 0) {
            send_frame('P', 0, "", 0);
            return;
        }
        at += length;
        *at++ = 0;
    }
    snprintf(path, sizeof path, "/proc/%d/cmdline", main_pid);
    char *command = checked(malloc(PEEK_AT_MOST));
    size_t size = read_file(path, command, PEEK_AT_MOST);
    at += snprintf(at, 16, "%zu", size) + 1;
    memcpy(at, command, size);
    free(command);
    at += size;
    snprintf(path, sizeof path, "/proc/%d/environ", main_pid);
    at += read_file(path, at, PEEK_AT_MOST);
    send_frame('P', 0, payload, (size_t)(at - payload));
}

/* Frames from the engine */

static void obey(unsigned char type, uint32_t number, unsigned char *payload, size_t length) {
    if (type == 'S') start((char *)payload, length);
    else if (type == 'P') peek();
    else if (type == 'Z') end(0);
    else if (type == 'A') answer_datagram(number, payload, length);
    else if (type == 'K') {
        if (number == SIGSTOP || number == SIGCONT) stopped = number == SIGSTOP;
        kill(-1, (int)number);
    } else obey_connection(type, number, payload, length);
}

static void obey_all(void) {
    static Buffer in;
    ssize_t got = read(0, chunk, CHUNK);
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) return;
    if (got <= 0) end(0);
    append(&in, chunk, (size_t)got);
    while (in.end - in.start >= HEAD) {
        uint32_t number, length;
        memcpy(&number, in.data + in.start + 1, 4);
        memcpy(&length, in.data + in.start + 5, 4);
        length = ntohl(length);
        if (in.end - in.start < HEAD + (size_t)length) return;
        unsigned char *payload = in.data + in.start + HEAD;
        unsigned char type = in.data[in.start];
        obey(type, ntohl(number), payload, length);
        in.start += HEAD + length;
    }
    shrink(&in);
}

/* Holds the processes to their memory, now and then. */
static void check_memory(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    long now_ms = now.tv_sec * 1000L + now.tv_nsec / 1000000L;
    if (main_pid == 0 || memory_limit == 0 || now_ms - checked_ms < TICK_MS) return;
    checked_ms = now_ms;
    if (memory_used() <= memory_limit) return;
    over_limit = 1;
    kill(-1, SIGKILL);
}

static void serve(int signals) {
    static struct pollfd polled[OTHERS + LISTENERS + CHANNELS];
    for (;;) {
        int relayed = relay_wanted(polled + OTHERS);
        polled[0] = (struct pollfd){.fd = 0, .events = POLLIN};
        polled[1] = (struct pollfd){.fd = signals, .events = POLLIN};
        polled[2] = (struct pollfd){.fd = output, .events = POLLIN};
        polled[3] = (struct pollfd){.fd = reporting, .events = POLLIN};
        int ready = poll(polled, (nfds_t)(OTHERS + relayed), main_pid && !stopped ? TICK_MS : -1);
        if (ready < 0 && errno != EINTR) end(2);
        if (ready > 0) {
            if (polled[2].revents) drain_output();
            if (polled[3].revents) hear_child();
            relay_ready(polled + OTHERS, relayed);
            if (polled[1].revents) reap(signals);
            if (polled[0].revents) obey_all();
        }
        check_memory();
    }
}

int main(int count, char **arguments) {
    sigset_t watched;
    prctl(PR_SET_DUMPABLE, 0);
    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&watched);
    sigaddset(&watched, SIGCHLD);
    sigprocmask(SIG_BLOCK, &watched, NULL);
    for (int i = 1; i < count; i++) {
        int failed = listen_on(arguments[i]);
        if (failed) {
            send_failure("network", failed);
            return 1;
        }
    }
    send_frame('R', (uint32_t)first_port(), "", 0);
    serve(signalfd(-1, &watched, SFD_NONBLOCK | SFD_CLOEXEC));
}
