#pragma once
// GNU readline is GPL-3: only the target LineEditor imports this module, and the package trait
// "Readline" leaves it out of a build.
#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

// rl_callback_read_char. Readline rings its bell on stderr, which may lead to a file, or be held back
// while a prompt is up: it is the terminal meanwhile.
static inline void hpc_rl_read_char(void) {
  FILE *errors = stderr;
  stderr = rl_outstream;
  rl_callback_read_char();
  stderr = errors;
}

// Takes the history away while a question is asked; hpc_rl_show_history gives it back.
static inline HISTORY_STATE *hpc_rl_hide_history(void) {
  HISTORY_STATE *kept = history_get_history_state();
  HISTORY_STATE none = {0};
  if (kept) history_set_history_state(&none);
  return kept;
}
static inline void hpc_rl_show_history(HISTORY_STATE *kept) {
  history_set_history_state(kept);
  free(kept);
}

// Where the environment's locale knows ASCII only, what is typed is UTF-8 all the same. Called after
// rl_callback_handler_install, which sets the locale of characters.
static inline void hpc_rl_read_utf8(void) {
  if (strcmp(nl_langinfo(CODESET), "UTF-8") == 0 || !setlocale(LC_CTYPE, "C.UTF-8")) return;
  rl_variable_bind("input-meta", "on");
  rl_variable_bind("output-meta", "on");
  rl_variable_bind("convert-meta", "off");
}

// What readline's own commands that complete offer.
static inline char *hpc_rl_no_candidate(const char *text, int state) {
  (void)text;
  (void)state;
  return NULL;
}
static inline void hpc_rl_complete_nothing(void) {
  rl_completion_entry_function = hpc_rl_no_candidate;
}

// What M-# puts before a form, unless the user has chosen something else than a shell's sign.
static inline void hpc_rl_comment_as_lua(void) {
  const char *sign = rl_variable_value("comment-begin");
  if (!sign || strcmp(sign, "#") == 0) rl_variable_bind("comment-begin", "--");
}

// rl_newline and the history commands through which keys of ours go on.
static inline int hpc_rl_bind(const char *keys, int (*command)(int, int)) {
  int status = rl_bind_keyseq_in_map(keys, command, emacs_standard_keymap);
  return status | rl_bind_keyseq_in_map(keys, command, vi_insertion_keymap);
}
static inline int hpc_rl_bind_vi_command(const char *keys, int (*command)(int, int)) {
  return rl_bind_keyseq_in_map(keys, command, vi_movement_keymap);
}
