// A step that fails once, and then kills the worker that does it: once, as a file remembers.

import { command, file, pipeline, sh, text } from "../../../../src/index.ts";

export const victim = command({
  ...{ name: "victim", takes: { mark: text() }, gives: { out: file("out.txt") }, attempts: 2 },
  run: ({ mark }) => sh`
    echo "try $HDASH_ATTEMPT"
    test "$HDASH_ATTEMPT" = 2
    if ! test -e ${mark}; then
      touch ${mark}
      setsid sleep 7654323 &
      kill -9 "$(cut -d' ' -f4 "/proc/$PPID/stat")"
      sleep 7654323
    fi
    echo done > out.txt`,
});

export default pipeline({
  name: "lost",
  takes: { mark: text() },
  gives: { out: file() },
  plan: ({ mark }, { run }) => run(victim, { mark }),
});
