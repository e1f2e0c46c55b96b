// A pipe between a producer and one reader, which holds no more than it must: who writes waits until there is room.

export interface Pipe {
  /** Hands over a piece and waits until there is room for another. Does nothing where the reader has left, or the pipe has ended. */
  write(piece: Uint8Array): Promise<void>;
  /** Ends what is read; with an error, the reader gets it after what was written. The first end counts. */
  end(error?: unknown): void;
  /** Tells whether nobody reads any more. */
  hasLeft(): boolean;
  /** Leaves on behalf of the reader: what is written from now on is dropped, and who reads finds the end. */
  leave(): void;
  /** What was written, for one reader. */
  readonly out: AsyncIterable<Uint8Array>;
}

/** Makes a pipe that takes in pieces as long as it holds fewer than `roomBytes`; `onStart` is called when reading begins. */
export function makePipe(roomBytes: number, onStart: () => void, onLeave: () => void): Pipe {
  const pieces: Uint8Array[] = [];
  let held = 0;
  let hasEnded = false;
  let isLeft = false;
  let failure: { readonly error: unknown } | null = null;
  let wakeReader: (() => void) | null = null;
  let wakeWriter: (() => void) | null = null;

  function wake(): void {
    wakeReader?.();
    wakeWriter?.();
    wakeReader = null;
    wakeWriter = null;
  }

  function leave(): void {
    if (isLeft) return;
    isLeft = true;
    pieces.length = 0;
    held = 0;
    wake();
    onLeave();
  }

  async function next(): Promise<IteratorResult<Uint8Array>> {
    onStart();
    for (;;) {
      const piece = pieces.shift();
      if (piece !== undefined) {
        held -= piece.length;
        if (held < roomBytes) wake();
        return { done: false, value: piece };
      }
      if (failure !== null && !isLeft) {
        leave();
        throw failure.error;
      }
      if (hasEnded || isLeft) {
        leave();
        return { done: true, value: undefined };
      }
      await new Promise<void>((resolve) => (wakeReader = resolve));
    }
  }

  // Not a generator: one that is left before its first piece never learns of it, and who writes would wait for ever.
  const reader: AsyncIterator<Uint8Array> = {
    next,
    async return() {
      leave();
      return { done: true, value: undefined };
    },
  };

  return {
    async write(piece) {
      if (isLeft || hasEnded) return;
      pieces.push(piece);
      held += piece.length;
      wakeReader?.();
      wakeReader = null;
      if (held >= roomBytes) await new Promise<void>((resolve) => (wakeWriter = resolve));
    },
    end(error) {
      if (hasEnded) return;
      hasEnded = true;
      if (error !== undefined) failure = { error };
      wake();
    },
    hasLeft: () => isLeft,
    leave,
    out: { [Symbol.asyncIterator]: () => reader },
  };
}
