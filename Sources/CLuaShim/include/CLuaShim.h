// The only C of ours that runs Lua. Swift calls nothing of Lua that can raise: whatever may raise
// runs protected in here, and a Swift function returns a code, after which C raises or yields when
// no Swift frame is left on the stack.
//
// Names: `lrt_` for functions and types, `LRT_` for constants.
#pragma once

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct lrt_runtime lrt_runtime;
typedef struct lrt_task lrt_task;

// ---- What a Swift function body answers -------------------------------------------------------

enum {
  // 0 and more: that many results lie on top of the stack.
  LRT_RAISE = -1,       // the error value is on top
  LRT_RAISE_HERE = -2,  // the message is on top; the position of the caller is put before it
  LRT_ARGUMENT = -3,    // the message is on top; lrt_detail is the number of the bad argument
  LRT_TYPE = -4,        // the expected type's name is on top; lrt_detail as above
  LRT_AWAIT = -5,       // wait for the await whose id lrt_detail is
  LRT_CALL = -6,        // call the function below lrt_detail arguments, return all its results
  LRT_EXIT = -7,        // close the to-be-closed variables of all tasks, then call `leave`
};

// How an await may be carried out where the caller stands.
enum {
  LRT_YIELD,    // the coroutine is suspended up to its task
  LRT_BLOCK,    // Lua cannot yield here: wait in place, no other Lua runs
  LRT_REFUSE,   // in a finalizer, or while the state closes
  LRT_STOPPED,  // the task is being cancelled or interrupted: raise at once
};

// Why a task is being stopped.
enum {
  LRT_STOP_NONE, LRT_STOP_CANCEL, LRT_STOP_INTERRUPT, LRT_STOP_DEADLOCK,
  LRT_STOP_YIELD,  // a C function yielded where there is no coroutine
};

typedef struct lrt_callbacks {
  // Runs the body of a Swift function on `L`; answers as above.
  int (*call)(void *context, lua_State *L, void *function);
  // Takes the result of an await; answers as above.
  int (*resume)(void *context, lua_State *L, uint64_t await);
  // The result of this await is no longer wanted.
  void (*cancel)(void *context, uint64_t await);
  // Waits in place until `until` (monotonic nanoseconds); false when interrupted.
  bool (*block)(void *context, lua_State *L, uint64_t until);
  // A task that was spawned with `notify` ended.
  void (*ended)(void *context, lrt_task *task, uint64_t token);
  // A task failed and nobody can join it any more; error value and traceback are on top of `L`.
  void (*failed)(void *context, lua_State *L);
  // A map ends early: its results, which nobody will see, are on top of `L`.
  void (*dropped)(void *context, lua_State *L);
  // An interrupt came while no foreground task ran.
  void (*idle_interrupt)(void *context, int signal);
  // Gives an object back that a Lua userdata held.
  void (*release)(void *object);
  // Ends the process: the answer to LRT_EXIT. Does not return.
  void (*leave)(void *context);
} lrt_callbacks;

// ---- The runtime ------------------------------------------------------------------------------

// Opens a state with the standard libraries, coroutine and require replaced; NULL without memory.
// `no_environment` as `lua -E`: LUA_PATH and the like are not read.
lrt_runtime *lrt_open(const lrt_callbacks *callbacks, bool no_environment);
// What the callbacks get, and the eventfd that wakes the loop. Before anything else is called.
void lrt_set_context(lrt_runtime *rt, void *context, int event_fd);
void lrt_close(lrt_runtime *rt);
lua_State *lrt_main(lrt_runtime *rt);
// The lua_State that runs now, or the main one.
lua_State *lrt_running(lrt_runtime *rt);
// Second half of an answer code; see the list above.
void lrt_set_detail(lrt_runtime *rt, uint64_t detail);
int lrt_await_mode(lrt_runtime *rt, lua_State *L);
// Registry key of the metatable of errors that the runtime itself raises with a code.
void lrt_set_error_type(lrt_runtime *rt, int key);
uint64_t lrt_now(void);
// A full collection.
void lrt_collect(lrt_runtime *rt);

// ---- Values: everything that may raise runs protected -----------------------------------------
// The functions that return int answer a Lua status; unless it is LUA_OK the error value is on top.

// Runs a program of `lrt_op` and leaves its values on top; `*count` says how many. `uses_stack`
// says that it has LRT_OP_STACK.
int lrt_build(
    lrt_runtime *rt, lua_State *L, const uint8_t *program, size_t size, bool uses_stack,
    int *count);

