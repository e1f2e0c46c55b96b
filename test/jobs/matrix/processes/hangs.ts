// A process that says where it is, once, and then nothing any more.

process.once("message", () => {
  process.send?.({ kind: "stage", stage: "counting", fraction: 0.5 });
  setInterval(() => undefined, 1000);
});
