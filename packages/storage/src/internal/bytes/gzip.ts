/** The bytes of a stream as one gzip file. */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Zlib from "node:zlib"

export const gzip = (bytes: Stream.Stream<Uint8Array<ArrayBuffer>>): Stream.Stream<Uint8Array> =>
  Stream.fromReadableStream({
    evaluate: () => Stream.toReadableStream(bytes).pipeThrough(new CompressionStream("gzip")),
    onError: (error) => error
  }).pipe(Stream.orDie)

/** Each chunk is compressed by itself, two at a time: a gzip file may have several parts. Chunks should be large. */
export const gzipMembers = <E, R>(bytes: Stream.Stream<Uint8Array, E, R>): Stream.Stream<Uint8Array, E, R> =>
  Stream.mapEffect(bytes, compress, { concurrency: 2 })

// ---- internal

const compress = (chunk: Uint8Array): Effect.Effect<Uint8Array> =>
  Effect.callback((resume) =>
    Zlib.gzip(chunk, (error, bytes) => resume(error === null ? Effect.succeed(bytes) : Effect.die(error)))
  )
