/* The connections of the container's processes, relayed to the engine, and the datagrams. */
#include "holder.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

typedef struct {
    int fd, listener, reading, closing;
    uint32_t number;
    Buffer out;
} Channel;

static Channel channels[CHANNELS];
static Channel *polled_channels[LISTENERS + CHANNELS];
static int listeners[LISTENERS], datagrams[LISTENERS], listening;
static uint32_t last_number;
static unsigned char chunk[CHUNK];

void append(Buffer *buffer, const void *data, size_t length) {
    if (buffer->end + length > buffer->size && buffer->start > 0) {
        memmove(buffer->data, buffer->data + buffer->start, buffer->end - buffer->start);
        buffer->end -= buffer->start;
        buffer->start = 0;
    }
    if (buffer->end + length > buffer->size) {
        buffer->size = (buffer->end + length) * 2;
        buffer->data = checked(realloc(buffer->data, buffer->size));
    }
    memcpy(buffer->data + buffer->end, data, length);
    buffer->end += length;
}

void shrink(Buffer *buffer) {
    if (buffer->start < buffer->end) return;
    if (buffer->size > 4 * CHUNK) {
        free(buffer->data);
        *buffer = (Buffer){0};
    }
    buffer->start = buffer->end = 0;
}

static void forget(Channel *channel) {
    close(channel->fd);
    free(channel->out.data);
    *channel = (Channel){0};
}

static Channel *channel_of(uint32_t number) {
    for (int i = 0; i < CHANNELS; i++)
        if (channels[i].number == number) return &channels[i];
    return NULL;
}

static void lose(Channel *channel) {
    if (!channel->closing) send_frame('C', channel->number, "", 0);
    forget(channel);
}

static void flush(Channel *channel) {
    Buffer *out = &channel->out;
    while (out->start < out->end) {
        ssize_t done = send(channel->fd, out->data + out->start, out->end - out->start, MSG_NOSIGNAL);
        if (done < 0 && errno == EINTR) continue;
        if (done < 0 && errno == EAGAIN) return;
        if (done < 0) {
            lose(channel);
            return;
        }
        out->start += (size_t)done;
    }
    shrink(out);
    if (channel->closing == 2) forget(channel);
    else if (channel->closing == 1) shutdown(channel->fd, SHUT_WR);
}

/* Passes on what a process sent, behind what it printed before that. */
static void receive(Channel *channel) {
    while (channel->reading) {
        ssize_t got = recv(channel->fd, chunk, CHUNK, 0);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0 && errno == EAGAIN) return;
        if (got < 0) {
            lose(channel);
            return;
        }
        if (channel->listener == 0) before_request();
        if (got == 0) {
            channel->reading = 0;
            send_frame('E', channel->number, "", 0);
            return;
        }
        send_frame('D', channel->number, chunk, (size_t)got);
        if (got < CHUNK) return;
    }
}

static void accept_one(int listener) {
    static const int on = 1;
    uint32_t index = htonl((uint32_t)listener);
    Channel *free_one = NULL;
    for (int i = 0; i < CHANNELS && free_one == NULL; i++)
        if (channels[i].number == 0) free_one = &channels[i];
    if (free_one == NULL) return;
    int fd = accept4(listeners[listener], NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    *free_one = (Channel){.fd = fd, .listener = listener, .reading = 1, .number = ++last_number};
    send_frame('N', free_one->number, &index, 4);
    receive(free_one);
}

static void receive_datagram(int listener) {
    struct sockaddr_in from = {0};
    socklen_t size = sizeof from;
    ssize_t got = recvfrom(listeners[listener], chunk + 6, CHUNK - 6, 0, (struct sockaddr *)&from, &size);
    if (got < 0) return;
    memcpy(chunk, &from.sin_addr, 4);
    memcpy(chunk + 4, &from.sin_port, 2);
    send_frame('Q', (uint32_t)listener, chunk, (size_t)got + 6);
}

void answer_datagram(uint32_t listener, const unsigned char *payload, size_t length) {
    struct sockaddr_in to = {.sin_family = AF_INET};
    if (listener >= (uint32_t)listening || length < 6) return;
    memcpy(&to.sin_addr, payload, 4);
    memcpy(&to.sin_port, payload + 4, 2);
    sendto(listeners[listener], payload + 6, length - 6, MSG_NOSIGNAL, (struct sockaddr *)&to, sizeof to);
}

int listen_on(char *wanted) {
    struct sockaddr_in at = {.sin_family = AF_INET};
    static const int on = 1;
    char *kind = strtok(wanted, ":"), *address = strtok(NULL, ":"), *port = strtok(NULL, ":");
    if (kind == NULL || address == NULL || port == NULL || listening == LISTENERS) return EINVAL;
    int datagram = strcmp(kind, "udp") == 0;
    int fd = socket(AF_INET, (datagram ? SOCK_DGRAM : SOCK_STREAM) | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    at.sin_port = htons((uint16_t)atoi(port));
    if (fd < 0) return errno;
    if (inet_pton(AF_INET, address, &at.sin_addr) != 1) return EINVAL;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, (struct sockaddr *)&at, sizeof at) < 0) return errno;
    if (!datagram && listen(fd, 128) < 0) return errno;
    datagrams[listening] = datagram;
    listeners[listening++] = fd;
    return 0;
}

/* The port of the first listener, whichever the kernel chose. */
int first_port(void) {
    struct sockaddr_in at = {0};
    socklen_t size = sizeof at;
    if (listening) getsockname(listeners[0], (struct sockaddr *)&at, &size);
    return ntohs(at.sin_port);
}

/* Data, end of sending, close and abort, as the engine wishes for connection `number`. */
void obey_connection(unsigned char type, uint32_t number, const unsigned char *payload, size_t length) {
    Channel *channel = channel_of(number);
    if (channel == NULL) return;
    if (type == 'B') {
        forget(channel);
        return;
    }
    if (type == 'D') append(&channel->out, payload, length);
    else channel->closing = type == 'C' ? 2 : 1;
    flush(channel);
}

/* What is there already, of every connection. */
void receive_all(void) {
    for (int i = 0; i < CHANNELS; i++)
        if (channels[i].number) receive(&channels[i]);
}

/* Fills in what to poll for; returns how many. */
int relay_wanted(struct pollfd *polled) {
    int count = listening;
    for (int i = 0; i < listening; i++) polled[i] = (struct pollfd){.fd = listeners[i], .events = POLLIN};
    for (int i = 0; i < CHANNELS; i++) {
        Channel *each = &channels[i];
        short events = (short)((each->reading ? POLLIN : 0) | (each->out.start < each->out.end ? POLLOUT : 0));
        if (each->number == 0 || events == 0) continue;
        polled_channels[count] = each;
        polled[count++] = (struct pollfd){.fd = each->fd, .events = events};
    }
    return count;
}

/* Goes on where poll said that it can. */
void relay_ready(const struct pollfd *polled, int count) {
    for (int i = 0; i < listening; i++)
        if (polled[i].revents) (datagrams[i] ? receive_datagram : accept_one)(i);
    for (int i = listening; i < count; i++) {
        Channel *channel = polled_channels[i];
        uint32_t number = channel->number;
        if (polled[i].revents & (POLLIN | POLLHUP | POLLERR)) receive(channel);
        if (number == channel->number && polled[i].revents & POLLOUT) flush(channel);
    }
}
