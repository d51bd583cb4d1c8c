/**
 * One direction of one proxied connection: bytes come out later, slower, in pieces, or not at all.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Latch from "effect/Latch"
import * as Queue from "effect/Queue"
import type * as Net from "node:net"
import type { Ending, Shape } from "./model.ts"

/** Bytes, the end of the sender's stream, or the sender's reset. */
type Item = Uint8Array | "fin" | "reset"

export interface Options {
  readonly to: Net.Socket
  /** Closed while the direction is black-holed. */
  readonly gate: Latch.Latch
  readonly shape: () => Shape
  /** Ends the connection once so many bytes have been delivered. */
  readonly cut: { readonly after: number; readonly ending: Ending } | undefined
  readonly end: (ending: Ending) => void
  /** Stops or resumes reading from the sender: undelivered bytes must not pile up here. */
  readonly setReading: (isReading: boolean) => void
}

/** Bytes that wait to be delivered before the sender has to wait, as behind a window of TCP that is full. */
const HIGH_WATER = 1024 * 1024

export interface Pipe {
  readonly offer: (item: Item) => void
  /** Delivers, for ever; to be interrupted when the connection is gone. */
  readonly run: Effect.Effect<never>
}

export const makePipe = Effect.fnUntraced(function* (options: Options): Effect.fn.Return<Pipe> {
  const { cut, end, gate, setReading, to } = options
  const queue = yield* Queue.unbounded<{ readonly item: Item; readonly at: number }>()
  const clock = yield* Clock.Clock
  let delivered = 0
  let waiting = 0

  const grow = (bytes: number) => {
    const wasFull = waiting > HIGH_WATER
    waiting += bytes
    const isFull = waiting > HIGH_WATER
    if (isFull !== wasFull) setReading(!isFull)
  }

  const write = (bytes: Uint8Array): Effect.Effect<void> =>
    Effect.callback((resume) => {
      to.write(bytes, () => resume(Effect.void))
    })

  const deliver = Effect.fnUntraced(function* (bytes: Uint8Array) {
    yield* gate.await
    if (cut !== undefined && delivered + bytes.length >= cut.after) {
      if (cut.after > delivered) yield* write(bytes.subarray(0, cut.after - delivered))
      delivered = cut.after
      end(cut.ending)
      return
    }
    delivered += bytes.length
    yield* write(bytes)
  })

  const one = Effect.gen(function* () {
    const { at, item } = yield* Queue.take(queue)
    const shape = options.shape()
    if (shape.delay !== undefined) {
      const wait = at + Duration.toMillis(shape.delay) - clock.currentTimeMillisUnsafe()
      if (wait > 0) yield* Effect.sleep(wait)
    }
    yield* gate.await
    if (item === "fin") return to.end()
    if (item === "reset") return end("rst")
    for (let start = 0; start < item.length;) {
      // Evaluated for each piece, so that a change need not wait for the rest of a long item.
      const { bytesPerSecond: rate, chunk } = options.shape()
      // A throttled stream moves every 20 ms.
      const size = Math.max(1, chunk ?? (rate === undefined ? item.length : Math.ceil(rate / 50)))
      const piece = item.subarray(start, start + size)
      start += piece.length
      yield* deliver(piece)
      if (rate !== undefined) yield* Effect.sleep((piece.length / rate) * 1000)
    }
    grow(-item.length)
  })

  return {
    offer: (item) => {
      if (typeof item !== "string") grow(item.length)
      Queue.offerUnsafe(queue, { item, at: clock.currentTimeMillisUnsafe() })
    },
    run: Effect.forever(one)
  }
})