// One byte each, operands follow in the byte order of the machine.
enum lrt_op {
  LRT_OP_NIL = 'n',
  LRT_OP_TRUE = 't',
  LRT_OP_FALSE = 'f',
  LRT_OP_INTEGER = 'i',    // int64
  LRT_OP_NUMBER = 'd',     // double
  LRT_OP_STRING = 's',     // uint64 length, bytes
  LRT_OP_ARRAY = 'a',      // int32 metatable reference or -1, uint32 count, values
  LRT_OP_TABLE = 'o',      // int32 metatable reference or -1, uint32 count, key and value each
  LRT_OP_REFERENCE = 'r',  // int32 registry reference
  LRT_OP_STACK = 'p',      // int32 index
  LRT_OP_BUILTIN = 'b',    // uint8 lrt_builtin
  LRT_OP_POINTER = 'l',    // uint64: light userdata
  LRT_OP_JSON = 'j',       // int32 metatables of list and of elements or -1, string operand
};

int lrt_get(lua_State *L, int table);              // key on top is replaced by the value
int lrt_set(lua_State *L, int table);              // pops key and value
int lrt_rawset(lua_State *L, int table);           // pops key and value
int lrt_next(lua_State *L, int table, bool *more); // as lua_next on raw entries; key on top
int lrt_ref(lua_State *L, int *reference);         // pops the value on top
void lrt_unref(lua_State *L, int reference);
void lrt_push_ref(lua_State *L, int reference);
int lrt_tostring(lua_State *L, int index);         // pushes what `tostring` gives
int lrt_error_text(lua_State *L, int index);       // pushes what stock lua prints of an error value
int lrt_type_name(lua_State *L, int index);        // pushes the name that errors show
int lrt_length(lua_State *L, int index, lua_Integer *length);
int lrt_load(lua_State *L, const char *bytes, size_t size, const char *name, const char *mode);
int lrt_load_file(lua_State *L, const char *path);  // NULL: standard input
// Calls the function below `arguments`; on failure error value and traceback (string) are pushed.
int lrt_call(lrt_runtime *rt, lua_State *L, int arguments, int *results);

// A metatable for objects with `__name`, `__gc`, `__close`; left on top.
int lrt_new_type(lua_State *L, const char *name);
// Pushes a Lua function with this body; the object's ownership goes over if `*consumed` is 1.
int lrt_new_function(lua_State *L, void *function, const char *name, int *consumed);
// Pushes a userdata that owns the object and has the metatable `type`.
int lrt_new_object(lua_State *L, void *object, int type, int *consumed);
// The object of a userdata with exactly this metatable, or NULL.
void *lrt_object(lua_State *L, int index, int type);
// Releases the object of a userdata now; false when it had been released.
bool lrt_release_object(lua_State *L, int index, int type);
int lrt_set_metatable(lua_State *L, int index);    // pops a table or nil
// The bytes of a string value, which live as long as the value does; NULL for other types.
const char *lrt_bytes(lua_State *L, int index, size_t *size);

// ---- Functions that are registered under names by whoever builds a table -----------------------

enum lrt_builtin {
  LRT_SPAWN, LRT_SLEEP, LRT_MAP, LRT_ALL, LRT_RACE, LRT_TIMEOUT,
  LRT_JSON_DECODE, LRT_JSON_ENCODE, LRT_JSON_NULL, LRT_JSON_ARRAY,
};

// ---- Tasks ------------------------------------------------------------------------------------

// LRT_PROGRAM: the function is one of Swift, which is asked again and again what to call: it answers
// a function and its arguments, or nothing when the program is over. It gets the results of the
// call before from argument LRT_PROGRAM_RESULTS on. In the foreground calls fail as under stock lua:
// to-be-closed variables see what its message handler makes of an error.
enum { LRT_FOREGROUND = 1, LRT_NOTIFY = 2, LRT_PROGRAM = 4 };
enum { LRT_PROGRAM_RESULTS = 4 };

enum lrt_state { LRT_READY, LRT_RUNNING, LRT_WAITING, LRT_DONE, LRT_FAILED, LRT_CANCELLED };

// Spawns the function below `arguments`, which are popped; the new task's userdata is pushed.
int lrt_spawn(
    lrt_runtime *rt, lua_State *L, int arguments, int flags, uint64_t token, lrt_task **task);
