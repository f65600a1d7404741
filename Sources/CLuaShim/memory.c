// When memory is used up, Lua raises "not enough memory" and goes on, while Swift ends the process. So
// a reserve is kept from Lua: from the first allocation that failed on, Lua runs with it held, and
// Swift with it given back.
#include "internal.h"

#include <stdlib.h>

enum { RESERVE = 512 << 10, SMALLEST_RESERVE = 16 << 10 };

// As the allocator of luaL_newstate.
static void *allocate(void *context, void *block, size_t old, size_t size) {
  lrt_runtime *rt = context;
  if (size == 0) {
    free(block);
    return NULL;
  }
  if (unlikely(rt->starved) && (!block || size > old)) {
    lrt_take_reserve(rt);
    if (rt->starved) return NULL;
  }
  void *moved = realloc(block, size);
  if (unlikely(!moved)) rt->exhausted = true;
  return moved;
}

void lrt_give_reserve(lrt_runtime *rt) {
  free(rt->reserve);
  rt->reserve = NULL;
  rt->starved = false;
}

void lrt_take_reserve(lrt_runtime *rt) {
  // What has been freed may lie in small pieces.
  for (size_t size = RESERVE; !rt->reserve && size >= SMALLEST_RESERVE; size /= 2) {
    rt->reserve = malloc(size);
  }
  rt->starved = !rt->reserve;
}

void lrt_limit_memory(lrt_runtime *rt) {
  lrt_take_reserve(rt);
  rt->starved = false;
  lua_setallocf(rt->L, allocate, rt);
}
