/* The process of ZooKeeper's C client: `peer <servers>`, with the jobs and answers of `child.ts`. */
#include <arpa/inet.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <zookeeper/zookeeper.h>

#define SESSION_TIMEOUT 600000
#define DATA_SIZE 100
#define PATH_SIZE 512

static const char data[DATA_SIZE];
static const char *servers;
static zhandle_t *client;

/* The step that runs. Completions begin the next request, in the thread of the client. */
static struct {
  char op[16], path[256], root[256];
  int count, in_flight, size, stride;
  int total, next, answered, failed;
  char **paths;
  double *begun, *latencies;
  int taken;
  pthread_mutex_t lock;
  sem_t done;
} step = {.lock = PTHREAD_MUTEX_INITIALIZER};

static sem_t fired;

static double micros(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return now.tv_sec * 1e6 + now.tv_nsec / 1e3;
}

/* Microseconds of all threads, user and system. */
static double cpu(void) {
  struct rusage used;
  getrusage(RUSAGE_SELF, &used);
  return (used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1e6 + used.ru_utime.tv_usec + used.ru_stime.tv_usec;
}

static long rss(void) {
  long size = 0, resident = 0;
  FILE *statm = fopen("/proc/self/statm", "r");
  if (statm == NULL) return 0;
  if (fscanf(statm, "%ld %ld", &size, &resident) != 2) resident = 0;
  fclose(statm);
  return resident * sysconf(_SC_PAGESIZE);
}

static int ascending(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* Tells of a stretch of work since `begun`. */
static void tell(int operations, double begun, double used, double *latencies, int taken) {
  const double wall = micros(CLOCK_MONOTONIC) - begun, charged = cpu() - used;
  if (taken > 0) qsort(latencies, taken, sizeof *latencies, ascending);
  printf("{\"is\":\"sample\",\"sample\":{\"operations\":%d,\"wallMicros\":%f,\"cpuMicros\":%f,\"p50\":%f,\"p99\":%f,"
         "\"rss\":%ld,\"heap\":0}}\n",
         operations, wall, charged, taken > 0 ? latencies[(taken - 1) / 2] : 0,
         taken > 0 ? latencies[(int)((taken - 1) * 0.99)] : 0, rss());
}

static void fail(const char *reason) { printf("{\"is\":\"failed\",\"reason\":\"%s\"}\n", reason); }

/* ---- sessions */

static void on_state(zhandle_t *zh, int type, int state, const char *path, void *connected) {
  (void)zh;
  (void)path;
  if (type == ZOO_SESSION_EVENT && state == ZOO_CONNECTED_STATE) sem_post(connected);
}

/* The semaphore of a client lives as long as the client, which calls back at each connection. */
static zhandle_t *open_session(sem_t *connected) {
  sem_init(connected, 0, 0);
  zhandle_t *zh = zookeeper_init(servers, on_state, SESSION_TIMEOUT, NULL, connected, 0);
  if (zh != NULL) sem_wait(connected);
  return zh;
}

/* ---- requests */

static void ask(int index);

static void answered(int rc, const void *begun) {
  pthread_mutex_lock(&step.lock);
  if (begun != NULL) step.latencies[step.taken++] = micros(CLOCK_MONOTONIC) - *(const double *)begun;
  if (rc != ZOK) step.failed = rc;
  const int next = step.next < step.total ? step.next++ : -1;
  const int over = ++step.answered == step.total;
  pthread_mutex_unlock(&step.lock);
  if (next >= 0) ask(next);
  if (over) sem_post(&step.done);
}

static void on_void(int rc, const void *begun) { answered(rc, begun); }

static void on_stat(int rc, const struct Stat *stat, const void *begun) {
  (void)stat;
  answered(rc, begun);
}

static void on_data(int rc, const char *value, int length, const struct Stat *stat, const void *begun) {
  (void)value;
  (void)length;
  (void)stat;
  answered(rc, begun);
}

static void on_string(int rc, const char *value, const void *begun) {
  (void)value;
  answered(rc, begun);
}

static void on_names(int rc, const struct String_vector *names, const struct Stat *stat, const void *begun) {
  (void)names;
  (void)stat;
  answered(rc, begun);
}

static void on_event(zhandle_t *zh, int type, int state, const char *path, void *context) {
  (void)zh;
  (void)state;
  (void)path;
  (void)context;
  if (type != ZOO_SESSION_EVENT) sem_post(&fired);
}

/* A transaction and the room for its results, until it is answered. */
struct transaction {
  const void *begun;
  zoo_op_t *ops;
  zoo_op_result_t *results;
  char *paths;
};

static void on_transaction(int rc, const void *context) {
  struct transaction *made = (struct transaction *)context;
  const void *begun = made->begun;
  free(made->ops);
  free(made->results);
  free(made->paths);
  free(made);
  answered(rc, begun);
}

static int ask_transaction(int index, const void *begun) {
  const int from = index * step.size, count = step.count - from < step.size ? step.count - from : step.size;
  struct transaction *made = malloc(sizeof *made);
  made->begun = begun;
  made->ops = calloc(count, sizeof *made->ops);
  made->results = calloc(count, sizeof *made->results);
  made->paths = calloc(count, PATH_SIZE);
  for (int at = 0; at < count; at++)
    zoo_create_op_init(&made->ops[at], step.paths[from + at], data, DATA_SIZE, &ZOO_OPEN_ACL_UNSAFE, 0,
                       made->paths + at * PATH_SIZE, PATH_SIZE);
  return zoo_amulti(client, count, made->ops, made->results, on_transaction, made);
}

static void ask(int index) {
  double *begun = step.stride > 0 && index % step.stride == 0 ? &step.begun[index] : NULL;
  const char *path = step.paths == NULL ? step.path : step.paths[index];
  int rc = ZBADARGUMENTS;
  if (begun != NULL) *begun = micros(CLOCK_MONOTONIC);
  if (strcmp(step.op, "get") == 0) rc = zoo_aget(client, path, 0, on_data, begun);
  else if (strcmp(step.op, "children") == 0) rc = zoo_aget_children2(client, path, 0, on_names, begun);
  else if (strcmp(step.op, "create") == 0)
    rc = zoo_acreate(client, path, data, DATA_SIZE, &ZOO_OPEN_ACL_UNSAFE, 0, on_string, begun);
  else if (strcmp(step.op, "set") == 0) rc = zoo_aset(client, path, data, DATA_SIZE, -1, on_stat, begun);
  else if (strcmp(step.op, "delete") == 0) rc = zoo_adelete(client, path, -1, on_void, begun);
  else if (strcmp(step.op, "watch") == 0) rc = zoo_awget(client, path, on_event, NULL, on_data, begun);
  else if (strcmp(step.op, "transaction") == 0) rc = ask_transaction(index, begun);
  if (rc != ZOK) answered(rc, begun);
}

static void run_step(void) {
  const int rooted = step.root[0] != 0;
  step.total = step.size > 0 ? (step.count + step.size - 1) / step.size : step.count;
  step.paths = rooted ? malloc(step.count * sizeof *step.paths) : NULL;
  for (int index = 0; rooted && index < step.count; index++) {
    step.paths[index] = malloc(PATH_SIZE);
    snprintf(step.paths[index], PATH_SIZE, "%s/%d", step.root, index);
  }
  step.begun = malloc(step.total * sizeof *step.begun);
  step.latencies = malloc(step.total * sizeof *step.latencies);
  step.taken = step.answered = step.failed = 0;
  step.next = step.in_flight < step.total ? step.in_flight : step.total;
  sem_init(&step.done, 0, 0);
  const double begun = micros(CLOCK_MONOTONIC), used = cpu();
  for (int index = 0, first = step.next; index < first; index++) ask(index);
  sem_wait(&step.done);
  if (step.failed != ZOK) fail(zerror(step.failed));
  else tell(step.count, begun, used, step.latencies, step.taken);
  for (int index = 0; rooted && index < step.count; index++) free(step.paths[index]);
  free(step.paths);
  free(step.begun);
  free(step.latencies);
}

/* ---- jobs: flat JSON, each key once */

static const char *value_of(const char *line, const char *key) {
  char quoted[32];
  snprintf(quoted, sizeof quoted, "\"%s\":", key);
  const char *found = strstr(line, quoted);
  return found == NULL ? NULL : found + strlen(quoted);
}

static int number_of(const char *line, const char *key) {
  const char *value = value_of(line, key);
  return value == NULL ? 0 : atoi(value);
}

static void text_of(const char *line, const char *key, char *text, size_t size) {
  const char *value = value_of(line, key);
  snprintf(text, size, "%.*s", value == NULL ? 0 : (int)strcspn(value + 1, "\""), value == NULL ? "" : value + 1);
}

/* Reads once, and waits for the answer; whether there was one. */
static int get_once(zhandle_t *zh, const char *path) {
  char buffer[2048];
  int length = sizeof buffer;
  return zoo_get(zh, path, 0, buffer, &length, NULL) == ZOK;
}

static void sessions(int count, const char *path) {
  double *latencies = malloc(count * sizeof *latencies);
  const double begun = micros(CLOCK_MONOTONIC), used = cpu();
  for (int index = 0; index < count; index++) {
    sem_t connected;
    const double since = micros(CLOCK_MONOTONIC);
    zhandle_t *zh = open_session(&connected);
    get_once(zh, path);
    latencies[index] = micros(CLOCK_MONOTONIC) - since;
    zookeeper_close(zh);
  }
  tell(count, begun, used, latencies, count);
  free(latencies);
}

static void reconnect(int port, const char *path) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
  char answer[64];
  inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
  const int control = socket(AF_INET, SOCK_STREAM, 0);
  if (connect(control, (struct sockaddr *)&address, sizeof address) != 0) return fail("no control of the proxy");
  /* Connections that last less than a second, one after the other, are what clients back off from. */
  usleep(1200000);
  const double begun = micros(CLOCK_MONOTONIC), used = cpu();
  if (write(control, "drop", 4) != 4 || read(control, answer, sizeof answer) <= 0) return fail("the proxy is gone");
  while (!get_once(client, path));
  tell(1, begun, used, NULL, 0);
  close(control);
}

static void run(const char *line) {
  char job[16], path[256];
  text_of(line, "job", job, sizeof job);
  text_of(line, "path", path, sizeof path);
  const int count = number_of(line, "count");
  if (strcmp(job, "step") == 0) {
    text_of(line, "op", step.op, sizeof step.op);
    text_of(line, "path", step.path, sizeof step.path);
    text_of(line, "root", step.root, sizeof step.root);
    step.count = count;
    step.in_flight = number_of(line, "inFlight");
    step.size = number_of(line, "size");
    step.stride = number_of(line, "stride");
    run_step();
  } else if (strcmp(job, "deliver") == 0) {
    const double begun = micros(CLOCK_MONOTONIC), used = cpu();
    printf("{\"is\":\"ready\"}\n");
    for (int index = 0; index < count; index++) sem_wait(&fired);
    tell(count, begun, used, NULL, 0);
  } else if (strcmp(job, "sessions") == 0) sessions(count, path);
  else if (strcmp(job, "reconnect") == 0) reconnect(number_of(line, "control"), path);
  /* There is no compiler that had to do its work. */
  else if (strcmp(job, "warm") == 0) tell(1, micros(CLOCK_MONOTONIC), cpu(), NULL, 0);
  else fail("the C client has no such job");
}

int main(int argc, char **argv) {
  static sem_t connected;
  char line[4096];
  if (argc < 2) return 1;
  servers = argv[1];
  setvbuf(stdout, NULL, _IOLBF, 0);
  zoo_set_debug_level(ZOO_LOG_LEVEL_ERROR);
  zoo_deterministic_conn_order(1);
  sem_init(&fired, 0, 0);
  client = open_session(&connected);
  if (client == NULL) {
    fail("no session");
    return 1;
  }
  printf("{\"is\":\"ready\"}\n");
  while (fgets(line, sizeof line, stdin) != NULL && strstr(line, "\"job\":\"close\"") == NULL) run(line);
  zookeeper_close(client);
  return 0;
}
