// What the C files share. A lua_State finds its runtime through its extra space: the address of
// the runtime, or for the root coroutine of a task the address of the task with bit 0 set. Bit 1
// says that the coroutine is suspended by an await, not by coroutine.yield.
#pragma once

#include <signal.h>
#include <stdatomic.h>

#include "CLuaShim.h"

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

#define TAG_ROOT ((uintptr_t)1)
#define TAG_AWAITS ((uintptr_t)2)
#define TAGS (TAG_ROOT | TAG_AWAITS)

#define NEVER UINT64_MAX

// User values of a task: its thread while it is alive, what it left.
enum { THREAD_SLOT = 1, OUTCOME_SLOT = 2 };

// One active lua_resume (or protected call from outside), innermost first.
typedef struct lrt_frame {
  lua_State *L;
  struct lrt_frame *outer;
} lrt_frame;

typedef struct lrt_wait lrt_wait;

// One membership of a wait: in the list of those who wait for `target`.
typedef struct lrt_link {
  lrt_task *target;
  lrt_wait *wait;
  struct lrt_link *next, *previous;
} lrt_link;

// A task waiting for other tasks; a userdata on the waiter's stack.
struct lrt_wait {
  lrt_task *waiter;
  lrt_task *fired;   // who ended the wait
  bool first;        // any end wakes; else all, or the first failure
  uint32_t pending, count;
  lrt_link links[];
};

struct lrt_task {
  lrt_runtime *rt;
  lua_State *thread;       // NULL when ended
  lrt_task *next_ready;
  lrt_task *next, *previous;  // all that are alive
  lrt_link *waiters;
  lrt_wait *wait;          // what this one waits for
  const void *module;      // key of the module whose loading by another task this one waits for
  uint64_t wake_at;
  uint64_t await;          // 0: none
  uint64_t id, token;
  uint32_t heap;           // position in the timer heap + 1; 0: no timer
  int32_t arguments;       // before the start; at the end the number of results
  int32_t stop_count;      // VM instructions until the next raise
  uint8_t state, stop, flags;
  bool started, queued;
};

struct lrt_runtime {
  lua_State *L;
  lrt_frame *volatile frame;       // innermost running
  volatile sig_atomic_t attention; // hooks are to be set around every resume
  volatile sig_atomic_t signalled; // number of the signal not taken yet
  lrt_task *current;
  void *context;
  lrt_callbacks callbacks;
  uint64_t detail;

  lrt_task *ready_first, *ready_last;
  lrt_task *alive;
  uint64_t alive_count, outside_count, last_id;
  lrt_task *foreground;
  lrt_task **timers;
  uint32_t timer_count, timer_space;
  uint64_t failures;               // failed, neither joined nor reported
  uint64_t failed;                 // ever

  int anchors;                     // registry references
  int task_type, guard_type, guards, unreported, array_type, null_value;
  int function_type;
  lua_CFunction xpcall;            // stock Lua's
  int error_type;                  // metatable of errors with a code; 0: such errors are strings
  bool closing, everything;
  uint64_t hog_until;
  int event_fd, taken;
  int loads;                       // modules being loaded
  void *json;                      // simdjson's parser, owned by json_decode.cpp
  void *encoder;                   // owned by json_encode.cpp
  bool decoding, encoding;         // they are in use
  int collect_at;                  // kilobytes, see json_decode.cpp

  void *reserve;                   // see memory.c
  bool exhausted, starved;
};

static inline uintptr_t *lrt_tagged(lua_State *L) {
  return (uintptr_t *)lua_getextraspace(L);
}

static inline lrt_runtime *lrt_of(lua_State *L) {
  uintptr_t value = *lrt_tagged(L);
  return value & TAG_ROOT ? ((lrt_task *)(value & ~TAGS))->rt : (lrt_runtime *)(value & ~TAGS);
}

static inline lrt_task *lrt_root_task(lua_State *L) {
  uintptr_t value = *lrt_tagged(L);
  return value & TAG_ROOT ? (lrt_task *)(value & ~TAGS) : NULL;
}

