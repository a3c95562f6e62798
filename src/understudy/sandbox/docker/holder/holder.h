/* What process 1 of a container is made of; holder.c says what it is for. */
#define _GNU_SOURCE
#include <poll.h>
#include <stddef.h>
#include <stdint.h>

enum { CHUNK = 65536, CHANNELS = 256, LISTENERS = 16 };

typedef struct {
    unsigned char *data;
    size_t start, end, size;
} Buffer;

/* holder.c: to the engine, and what must come first there */
void *checked(void *memory);
void send_frame(char type, uint32_t number, const void *payload, size_t length);
void before_request(void);

/* relay.c */
void append(Buffer *buffer, const void *data, size_t length);
void shrink(Buffer *buffer);
int listen_on(char *wanted);
int first_port(void);
void answer_datagram(uint32_t listener, const unsigned char *payload, size_t length);
void obey_connection(unsigned char type, uint32_t number, const unsigned char *payload, size_t length);
void receive_all(void);
int relay_wanted(struct pollfd *polled);
void relay_ready(const struct pollfd *polled, int count);