// Runs ready tasks for at most `budget` nanoseconds; true when any ran.
bool lrt_step(lrt_runtime *rt, uint64_t budget);
// When the next timer is due (monotonic nanoseconds); UINT64_MAX: none.
uint64_t lrt_next_timer(lrt_runtime *rt);
uint64_t lrt_alive(lrt_runtime *rt);
lrt_task *lrt_foreground(lrt_runtime *rt);
bool lrt_ready(lrt_runtime *rt);
// Tasks that wait for anything but other tasks.
uint64_t lrt_waiting_outside(lrt_runtime *rt);
// The task that waits for this await may go on.
void lrt_wake(lrt_runtime *rt, lrt_task *task, uint64_t await);
lrt_task *lrt_current(lrt_runtime *rt);
enum lrt_state lrt_task_state(lrt_task *task);
int lrt_task_stop(lrt_task *task);
void lrt_stop(lrt_runtime *rt, lrt_task *task, int why);
void lrt_stop_all(lrt_runtime *rt, int why);
// Pushes what an ended task left: its results, or error value, text (nil unless the foreground failed)
// and traceback. Marks it joined.
int lrt_task_outcome(lrt_runtime *rt, lrt_task *task, int *count);
// The outcome of a task whose userdata lies at `index`; NULL when it is none.
lrt_task *lrt_to_task(lrt_runtime *rt, lua_State *L, int index);
// Reports failed tasks that nobody can join any more; with `all`, every one not joined.
void lrt_report(lrt_runtime *rt, bool all);
// Whether failures wait for being reported; then a collection may find unreachable ones.
bool lrt_has_failures(lrt_runtime *rt);

// A task as a prompt lists it.
typedef struct lrt_task_info {
  uint64_t id;
  uint64_t wake_at;       // monotonic nanoseconds; 0: it does not sleep
  bool waits_for_task, waits_outside;
  char place[LUA_IDSIZE + 16];  // `file:line`, empty before the start
} lrt_task_info;
// Describes the tasks that have not ended, at most `size` of them; answers how many.
size_t lrt_list_tasks(lrt_runtime *rt, lrt_task_info *list, size_t size);

// ---- Interrupts -------------------------------------------------------------------------------

// Routes SIGINT, SIGTERM and SIGHUP to this runtime, which belongs to the calling thread.
void lrt_catch_signals(lrt_runtime *rt);
// Restores what was installed before.
void lrt_release_signals(lrt_runtime *rt);
// For the rest of the process signals stop nothing, but a second one ends it with 130, as does the
// first after ten seconds.
void lrt_leave_signals(lrt_runtime *rt);
// What the last signal asked for has been done: the next one is a first one again.
void lrt_forget_last_signal(void);
// Called in the handler before a second signal within a second ends the process.
void lrt_set_restore(void (*restore)(void));
// What the first signal does, callable as a test or from a terminal that is in raw mode.
void lrt_interrupt(lrt_runtime *rt, int signal);
// Takes a pending interrupt: stops the foreground (and, with `everything`, all tasks).
bool lrt_take_interrupt(lrt_runtime *rt);
void lrt_interrupts_everything(lrt_runtime *rt, bool everything);
// The last signal taken, which is forgotten; 0: none.
int lrt_taken_interrupt(lrt_runtime *rt);
// Whether there is one that lrt_taken_interrupt would answer.
bool lrt_is_interrupted(const lrt_runtime *rt);
// Whether a pending or taken interrupt forbids the current task to wait any longer.
bool lrt_must_stop(lrt_runtime *rt);
// Raises of the "interrupted!" kind: pushes the message for the current task.
void lrt_push_stop_message(lrt_runtime *rt, lua_State *L);

// ---- Files ------------------------------------------------------------------------------------

int lrt_eventfd(void);              // non-blocking, close-on-exec; -1 on failure
void lrt_eventfd_signal(int fd);
void lrt_eventfd_clear(int fd);
void lrt_close_fd(int fd);

typedef struct lrt_poll_entry {
  int fd;
  bool read, write;    // wanted
  bool ready;          // answered
} lrt_poll_entry;
// Waits until one is ready or `until` (UINT64_MAX: for ever); -1: a signal came.
int lrt_poll(lrt_poll_entry *entries, size_t count, uint64_t until);

#ifdef __cplusplus
}
#endif