#ifdef __cplusplus
extern "C" {
#endif


// Suspends the current task; `k` is called on `L` when it goes on. The caller has made sure by
// lrt_await_mode that this is possible, and has put the task where somebody wakes it.
int lrt_suspend(lua_State *L, lua_KContext context, lua_KFunction k);
// Raises the stop of the current task. Does not return.
int lrt_raise_stop(lua_State *L, lrt_task *task);
// Raises the message on top, above where it happened, as an error with a code. Does not return.
int lrt_raise_coded(lua_State *L, const char *code);
// In a continuation: raises if the task was stopped while it waited.
static inline void lrt_check_stop(lua_State *L, lrt_runtime *rt) {
  if (unlikely(rt->current && rt->current->stop)) lrt_raise_stop(L, rt->current);
}
void lrt_arm(lua_State *L, int count);
// The border between Lua, which survives when there is no memory left, and Swift, which does not.
void lrt_give_reserve(lrt_runtime *rt);
void lrt_take_reserve(lrt_runtime *rt);
static inline void lrt_to_swift(lrt_runtime *rt) {
  if (unlikely(rt->exhausted)) lrt_give_reserve(rt);
}
static inline void lrt_to_lua(lrt_runtime *rt) {
  if (unlikely(rt->exhausted)) lrt_take_reserve(rt);
}
void lrt_limit_memory(lrt_runtime *rt);
// `L` runs from now on. A signal handler finds `frame` whole, or the one before.
static inline void lrt_enter(lrt_runtime *rt, lrt_frame *frame, lua_State *L) {
  frame->L = L;
  frame->outer = rt->frame;
  atomic_signal_fence(memory_order_release);
  rt->frame = frame;
}
// Resumes `co` from `L` with the runtime's bookkeeping; status as lua_resume.
static inline int lrt_resume(
    lrt_runtime *rt, lua_State *L, lua_State *co, int arguments, int *results) {
  lrt_frame frame;
  lrt_enter(rt, &frame, co);
  // After `frame` is set: a signal between the two sets its hook on `co` itself.
  if (unlikely(rt->attention)) lrt_arm(co, 1);
  int status = lua_resume(co, L, arguments, results);
  rt->frame = frame.outer;
  if (unlikely(rt->attention)) lrt_arm(L, 1);
  return status;
}
// lua_resetthread, which may run closing methods.
int lrt_close_thread(lrt_runtime *rt, lua_State *L, lua_State *co);
// Mode for waits on other tasks: raises the reason why it is not possible. Returns for LRT_YIELD.
void lrt_need_yield(lua_State *L, lrt_runtime *rt);

static inline bool lrt_ended(const lrt_task *task) { return task->state >= LRT_DONE; }
// Pushes the userdata of a task that is alive.
void lrt_push_task(lua_State *L, lrt_task *task);
// The root function of every task.
int lrt_body(lua_State *L);
// Keeps the error on top of the coroutine of a task whose root function did not end.
void lrt_fail_late(lrt_runtime *rt, lrt_task *task);
lrt_task *lrt_check_task(lua_State *L, int index);
lrt_task *lrt_new_task(lua_State *L, int arguments, int flags, uint64_t token);
void lrt_make_ready(lrt_runtime *rt, lrt_task *task);
void lrt_sleep_until(lua_State *L, lrt_runtime *rt, lrt_task *task, uint64_t until);
void lrt_forget_timer(lrt_runtime *rt, lrt_task *task);
void lrt_forget_wait(lrt_task *task);
// Pushes the results of the ended task at `index`, or raises its error, which counts as joining.
int lrt_deliver(lua_State *L, int index);
// The failure, if any, of the ended task at `index` needs no report any more.
void lrt_settle(lua_State *L, int index);
// The task has ended: those who wait for it may go on.
void lrt_wake_waiters(lrt_runtime *rt, lrt_task *task);
// Runs the to-be-closed variables of every task, the foreground's first; none of them goes on.
void lrt_unwind(lrt_runtime *rt);
int lrt_finish(lua_State *L, lrt_runtime *rt, int code);

int lrt_f_spawn(lua_State *L);
int lrt_f_sleep(lua_State *L);
int lrt_f_map(lua_State *L);
int lrt_f_all(lua_State *L);
int lrt_f_race(lua_State *L);
int lrt_f_timeout(lua_State *L);
int lrt_f_join(lua_State *L);
int lrt_f_cancel(lua_State *L);
void lrt_open_outcomes(lua_State *L, lrt_runtime *rt);
void lrt_open_tasks(lua_State *L, lrt_runtime *rt);
void lrt_open_coroutine(lua_State *L);
void lrt_open_require(lua_State *L);
// Ends what is being loaded on a coroutine that has died, or by a task that has ended.
void lrt_end_loads(lua_State *L, lrt_runtime *rt, const lua_State *thread, const lrt_task *owner);
// Whether a module is being loaded on this coroutine.
bool lrt_loads(lua_State *L, lrt_runtime *rt);
void lrt_open_interrupts(lua_State *L);
void lrt_open_descriptors(lua_State *L);
// Puts a C function in the place of one of a library, which becomes its upvalue.
void lrt_wrap(lua_State *L, const char *library, const char *name, lua_CFunction function);
// Calls that upvalue with the arguments of the function in its place.
int lrt_wrapped(lua_State *L);
void lrt_open_functions(lua_State *L, lrt_runtime *rt);


int lrt_json_decode(lua_State *L);
int lrt_json_encode(lua_State *L);
int lrt_json_array(lua_State *L);
void lrt_open_json(lua_State *L, lrt_runtime *rt);
void lrt_close_json(lrt_runtime *rt);
void lrt_close_encoder(lrt_runtime *rt);
// Pushes the value of a JSON text; may raise. `list` and `element` are registry references of the
// metatables for a top-level array and the objects in it, or -1.
void lrt_json_push(
    lua_State *L, lrt_runtime *rt, const char *text, size_t size, int list, int element);

#ifdef __cplusplus
}
#endif
