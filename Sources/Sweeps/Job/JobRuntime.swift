/// The part of a job's script that is the same for all: claims, locks, records, signals.
///
/// Its order is the protocol's (`exactly-once.md`, The job): claim, lock, run, publish, exit
/// record. It makes none of `lock/`, `out/claim/`, `out/refused/`, `out/exit/`, `out/files/` and
/// `log/`, so that in a wiped home it fails before it runs anything.
enum JobRuntime {
  static let text = #"""
    hpc_say() { printf 'hpc: %s\n' "$1" >&2; }
    hpc_fail() { hpc_say "$1"; exit 97; }
    hpc_now() { date +%s; }
    hpc_flush() { sync "$@" 2>/dev/null || sync; }
    hpc_with_root() {
      sed "s|@hpc-root@|$(printf '%s' "$hpc_root" | sed 's/[&|\\]/\\&/g')|g"
    }
    if command -v sha256sum >/dev/null 2>&1; then
      hpc_sum() { sha256sum <"$1"; }
    elif command -v shasum >/dev/null 2>&1; then
      hpc_sum() { shasum -a 256 <"$1"; }
    else
      hpc_sum() { openssl dgst -sha256 -r <"$1"; }
    fi

    # Signals only leave a mark, and end the program where one runs: each step looks at the mark.
    hpc_signal=
    hpc_child=
    hpc_workers=
    hpc_grace=5
    hpc_kill() {
      kill -s "$1" -- "-$hpc_child" 2>/dev/null || kill -s "$1" "$hpc_child" 2>/dev/null
    }
    hpc_watch=
    hpc_stop_child() {
      hpc_kill TERM
      if [ -z "$hpc_watch" ]; then
        (trap - HUP INT QUIT TERM XCPU; sleep "$hpc_grace"; hpc_kill KILL) >/dev/null 2>&1 &
        hpc_watch=$!
      fi
    }
    hpc_on_signal() {
      hpc_signal=$1
      if [ -n "$hpc_child" ]; then hpc_stop_child; fi
      for hpc_x in $hpc_workers; do kill -s TERM "$hpc_x" 2>/dev/null; done
    }
    hpc_traps() {
      trap 'hpc_on_signal 1' HUP
      trap 'hpc_on_signal 2' INT
      trap 'hpc_on_signal 3' QUIT
      trap 'hpc_on_signal 15' TERM
      trap 'hpc_on_signal 24' XCPU
    }

    # Puts a record under its final name in one step; fails where the folder is gone.
    hpc_publish() {
      hpc_flush "$1"
      [ -d "${2%/*}" ] && mv "$1" "$2"
    }

