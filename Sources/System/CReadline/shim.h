#pragma once
// GNU readline is GPL-3: only the target LineEditor imports this module, and the package trait
// "Readline" leaves it out of a build.
#include <stdio.h>
#include <stdlib.h>
#include <readline/readline.h>
#include <readline/history.h>

// Swift 6 imports no mutable C globals: each one that is needed has an accessor.

static inline void hpc_rl_configure(FILE *out, int (*next)(FILE *), int (*ready)(void),
                                    void (*prepare)(int)) {
  rl_readline_name = "hpc";
  rl_instream = stdin;
  rl_outstream = out;
  rl_getc_function = next;
  rl_input_available_hook = ready;
  rl_prep_term_function = prepare;
  rl_catch_signals = 0;
  rl_catch_sigwinch = 0;
  rl_change_environment = 0;
  // Whatever would ask a question of its own waits for the answer in place: never.
  rl_completion_query_items = -1;
}

static inline const char *hpc_rl_buffer(void) { return rl_line_buffer; }
static inline int hpc_rl_point(void) { return rl_point; }
static inline void hpc_rl_set_point(int point) { rl_point = point; }
static inline int hpc_rl_end(void) { return rl_end; }
// Readline sets it at Ctrl-D, and ends every line with a further newline from then on.
static inline void hpc_rl_forget_eof(void) { rl_eof_found = 0; }
static inline FILE *hpc_rl_out(void) { return rl_outstream; }

// rl_newline and the history commands through which keys of ours go on.
static inline int hpc_rl_bind(const char *keys, int (*command)(int, int)) {
  int status = rl_bind_keyseq_in_map(keys, command, emacs_standard_keymap);
  return status | rl_bind_keyseq_in_map(keys, command, vi_insertion_keymap);
}
static inline int hpc_rl_bind_vi_command(const char *keys, int (*command)(int, int)) {
  return rl_bind_keyseq_in_map(keys, command, vi_movement_keymap);
}
