/** The bytes of a stream as one gzip file. */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"

export const gzip = (bytes: Stream.Stream<Uint8Array<ArrayBuffer>>): Stream.Stream<Uint8Array> =>
  Stream.fromReadableStream({
    evaluate: () => Stream.toReadableStream(bytes).pipeThrough(new CompressionStream("gzip")),
    onError: (error) => error
  }).pipe(Stream.orDie)

/** Each chunk is compressed by itself, two at a time: a gzip file may have several parts. Chunks should be large. */
export const gzipMembers = <E, R>(bytes: Stream.Stream<Uint8Array, E, R>): Stream.Stream<Uint8Array, E, R> =>
  Stream.mapEffect(bytes, (chunk) => Effect.promise(() => compress(chunk)), { concurrency: 2 })

// ---- internal

const compress = async (chunk: Uint8Array): Promise<Uint8Array> => {
  const stream = new Blob([new Uint8Array(chunk)]).stream().pipeThrough(new CompressionStream("gzip"))
  return new Uint8Array(await new Response(stream).arrayBuffer())
}