    # What fails is told in the record.
    hpc_copy_tree() {
      hpc_bad='the uploaded files cannot be copied'
      cp -R "$hpc_root/in/$1/files/." "$hpc_work/" || return 1
      if [ -f "$hpc_root/in/$1/executable" ]; then
        while IFS= read -r hpc_name_x; do
          chmod u+x "$hpc_work/$hpc_name_x" || return 1
        done <"$hpc_root/in/$1/executable"
      fi
    }
    hpc_link() {
      hpc_bad="$1 is not there"
      [ -e "$hpc_home/$1" ] || return 1
      case $2 in */*) mkdir -p "$hpc_work/${2%/*}" || return 1 ;; esac
      hpc_bad="$2 is there already"
      ln -s "$hpc_home/$1" "$hpc_work/$2"
    }
    hpc_find_remote() {
      hpc_bad="$hpc_remote is not there"
      [ -z "$hpc_remote" ] || [ -f "$hpc_home/$hpc_remote" ]
    }

    # hpc_take required|optional PATTERN FILE...: copies what is there and adds it to the manifest.
    hpc_take() {
      hpc_kind=$1
      hpc_pattern=$2
      shift 2
      hpc_found=
      for hpc_f in "$@"; do
        if [ -d "$hpc_f" ]; then
          find -L "./$hpc_f" -type f >"$hpc_tmp/found" || return 1
          while IFS= read -r hpc_g; do hpc_take_file "$hpc_g" || return 1; done <"$hpc_tmp/found"
        elif [ -f "$hpc_f" ]; then
          hpc_take_file "$hpc_f" || return 1
        fi
      done
      if [ -z "$hpc_found" ] && [ "$hpc_kind" = required ]; then
        printf 'missing=%s\n' "$hpc_pattern" >>"$hpc_tmp/manifest"
      fi
    }
    hpc_take_file() {
      hpc_g=${1#./}
      hpc_found=yes
      # Named in the record where it cannot be taken; the manifest has a line a file.
      hpc_bad=$hpc_g
      case $hpc_g in *'
    '*) return 1 ;; esac
      hpc_to=$hpc_tmp/files/$hpc_g
      [ ! -e "$hpc_to" ] || return 0
      mkdir -p "${hpc_to%/*}" || return 1
      # In a folder that outlives the attempt a link would change with the file.
      if [ -n "$hpc_folder" ] || [ -L "./$hpc_g" ] || ! ln "./$hpc_g" "$hpc_to" 2>/dev/null; then
        cp -p "./$hpc_g" "$hpc_to" || return 1
      fi
      hpc_hash=$(hpc_sum "$hpc_to") || return 1
      printf 'file=%s %s %s\n' "$(($(wc -c <"$hpc_to")))" "${hpc_hash%% *}" "$hpc_g" \
        >>"$hpc_tmp/manifest" || return 1
      hpc_flush "$hpc_to"
    }
    hpc_no_outputs() {
      hpc_say "the output '$hpc_bad' of $hpc_a cannot be put aside"
      hpc_error outputs
    }
    # hpc_error WHAT: takes the place of the manifest; what is of no use any more makes room for it.
    hpc_error() {
      rm -rf "$hpc_tmp/files" "$hpc_tmp/room" "$hpc_tmp/script" "$hpc_tmp/variables"
      printf 'error=%s\ndetail=%s\n' "$1" "$(printf '%s' "$hpc_bad" | tr '\n' ' ')" \
        >"$hpc_tmp/manifest"
    }
    # hpc_give_up CODE: what the job could not do is no verdict where a signal has got in its way.
    hpc_give_up() {
      if [ -n "$hpc_signal" ]; then
        rm -f "$hpc_tmp/manifest"
        hpc_end $((128 + hpc_signal)) "$hpc_signal"
        exit $((128 + hpc_signal))
      fi
      hpc_end "$1" ""
      hpc_status=$1
    }

    # hpc_put FUNCTION FILE: writes what a function prints, all of it or not at all.
    hpc_put() {
      hpc_bad=$2
      "$1" >"$2" && [ "$("$1" | wc -c)" -eq "$(wc -c <"$2")" ]
    }
    # hpc_prepare N: everything that the program needs to start.
    hpc_prepare() {
      hpc_put "hpc_setup_$1" "$hpc_tmp/setup" &&
        hpc_put "hpc_variables_$1" "$hpc_tmp/variables" || return 1
      if [ -n "$hpc_remote" ]; then
        hpc_program=$hpc_home/$hpc_remote
      else
        hpc_program=$hpc_tmp/script
        hpc_put "hpc_script_$1" "$hpc_program" && chmod u+x "$hpc_program" || return 1
      fi
      hpc_put hpc_start_text "$hpc_tmp/start"
    }

    # The program and its surroundings, as a small script of its own that becomes the program.
    hpc_start_text() {
      printf 'cd %s || exit 126\n' "$(hpc_quote "$hpc_work")"
      hpc_interpreter=
      hpc_line=
      IFS= read -r hpc_line <"$hpc_program" || [ -n "$hpc_line" ]
      case $hpc_line in '#!'*) hpc_interpreter=${hpc_line#??} ;; esac
      hpc_p=$(hpc_quote "$hpc_program")
      if [ -n "$hpc_interpreter" ] && [ ! -x "$hpc_program" ]; then
        hpc_p="$hpc_interpreter $hpc_p"
      fi
      # The variables come after a login shell's profile, which may use the same names, and before
      # the setup, which may read them.
      hpc_v=$(hpc_quote "$hpc_tmp/variables")
      hpc_q=$(hpc_quote "$hpc_tmp/setup")
      if [ -z "$hpc_interpreter" ]; then
        printf 'exec bash -l -c %s %s %s %s\n' \
          "'. \"\$1\"; . \"\$2\"; shift 2; . \"\$0\"'" "$hpc_p" "$hpc_v" "$hpc_q"
      elif [ -s "$hpc_tmp/setup" ]; then
        printf 'exec bash -l -c %s hpc %s %s %s\n' \
          "'. \"\$1\"; . \"\$2\"; shift 2; exec \"\$@\"'" "$hpc_v" "$hpc_q" "$hpc_p"
      else
        printf '. %s\nexec %s\n' "$hpc_v" "$hpc_p"
      fi
    }
    hpc_quote() { printf "'%s'" "$(printf '%s' "$1" | sed "s/'/'\\\\''/g")"; }

    # Starts the program in a process group of its own, so that a signal reaches all of it.
    hpc_launch() {
      if [ -n "${BASH_VERSION:-}" ]; then
        set -m
        sh "$hpc_tmp/start" >"$hpc_log.out" 2>"$hpc_log.err" </dev/null &
        hpc_child=$!
        set +m
      elif command -v setsid >/dev/null 2>&1; then
        setsid sh "$hpc_tmp/start" >"$hpc_log.out" 2>"$hpc_log.err" </dev/null &
        hpc_child=$!
      else
        sh "$hpc_tmp/start" >"$hpc_log.out" 2>"$hpc_log.err" </dev/null &
        hpc_child=$!
      fi
    }

    # Waits for the program's real end: `wait` also returns when a signal was handled.
    hpc_wait() {
      # A signal that came between the start and the line that kept the child's id.
      if [ -n "$hpc_signal" ]; then hpc_stop_child; fi
      while :; do
        wait "$hpc_child"
        hpc_code=$?
        if [ "$hpc_code" -gt 128 ] && kill -0 "$hpc_child" 2>/dev/null; then continue; fi
        break
      done
      # What the program left behind would go on writing into its outputs.
      kill -s KILL -- "-$hpc_child" 2>/dev/null
      hpc_child=
      if [ -n "$hpc_watch" ]; then kill -s KILL "$hpc_watch" 2>/dev/null; fi
      hpc_watch=
    }

    # hpc_end CODE SIGNAL: the exit record, last of all. Where the program has filled the disk, the
    # room that was kept is for it.
    hpc_end() {
      hpc_record "$@" && return
      rm -f "$hpc_tmp/room"
      hpc_record "$@"
    }
    hpc_record() {
      {
        printf 'attempt=%s\nexecution=%s\ncode=%s\n' "$hpc_a" "$hpc_e" "$1" &&
          if [ -n "$2" ]; then printf 'signal=%s\n' "$2"; fi &&
          printf 'start=%s\nend=%s\n' "$hpc_start" "$(hpc_now)" &&
          if [ -f "$hpc_tmp/manifest" ]; then cat "$hpc_tmp/manifest"; fi &&
          printf 'complete=yes\n'
      } >"$hpc_tmp/exit" && hpc_publish "$hpc_tmp/exit" "$hpc_root/out/exit/$hpc_a.$hpc_e"
    }

    hpc_run_attempt() {
      eval "hpc_a=\$hpc_attempt_$1 hpc_folder=\$hpc_folder_$1 hpc_remote=\$hpc_remote_$1"
      eval "hpc_earlier=\$hpc_earlier_$1"
      hpc_claimed=$(hpc_now)
      hpc_e=${PJM_JOBID:-0}.$$.$hpc_claimed
      hpc_tmp=$hpc_root/work/$hpc_a.$hpc_e
      hpc_log=$hpc_root/log/$hpc_name/$hpc_a

      # 1. The claim. It is there before the lock, so that a lock without a claim is the client's.
      mkdir "$hpc_tmp" || hpc_fail "cannot make $hpc_tmp"
      printf 'attempt=%s\nexecution=%s\ntime=%s\njob=%s\nlimit=%s\ncomplete=yes\n' "$hpc_a" \
        "$hpc_e" "$hpc_claimed" "${PJM_JOBID:-0}" "$hpc_limit" >"$hpc_tmp/claim" &&
        hpc_publish "$hpc_tmp/claim" "$hpc_root/out/claim/$hpc_a.$hpc_e" ||
        hpc_fail "cannot write the claim of $hpc_a"
      if [ -n "$hpc_signal" ]; then exit $((128 + hpc_signal)); fi

      # 2. The lock: who makes this folder runs the attempt, now and for good.
      if ! mkdir "$hpc_root/lock/$hpc_a" 2>/dev/null; then
        printf 'attempt=%s\nexecution=%s\ntime=%s\ncomplete=yes\n' "$hpc_a" "$hpc_e" \
          "$(hpc_now)" >"$hpc_tmp/refused" &&
          hpc_publish "$hpc_tmp/refused" "$hpc_root/out/refused/$hpc_a.$hpc_e"
        rm -rf "$hpc_tmp"
        hpc_say "attempt $hpc_a is taken: nothing runs"
        return
      fi
      [ -f "$hpc_root/out/claim/$hpc_a.$hpc_e" ] ||
        hpc_fail "the claim of $hpc_a is gone: this home was wiped"

      # 3. The program.
      hpc_start=$(hpc_now)
      hpc_bad="its work folder cannot be made"
      head -c 65536 /dev/zero >"$hpc_tmp/room" 2>/dev/null
      if [ -n "$hpc_folder" ]; then
        hpc_work=$hpc_home/$hpc_folder
      else
        hpc_work=$hpc_root/work/$hpc_a
      fi
      if ! { mkdir -p "$hpc_work" && cd "$hpc_work" && "hpc_inputs_$1" &&
        hpc_find_remote; }; then
        hpc_say "the inputs of $hpc_a: $hpc_bad"
        hpc_error inputs
        hpc_give_up 96
        return
      fi
      if ! hpc_prepare "$1"; then
        hpc_say "$hpc_a cannot start: $hpc_bad cannot be written"
        hpc_error start
        hpc_give_up 96
        return
      fi
      if [ -n "$hpc_signal" ]; then
        hpc_end $((128 + hpc_signal)) "$hpc_signal"
        exit $((128 + hpc_signal))
      fi
      hpc_launch
      hpc_wait
      if [ -n "$hpc_signal" ]; then
        hpc_end "$hpc_code" "$hpc_signal"
        exit $((128 + hpc_signal))
      fi

      # 4. The outputs, all in one step, and after them the exit record.
      if [ "$hpc_code" = 0 ]; then
        mkdir "$hpc_tmp/files" && "hpc_outputs_$1" &&
          mv "$hpc_tmp/files" "$hpc_root/out/files/$hpc_a" || {
          hpc_no_outputs
          if [ -n "$hpc_signal" ]; then hpc_give_up 0; fi
        }
      fi
      if [ "$hpc_code" = 137 ]; then hpc_end 137 9; else hpc_end "$hpc_code" ""; fi || return
      cd "$hpc_root" || return
      # A point without its outputs has failed too.
      hpc_verdict=$hpc_code
      if grep -q '^\(missing\|error\)=' "$hpc_tmp/manifest" 2>/dev/null; then hpc_verdict=failed; fi
      if [ "$hpc_verdict" = 0 ] && [ "$hpc_keep" != all ]; then
        for hpc_old in $hpc_earlier; do rm -rf "$hpc_root/work/$hpc_old"; done
      fi
      case $hpc_keep:$hpc_verdict in
        none:* | failed:0) if [ -z "$hpc_folder" ]; then rm -rf "$hpc_work"; fi ;;
      esac
      rm -rf "$hpc_tmp"
      if [ "$hpc_code" != 0 ]; then hpc_status=$hpc_code; fi
      if [ -n "$hpc_signal" ]; then exit $((128 + hpc_signal)); fi
    }

    # One of the processes that take attempts, each the next that none of them has taken.
    hpc_worker() {
      hpc_i=0
      while [ "$hpc_i" -lt "$hpc_count" ]; do
        if mkdir "$hpc_turns/$hpc_i" 2>/dev/null; then hpc_run_attempt "$hpc_i"; fi
        hpc_i=$((hpc_i + 1))
      done
      exit "$hpc_status"
    }

    hpc_status=0
    hpc_traps
    cd "${PJM_O_WORKDIR:-${HOME:-.}}" || hpc_fail "no home"
    hpc_home=$(pwd)
    cd "$hpc_home_root" || hpc_fail "the sweep's folder $hpc_home_root is gone: this home was wiped"
    hpc_root=$(pwd)
    mkdir "log/$hpc_name" 2>/dev/null
    [ -d "log/$hpc_name" ] || hpc_fail "cannot make log/$hpc_name: this home was wiped"
    if [ "$hpc_at_once" = 1 ]; then
      hpc_i=0
      while [ "$hpc_i" -lt "$hpc_count" ]; do
        hpc_run_attempt "$hpc_i"
        hpc_i=$((hpc_i + 1))
      done
      exit "$hpc_status"
    fi
    hpc_turns=$hpc_root/work/$hpc_name.$$.$(hpc_now)
    mkdir "$hpc_turns" || hpc_fail "cannot make $hpc_turns"
    hpc_i=0
    while [ "$hpc_i" -lt "$hpc_at_once" ]; do
      (hpc_workers=; hpc_traps; hpc_worker) &
      hpc_workers="$hpc_workers $!"
      hpc_i=$((hpc_i + 1))
    done
    # A signal that came between a start and the line that kept the worker's id.
    if [ -n "$hpc_signal" ]; then hpc_on_signal "$hpc_signal"; fi
    for hpc_w in $hpc_workers; do
      while :; do
        wait "$hpc_w"
        hpc_code=$?
        if [ "$hpc_code" -gt 128 ] && kill -0 "$hpc_w" 2>/dev/null; then continue; fi
        break
      done
      if [ "$hpc_code" != 0 ]; then hpc_status=$hpc_code; fi
    done
    rm -rf "$hpc_turns"
    exit "$hpc_status"

    """#
}
