// Stopping Lua: the signal handler sets a flag, wakes the loop and puts a hook on whatever coroutine
// runs; the hook raises. A stop stays: it is raised again, each time after half as many
// instructions, until the task has unwound, so that no pcall keeps it for good, while short
// clean-up code gets its turn at first.
#define _GNU_SOURCE
#include "internal.h"

#include <errno.h>
#include <lualib.h>
#include <pthread.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { GRACE = 1000, HOG_CHECK = 10000 };
static const uint64_t hog_patience = 500000000;  // how long a background task may ignore Ctrl-C

// The one runtime that signals go to.
static lrt_runtime *volatile receiver;
static pthread_t receiver_thread;
static void (*volatile restore_terminal)(void);
static volatile uint64_t last_signal;
// timeout(1) signals the program and then its group: no two fingers are as quick.
static const uint64_t same_signal = 30000000;
// The program is on its way out: signals go to no runtime any more, but are still ours.
static volatile sig_atomic_t leaving;
enum { INTERRUPTED = 130, LEAVE_WITHIN = 10, HANG_UP_WITHIN = 15 };
static struct sigaction previous_int, previous_term, previous_hup;
// os.execute runs a child, which the terminal's keys are for.
static volatile sig_atomic_t runs_child;
// When a SIGINT came meanwhile, and how soon after that an end is one of the key: whether the child
// caught it, died of it or was about to end cannot be told apart.
static volatile uint64_t child_key;
static const uint64_t ends_by_key = 500000000;

static void stop_hook(lua_State *L, lua_Debug *where);

void lrt_arm(lua_State *L, int count) {
  lrt_runtime *rt = lrt_of(L);
  lrt_task *task = rt->current;
  if (rt->signalled) {
    count = 1;
  } else if (task && task->stop == LRT_STOP_YIELD) {
    // The error is to come from the C function itself, which returns when it is resumed.
    lua_sethook(L, stop_hook, LUA_MASKRET, 0);
    return;
  } else if (task && task->stop) {
    count = task->stop_count;
  } else if (rt->hog_until) {
    count = HOG_CHECK;
  } else {
    return;
  }
  // Setting it again would begin to count anew, at every resume of a coroutine.
  if (lua_gethook(L) == stop_hook && lua_gethookcount(L) <= count) return;
  lua_sethook(L, stop_hook, LUA_MASKCOUNT, count);
}

void lrt_push_stop_message(lrt_runtime *rt, lua_State *L) {
  switch (rt->current ? rt->current->stop : LRT_STOP_INTERRUPT) {
    case LRT_STOP_CANCEL: lua_pushliteral(L, "cancelled"); break;
    case LRT_STOP_DEADLOCK:
      lua_pushliteral(L, "deadlock: every task waits for another task");
      break;
    case LRT_STOP_YIELD:
      lua_pushliteral(L, "attempt to yield from outside a coroutine");
      break;
    default: lua_pushliteral(L, "interrupted!");
  }
}

static int keep_message(lua_State *L) {
  lua_settop(L, 1);
  return 1;
}

// Takes the message handlers of all running xpcalls away: what the hook raises would be given to them
// with hooks switched off, so that a loop in one could not be stopped any more.
static void drop_handlers(lua_State *L) {
  lua_Debug frame;
  if (!lua_checkstack(L, 4)) return;
  // Each step begins at the top: deep recursion must not cost its square.
  for (int level = 0; level < 2000 && lua_getstack(L, level, &frame); level++) {
    lua_getinfo(L, "f", &frame);
    bool handles = lua_tocfunction(L, -1) == lrt_of(L)->xpcall;
    lua_pop(L, 1);
    if (!handles) continue;
    // Its second value, which lua_pcallk uses as it is now.
    lua_pushcfunction(L, keep_message);
    if (!lua_setlocal(L, &frame, 2)) lua_pop(L, 1);
  }
}

int lrt_raise_stop(lua_State *L, lrt_task *task) {
  lrt_runtime *rt = task->rt;
  bool once = task->stop == LRT_STOP_DEADLOCK || task->stop == LRT_STOP_YIELD;
  if (!once) drop_handlers(L);
  task->stop_count = task->stop_count > 1 ? task->stop_count / 2 : 1;
  rt->attention = 1;
  lrt_arm(L, 1);
  lrt_push_stop_message(rt, L);
  // An error like others: who catches it may go on.
  if (once) task->stop = LRT_STOP_NONE;
  return lua_error(L);
}

