/**
 * A `Transport` around a server that now and then breaks the order of its replies: says one twice, exchanges two, or gives
 * one a wrong xid. No server should; a client that believes it would hand a reply to the wrong request.
 */
import type { Connection, Transport } from "@effect-zookeeper/transport/Transport"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import { framesOf } from "../internal/proxy/frameRules.ts"

/** `isLying` says whether it may lie at this moment. */
export const around = (
  inner: Transport["Service"],
  options: { readonly probability: number; readonly isLying: () => boolean }
): Transport["Service"] => ({
  ...inner,
  connect: Effect.fnUntraced(function* (address, name) {
    const connection = yield* inner.connect(address, name)
    const random = yield* Random.Random
    let isFirst = true
    const corrupt = (chunk: Uint8Array): ReadonlyArray<Uint8Array> => {
      if (!options.isLying() || random.nextDoubleUnsafe() >= options.probability) return [chunk]
      const frames = framesOf(chunk)
      const replies = frames.filter((frame) => readInt(frame, 4) > 0)
      const [one, two] = replies
      if (one === undefined) return [chunk]
      const draw = random.nextDoubleUnsafe()
      if (draw < 0.3) return [chunk, one]
      if (two === undefined || draw < 0.6) {
        // Of the next request, which may well be on its way.
        return frames.map((frame) => (frame === one ? withXid(frame, readInt(frame, 4) + 1) : frame))
      }
      return frames.map((frame) => (frame === one ? two : frame === two ? one : frame))
    }
    const lying: Connection = {
      ...connection,
      pull: Effect.map(connection.pull, (chunks) =>
        chunks.flatMap((chunk) => {
          // The handshake has no header.
          if (!isFirst) return corrupt(chunk)
          isFirst = false
          return [chunk]
        })
      )
    }
    return lying
  })
})

const readInt = (bytes: Uint8Array, at: number): number => new DataView(bytes.buffer, bytes.byteOffset).getInt32(at)

const withXid = (frame: Uint8Array, xid: number): Uint8Array => {
  const changed = frame.slice()
  new DataView(changed.buffer).setInt32(4, xid)
  return changed
}
