/**
 * A `Transport` around a server that lies: the bytes that it sends are changed before the client reads them. No server
 * should do so; a client that believes it would hand a reply to the wrong request.
 */
import type { Connection, Transport } from "@effect-zookeeper/transport/Transport"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import { framesOf } from "../internal/proxy/frameRules.ts"

/** Gives the chunks that the client reads instead of one that the server sent. */
export type Rewrite = (chunk: Uint8Array) => ReadonlyArray<Uint8Array>

/** Rewrites the bytes of a server, with a new `Rewrite` for each connection. */
export const rewriting = (
  inner: Transport["Service"],
  make: (random: typeof Random.Random.Service) => Rewrite
): Transport["Service"] => ({
  ...inner,
  connect: Effect.fnUntraced(function* (address, name) {
    const connection = yield* inner.connect(address, name)
    const rewrite = make(yield* Random.Random)
    const lying: Connection = {
      ...connection,
      pull: Effect.map(connection.pull, (chunks) => chunks.flatMap(rewrite))
    }
    return lying
  })
})

/**
 * Breaks the order of replies now and then: repeats one, exchanges two, or gives one a wrong xid. `isLying` says whether it
 * may do so at this moment.
 */
export const around = (
  inner: Transport["Service"],
  options: { readonly probability: number; readonly isLying: () => boolean }
): Transport["Service"] =>
  rewriting(inner, (random) => {
    // The handshake has no header.
    let isFirst = true
    return (chunk) => {
      const isHandshake = isFirst
      isFirst = false
      return isHandshake || !options.isLying() || random.nextDoubleUnsafe() >= options.probability
        ? [chunk]
        : reorder(chunk, () => random.nextDoubleUnsafe())
    }
  })

const reorder = (chunk: Uint8Array, draw: () => number): ReadonlyArray<Uint8Array> => {
  const frames = framesOf(chunk)
  const replies = frames.filter((frame) => readInt(frame, 4) > 0)
  const [one, two] = replies
  if (one === undefined) return [chunk]
  const kind = draw()
  if (kind < 0.3) return [chunk, one]
  if (two === undefined || kind < 0.6) {
    // That of the next request, which may well be on its way.
    return frames.map((frame) => (frame === one ? withXid(frame, readInt(frame, 4) + 1) : frame))
  }
  return frames.map((frame) => (frame === one ? two : frame === two ? one : frame))
}

const readInt = (bytes: Uint8Array, at: number): number => new DataView(bytes.buffer, bytes.byteOffset).getInt32(at)

const withXid = (frame: Uint8Array, xid: number): Uint8Array => {
  const changed = frame.slice()
  new DataView(changed.buffer).setInt32(4, xid)
  return changed
}