static void stop_hook(lua_State *L, lua_Debug *where) {
  (void)where;
  lrt_runtime *rt = lrt_of(L);
  lua_sethook(L, NULL, 0, 0);
  if (rt->signalled) lrt_take_interrupt(rt);
  lrt_task *task = rt->current;
  if (!task) {
    // Lua called by Swift outside of any task: nothing to unwind to but that call.
    if (rt->hog_until) {
      rt->hog_until = 0;
      rt->attention = 0;
      lrt_push_stop_message(rt, L);
      lua_error(L);
    }
    return;
  }
  if (!task->stop && rt->hog_until) {
    if (lrt_now() < rt->hog_until) {
      lrt_arm(L, HOG_CHECK);
      return;
    }
    lrt_stop(rt, task, LRT_STOP_INTERRUPT);
  }
  if (task->stop) lrt_raise_stop(L, task);
}

bool lrt_take_interrupt(lrt_runtime *rt) {
  int signal = rt->signalled;
  if (!signal) return false;
  rt->signalled = 0;
  rt->taken = signal;
  lrt_task *foreground = rt->foreground;
  if (foreground) lrt_stop(rt, foreground, LRT_STOP_INTERRUPT);
  if (rt->everything) lrt_stop_all(rt, LRT_STOP_INTERRUPT);
  // Who runs now and is not meant gets a while to come back to the loop.
  bool meant = rt->current && rt->current->stop;
  if (rt->frame && !meant) {
    rt->hog_until = lrt_now() + (rt->current ? hog_patience : 0);
    rt->attention = 1;
  }
  if (!foreground && !rt->everything) {
    // At a prompt nothing is to be ended, however often a form is cleared.
    lrt_forget_last_signal();
    rt->callbacks.idle_interrupt(rt->context, signal);
  }
  return true;
}

int lrt_taken_interrupt(lrt_runtime *rt) {
  int signal = rt->taken;
  rt->taken = 0;
  return signal;
}

bool lrt_is_interrupted(const lrt_runtime *rt) { return rt->taken != 0; }

bool lrt_must_stop(lrt_runtime *rt) {
  if (unlikely(rt->signalled)) {
    lrt_take_interrupt(rt);
    if (!rt->current) {
      // The caller stops itself.
      rt->hog_until = 0;
      return true;
    }
  }
  return rt->current && rt->current->stop;
}

void lrt_interrupts_everything(lrt_runtime *rt, bool everything) { rt->everything = everything; }

void lrt_interrupt(lrt_runtime *rt, int signal) {
  rt->attention = 1;
  rt->signalled = signal;
  lrt_frame *frame = rt->frame;
  // As stock lua does from its handler: lua_sethook may be called at any time.
  if (frame) {
    lua_sethook(
        frame->L, stop_hook, LUA_MASKCALL | LUA_MASKRET | LUA_MASKLINE | LUA_MASKCOUNT, 1);
  }
  if (rt->event_fd >= 0) lrt_eventfd_signal(rt->event_fd);
}

static void give_up(int signal) {
  (void)signal;
  if (restore_terminal) restore_terminal();
  _exit(INTERRUPTED);
}

// Ends the process in a while, whether anybody presses the key again or not.
static void end_within(unsigned seconds) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = give_up;
  sigemptyset(&action.sa_mask);
  sigaction(SIGALRM, &action, NULL);
  alarm(seconds);
}

static void handler(int signal) {
  int saved = errno;
  lrt_runtime *rt = receiver;
  if (rt && !pthread_equal(pthread_self(), receiver_thread)) {
    pthread_kill(receiver_thread, signal);  // hooks are set by the thread that runs Lua
  } else if (rt && signal == SIGINT && runs_child) {
    child_key = lrt_now();
  } else if (rt) {
    uint64_t now = lrt_now();
    uint64_t since = last_signal ? now - last_signal : UINT64_MAX;
    // A first one that nobody has obeyed for so long, in C code or behind a pcall, will not be obeyed.
    bool ignored =
        rt->everything && rt->frame && (rt->signalled || (rt->current && rt->current->stop));
    // A terminal that is closed may say so more than once.
    if (signal == SIGHUP && last_signal) since = 0;
    if (since >= same_signal) {
      if (since < 1000000000u || ignored) give_up(signal);
      last_signal = now;
      if (signal == SIGHUP) end_within(HANG_UP_WITHIN);
      lrt_interrupt(rt, signal);
    }
  } else if (leaving) {
    // What remains to be done is bounded; a finalizer need not be.
    if (!last_signal) {
      last_signal = lrt_now();
      end_within(LEAVE_WITHIN);
    } else if (signal != SIGHUP) {
      give_up(signal);
    }
  }
  errno = saved;
}

