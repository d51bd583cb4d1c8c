/** The bytes of a stream as one gzip file. */
import * as Stream from "effect/Stream"

export const gzip = (bytes: Stream.Stream<Uint8Array<ArrayBuffer>>): Stream.Stream<Uint8Array> =>
  Stream.fromReadableStream({
    evaluate: () => Stream.toReadableStream(bytes).pipeThrough(new CompressionStream("gzip")),
    onError: (error) => error
  }).pipe(Stream.orDie)
