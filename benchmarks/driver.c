/* The other end of every measurement: an MQTT 3.1.1 client on a raw socket, the same for all candidates.
 *
 *   driver PORT TOPICS seq QOS COUNT LIMIT_S   publish, wait for the state, and again; one latency (ns) a line
 *   driver PORT TOPICS pipe QOS COUNT WINDOW   keep WINDOW commands in flight; one line: ns received disorder last_wrong
 *   driver PORT TOPICS await TIMEOUT_S         until something was seen on every topic; one line: CLOCK_MONOTONIC ns, seen
 *   driver PORT TOPICS pace QOS RATE           so many commands a second, whatever comes back, until told to end (SIGTERM);
 *                                              one line: ns sent
 *   driver PORT TOPICS echo                    publish every command as its state until killed: what broker and sockets cost
 *
 * TOPICS is a file: a command topic, a blank and its state topic a line; for await one topic a line. Commands go round
 * robin over the topics and alternate ON and OFF on each. "ready" is printed once everything is subscribed.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MOST = 4096, SLOTS = 4 * MOST, ROOM = 1 << 20, STALL_S = 3 };

static char *command_topic[MOST], *state_topic[MOST];
static int topics, table[SLOTS], fd;
static uint8_t in[ROOM], out[ROOM];
static size_t in_from, in_to, out_to;

struct message { int topic; int qos; int retain; uint16_t id; const uint8_t *payload; size_t length; };

static void fail(const char *format, ...) {
    va_list args;
    va_start(args, format);
    fputs("driver: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    exit(1);
}

static int64_t now_ns(void) {
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (int64_t)at.tv_sec * 1000000000 + at.tv_nsec;
}

static uint32_t hash(const uint8_t *text, size_t length) {
    uint32_t sum = 2166136261u;
    while (length--) sum = (sum ^ *text++) * 16777619u;
    return sum;
}

static int *slot(const uint8_t *text, size_t length, char **names) {
    uint32_t at = hash(text, length) % SLOTS;
    for (; table[at] >= 0; at = (at + 1) % SLOTS)
        if (strlen(names[table[at]]) == length && !memcmp(names[table[at]], text, length)) break;
    return &table[at];
}

static void read_topics(const char *path, int pairs, char **keys) {
    FILE *file = fopen(path, "r");
    char first[512], second[512];
    if (!file) fail("%s: %s", path, strerror(errno));
    memset(table, -1, sizeof table);
    while (fscanf(file, pairs ? "%511s %511s" : "%511s", first, second) == 1 + pairs) {
        if (topics == MOST) fail("more than %d topics", MOST);
        command_topic[topics] = strdup(first);
        state_topic[topics] = strdup(pairs ? second : first);
        *slot((uint8_t *)keys[topics], strlen(keys[topics]), keys) = topics;
        topics++;
    }
    fclose(file);
    if (!topics) fail("%s names no topics", path);
}

static void flush(void) {
    for (size_t done = 0; done < out_to;) {
        ssize_t sent = write(fd, out + done, out_to - done);
        if (sent < 0) fail("write: %s", strerror(errno));
        done += (size_t)sent;
    }
    out_to = 0;
}

static void head(uint8_t first, size_t length) {
    if (out_to + length + 8 > ROOM) flush();
    out[out_to++] = first;
    do {
        out[out_to++] = (uint8_t)((length & 127) | (length > 127 ? 128 : 0));
    } while (length >>= 7);
}

static void text(const char *content) {
    size_t length = strlen(content);
    out[out_to++] = (uint8_t)(length >> 8);
    out[out_to++] = (uint8_t)length;
    memcpy(out + out_to, content, length);
    out_to += length;
}

static void publish(const char *topic, const void *payload, size_t length, int qos) {
    static uint16_t id;
    head((uint8_t)(0x30 | qos << 1), 2 + strlen(topic) + (qos ? 2 : 0) + length);
    text(topic);
    if (qos) {
        if (!++id) ++id;
        out[out_to++] = (uint8_t)(id >> 8);
        out[out_to++] = (uint8_t)id;
    }
    memcpy(out + out_to, payload, length);
    out_to += length;
}

static void subscribe(const char *topic, int qos) {
    head(0x82, 2 + 2 + strlen(topic) + 1);
    out[out_to++] = 0;
    out[out_to++] = 1;
    text(topic);
    out[out_to++] = (uint8_t)qos;
}

/* Take one packet out of what was read; 0: it is not whole yet. */
static int packet(uint8_t *type, const uint8_t **body, size_t *length) {
    size_t at = in_from + 1, size = 0;
    int shift = 0;
    do {
        if (at >= in_to) return 0;
        size |= (size_t)(in[at] & 127) << shift;
        shift += 7;
    } while (in[at++] & 128);
    if (at + size > in_to) return 0;
    *type = in[in_from];
    *body = in + at;
    *length = size;
    in_from = at + size;
    return 1;
}

