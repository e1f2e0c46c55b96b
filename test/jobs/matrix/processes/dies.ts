// A process that says a word and dies, as one does that runs out of memory.

process.once("message", () => {
  process.stderr.write("first line\nout of memory\n", () => process.kill(process.pid, "SIGKILL"));
});