void lrt_catch_signals(lrt_runtime *rt) {
  if (receiver) return;
  receiver_thread = pthread_self();
  last_signal = 0;
  leaving = 0;
  receiver = rt;
  // Without SA_RESTART: a script that reads from a terminal is to notice.
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = handler;
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, &previous_int);
  sigaction(SIGTERM, &action, &previous_term);
  // Under nohup it stays ignored.
  sigaction(SIGHUP, NULL, &previous_hup);
  if (previous_hup.sa_handler == SIG_DFL) sigaction(SIGHUP, &action, NULL);
  // Whoever made this thread may have blocked them.
  sigset_t ours;
  sigemptyset(&ours);
  sigaddset(&ours, SIGINT);
  sigaddset(&ours, SIGTERM);
  sigaddset(&ours, SIGHUP);
  pthread_sigmask(SIG_UNBLOCK, &ours, NULL);
}

void lrt_release_signals(lrt_runtime *rt) {
  if (receiver != rt) return;
  sigaction(SIGINT, &previous_int, NULL);
  sigaction(SIGTERM, &previous_term, NULL);
  sigaction(SIGHUP, &previous_hup, NULL);
  receiver = NULL;
}

void lrt_forget_last_signal(void) { last_signal = 0; }

void lrt_leave_signals(lrt_runtime *rt) {
  if (receiver != rt) return;
  leaving = 1;
  receiver = NULL;
}

// As system(3), which would lose a Ctrl-C that comes just before its child lives or just after: while
// it lives the key is the child's, and what comes before or after is ours.
static int run_shell(lrt_runtime *rt, const char *command, const sigset_t *mask) {
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
  posix_spawnattr_setsigmask(&attributes, mask);
  char *words[] = {"sh", "-c", (char *)command, NULL};
  pid_t pid = 0;
  int code = posix_spawn(&pid, "/bin/sh", NULL, &attributes, words, environ);
  posix_spawnattr_destroy(&attributes);
  pthread_sigmask(SIG_SETMASK, mask, NULL);
  if (code) {
    errno = code;
    return -1;
  }
  // It came when there was no child yet to have it.
  if (rt->signalled == SIGINT) kill(pid, SIGINT);
  runs_child = 1;
  struct sigaction ignore, quit;
  memset(&ignore, 0, sizeof ignore);
  ignore.sa_handler = SIG_IGN;
  sigemptyset(&ignore.sa_mask);
  sigaction(SIGQUIT, &ignore, &quit);
  int status = -1;
  pid_t ended;
  do errno = 0, ended = waitpid(pid, &status, 0);
  while (ended < 0 && errno == EINTR);
  runs_child = 0;
  int saved = errno;
  sigaction(SIGQUIT, &quit, NULL);
  errno = saved;
  return ended == pid ? status : -1;
}

// os.execute, but for a child that Ctrl-C has ended: the key was meant for the program as well, as shells
// have it. Clean-up code may run children too, but each takes half of its time, so that no loop of them
// goes on for good.
static int execute(lua_State *L) {
  lrt_runtime *rt = lrt_of(L);
  const char *command = luaL_optstring(L, 1, NULL);
  if (!command || receiver != rt) return lrt_wrapped(L);
  sigset_t interrupts, mask;
  sigemptyset(&interrupts);
  sigaddset(&interrupts, SIGINT);
  pthread_sigmask(SIG_BLOCK, &interrupts, &mask);
  if (lrt_must_stop(rt) && rt->current) {
    if (rt->current->stop_count <= 1) {
      pthread_sigmask(SIG_SETMASK, &mask, NULL);
      return lrt_raise_stop(L, rt->current);
    }
    rt->current->stop_count /= 2;
  }
  uint64_t before = last_signal;
  child_key = 0;
  int status = run_shell(rt, command, &mask);
  bool interrupted = status != -1 && WIFSIGNALED(status) && WTERMSIG(status) == SIGINT;
  if (child_key && lrt_now() - child_key < ends_by_key) interrupted = true;
  if (interrupted && last_signal == before) raise(SIGINT);
  if (status != -1) errno = 0;
  return luaL_execresult(L, status);
}

// debug.sethook, which would take away what stops the program.
static int set_hook(lua_State *L) {
  int results = lrt_wrapped(L);
  lrt_arm(L, 1);
  return results;
}

void lrt_wrap(lua_State *L, const char *library, const char *name, lua_CFunction function) {
  lua_getglobal(L, library);
  lua_getfield(L, -1, name);
  lua_pushcclosure(L, function, 1);
  lua_setfield(L, -2, name);
  lua_pop(L, 1);
}

// Not by lua_call: its own errors name the function that was called.
int lrt_wrapped(lua_State *L) { return lua_tocfunction(L, lua_upvalueindex(1))(L); }

void lrt_open_interrupts(lua_State *L) {
  lrt_wrap(L, LUA_OSLIBNAME, "execute", execute);
  lrt_wrap(L, LUA_DBLIBNAME, "sethook", set_hook);
}

void lrt_set_restore(void (*restore)(void)) { restore_terminal = restore; }
