// Looking at tasks from outside, for prompts.
#include "internal.h"

#include <stdio.h>

// The innermost line of Lua that a suspended or new task is at.
static void describe_place(lrt_task *task, lrt_task_info *info) {
  lua_Debug where;
  info->place[0] = '\0';
  if (!task->thread) return;
  for (int level = 0; lua_getstack(task->thread, level, &where); level++) {
    if (lua_getinfo(task->thread, "Sl", &where) && where.currentline > 0) {
      snprintf(info->place, sizeof info->place, "%s:%d", where.short_src, where.currentline);
      return;
    }
  }
}

size_t lrt_list_tasks(lrt_runtime *rt, lrt_task_info *list, size_t size) {
  size_t count = 0;
  for (lrt_task *task = rt->alive; task && count < size; task = task->next) {
    lrt_task_info *info = &list[count++];
    info->id = task->id;
    info->wake_at = task->heap ? task->wake_at : 0;
    info->waits_for_task = task->wait != NULL;
    info->waits_outside = task->await != 0;
    describe_place(task, info);
  }
  return count;
}