/* Read what is there; 0: nothing came within the time. */
static int fill(int timeout_ms) {
    struct pollfd wait = {fd, POLLIN, 0};
    memmove(in, in + in_from, in_to - in_from);
    in_to -= in_from;
    in_from = 0;
    if (in_to == ROOM) fail("a packet of more than %d bytes", ROOM);
    if (timeout_ms >= 0 && poll(&wait, 1, timeout_ms) == 0) return 0;
    ssize_t got = read(fd, in + in_to, ROOM - in_to);
    if (got <= 0) fail("the broker closed the connection");
    in_to += (size_t)got;
    return 1;
}

/* Wait for the next message on one of our topics; QoS 1 is acknowledged with the next flush. 0: none came. */
static int message(struct message *to, char **names, int timeout_ms) {
    uint8_t type;
    const uint8_t *body;
    size_t length;
    for (;;) {
        while (in_from >= in_to || !packet(&type, &body, &length)) {
            if (out_to) flush();
            if (!fill(timeout_ms)) return 0;
        }
        if (type >> 4 != 3) continue;
        size_t name = (size_t)body[0] << 8 | body[1], at = 2 + name;
        to->qos = type >> 1 & 3;
        to->retain = type & 1;
        if (to->qos) {
            to->id = (uint16_t)(body[at] << 8 | body[at + 1]);
            at += 2;
            head(0x40, 2);
            out[out_to++] = (uint8_t)(to->id >> 8);
            out[out_to++] = (uint8_t)to->id;
        }
        to->topic = *slot(body + 2, name, names);
        to->payload = body + at;
        to->length = length - at;
        if (to->topic >= 0) return 1;
    }
}

static void await_type(uint8_t wanted) {
    uint8_t type;
    const uint8_t *body;
    size_t length;
    for (;;) {
        while (in_from >= in_to || !packet(&type, &body, &length)) fill(-1);
        if (type >> 4 == wanted) break;
    }
    if (wanted == 2 && body[1]) fail("the broker refused us: %d", body[1]);
}

static void dial(int port) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int on = 1;
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(fd, (struct sockaddr *)&to, sizeof to)) fail("port %d: %s", port, strerror(errno));
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    static const uint8_t connect_body[] = {0, 4, 'M', 'Q', 'T', 'T', 4, 2, 0, 0, 0, 0}; /* clean, no keepalive, no id */
    head(0x10, sizeof connect_body);
    memcpy(out + out_to, connect_body, sizeof connect_body);
    out_to += sizeof connect_body;
    flush();
    await_type(2);
}

static void listen_to(char **names, int count, int qos) {
    for (int i = 0; i < count; i++) {
        subscribe(names[i], qos);
        flush();
        await_type(9);
    }
    puts("ready");
    fflush(stdout);
}

static const char *word(long number) { return number & 1 ? "OFF" : "ON"; }

static int is(const struct message *got, const char *wanted) {
    return got->length == strlen(wanted) && !memcmp(got->payload, wanted, got->length);
}

static void sequential(int qos, long count, double limit_s) {
    int64_t *took = calloc((size_t)count, sizeof *took), begin = now_ns();
    struct message got;
    long done = 0, lost = 0;
    for (long n = 0; n < count && (double)(now_ns() - begin) < limit_s * 1e9; n++) {
        int topic = (int)(n % topics);
        const char *value = word(n / topics);
        publish(command_topic[topic], value, strlen(value), qos);
        int64_t start = now_ns();
        flush();
        for (;;) {
            if (!message(&got, state_topic, STALL_S * 1000)) {
                lost++;
                break;
            }
            if (!got.retain && got.topic == topic && is(&got, value)) {
                took[done++] = now_ns() - start;
                break;
            }
        }
        if (out_to) flush();
    }
    for (long n = 0; n < done; n++) printf("%lld\n", (long long)took[n]);
    if (lost) fail("%ld commands had no state within %d s", lost, STALL_S);
}

static void pipelined(int qos, long count, long window) {
    static long expected[MOST], last_right[MOST];
    struct message got;
    long sent = 0, received = 0, disorder = 0, last_wrong = 0;
    int64_t begin = now_ns(), end = begin;
    while (received < count) {
        for (; sent < count && sent - received < window; sent++) {
            const char *value = word(sent / topics);
            publish(command_topic[sent % topics], value, strlen(value), qos);
        }
        if (out_to) flush();
        if (!message(&got, state_topic, STALL_S * 1000)) break;
        do {
            if (got.retain) continue;
            disorder += !is(&got, word(expected[got.topic]++));
            long commands = (count - 1 - got.topic) / topics; /* the number of its last command */
            last_right[got.topic] = is(&got, word(commands));
            received++;
            end = now_ns();
        } while (received < count && in_from < in_to && message(&got, state_topic, 0));
    }
    for (int i = 0; i < topics && i < count; i++) last_wrong += !last_right[i];
    printf("%lld %ld %ld %ld\n", (long long)(end - begin), received, disorder, last_wrong);
}

static volatile sig_atomic_t ending;

static void end(int signal) { (void)signal; ending = 1; }

static void paced(int qos, double rate_hz) {
    signal(SIGTERM, end);
    static const struct timespec pause = {0, 1000000};
    long sent = 0;
    int64_t begin = now_ns(), at = begin;
    for (; !ending; at = now_ns()) {
        for (long due = (long)((double)(at - begin) / 1e9 * rate_hz); sent < due; sent++) {
            const char *value = word(sent / topics);
            publish(command_topic[sent % topics], value, strlen(value), qos);
        }
        if (out_to) flush();
        while (fill(0)) in_from = in_to = 0; /* what is told costs us nothing; QoS 0 wants no answer */
        nanosleep(&pause, NULL);
    }
    printf("%lld %ld\n", (long long)(at - begin), sent);
}

static void await_all(double timeout_s) {
    static char seen[MOST];
    struct message got;
    int64_t end = now_ns() + (int64_t)(timeout_s * 1e9);
    int left = topics;
    while (left && now_ns() < end) {
        if (!message(&got, state_topic, 100) || !got.length || seen[got.topic]) continue;
        seen[got.topic] = 1;
        left--;
    }
    printf("%lld %d\n", (long long)now_ns(), topics - left);
    for (int i = 0; i < topics && left; i++)
        if (!seen[i]) fprintf(stderr, "nothing on %s\n", state_topic[i]);
}

static void echo(int qos) {
    struct message got;
    for (;;) {
        message(&got, command_topic, -1);
        publish(state_topic[got.topic], got.payload, got.length, qos);
        if (in_from >= in_to) flush();
    }
}

int main(int count, char **words) {
    if (count < 4) fail("too few words: see the head of driver.c");
    const char *mode = words[3];
    int echoes = !strcmp(mode, "echo"), awaits = !strcmp(mode, "await");
    double number[3] = {0};
    for (int i = 4; i < count && i < 7; i++) number[i - 4] = atof(words[i]);
    read_topics(words[2], !awaits, echoes ? command_topic : state_topic);
    dial(atoi(words[1]));
    char *everything[] = {"#"};
    if (awaits) listen_to(everything, 1, 0);
    else listen_to(echoes ? command_topic : state_topic, topics, echoes ? 1 : (int)number[0]);
    if (awaits) await_all(number[0]);
    else if (echoes) echo(0);
    else if (!strcmp(mode, "seq")) sequential((int)number[0], (long)number[1], number[2]);
    else if (!strcmp(mode, "pace")) paced((int)number[0], number[1]);
    else if (!strcmp(mode, "pipe")) pipelined((int)number[0], (long)number[1], (long)number[2]);
    else fail("unknown mode %s", mode);
    return 0;
}
