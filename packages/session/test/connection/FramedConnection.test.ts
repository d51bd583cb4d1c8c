/** Writes of a connection whose transport takes bytes without a fiber, and of one that is full. */
import { assert, describe } from "@effect/vitest"
import type { Connection } from "@effect-zookeeper/transport/Connection"
import { TransportError } from "@effect-zookeeper/transport/TransportError"
import { itEffect } from "@effect-zookeeper/test-kit/TestWith"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import { FramedConnection } from "../../src/internal/connection/FramedConnection.ts"
import { settle } from "../support/time.ts"

const server = { host: "a", port: 2181 }

/** A connection that writes numbers, and a network that may be full or broken. */
const open = () => {
  const tasks: Array<() => void> = []
  const network = { taken: Array<number>(), room: Latch.makeUnsafe(true), isFull: false, isBroken: false }
  const take = (bytes: Uint8Array) => void network.taken.push(...bytes)
  const broken = Effect.fail(new TransportError({ server: "a:2181", reason: "Write" }))
  const raw: Connection = {
    pull: Effect.never,
    write: (bytes) => Effect.suspend(() => writeNow(bytes) ?? Effect.void),
    writeNow: (bytes) => writeNow(bytes),
    defer: (task) => void tasks.push(task)
  }
  const writeNow = (bytes: Uint8Array) => {
    if (network.isBroken) return broken
    if (!network.isFull) return take(bytes)
    return Effect.map(network.room.await, () => take(bytes))
  }
  const connection = new FramedConnection({
    raw,
    server,
    maxFrameSize: 1024,
    maxEventSize: 1024,
    now: () => 0,
    context: Context.empty(),
    reportDefect: () => Effect.void
  })
  const told: Array<string> = []
  const listener = {
    onWrite: () => void told.push("write"),
    onWritten: () => void told.push("written"),
    onWriteFailed: (cause: Cause.Cause<TransportError>) => void told.push(`failed: ${String(Cause.squash(cause))}`)
  }
  /** Writes a number in a turn of its own. */
  const write = (value: number) => {
    connection.writer.boolean(value === 1)
    connection.schedule()
    endTurn()
  }
  const endTurn = () => {
    for (const task of tasks.splice(0)) task()
  }
  return { connection, listener, network, told, write }
}

describe("a connection that writes", () => {
  itEffect("hands over at the end of the turn, and at once what the handshake has kept back", function* () {
    const { connection, listener, network, told, write } = open()
    write(1)
    assert.deepStrictEqual(network.taken, [])
    connection.startWriting(listener)
    assert.deepStrictEqual(network.taken, [1])
    write(0)
    assert.deepStrictEqual(network.taken, [1, 0])
    assert.deepStrictEqual(told, ["write", "written", "write", "written"])
    yield* connection.stopWriting
    write(1)
    assert.deepStrictEqual(network.taken, [1, 0])
  })

  itEffect("keeps the order while the network is full, and writes at once again afterwards", function* () {
    const { connection, listener, network, told, write } = open()
    connection.startWriting(listener)
    network.isFull = true
    network.room.closeUnsafe()
    write(1)
    write(0)
    yield* settle
    assert.deepStrictEqual([network.taken, told], [[], ["write"]])
    network.isFull = false
    network.room.openUnsafe()
    yield* settle
    assert.deepStrictEqual(network.taken, [1, 0])
    write(1)
    assert.deepStrictEqual(network.taken, [1, 0, 1])
    yield* connection.stopWriting
  })

  itEffect("tells of a write that failed, the first as well as a later one, and of none after its end", function* () {
    for (const isFirst of [true, false]) {
      const { connection, listener, network, told, write } = open()
      if (isFirst) write(1)
      network.isBroken = isFirst
      connection.startWriting(listener)
      network.isBroken = true
      if (!isFirst) write(1)
      yield* settle
      assert.lengthOf(told, 2)
      assert.match(told[1]!, /^failed: /)
      yield* connection.stopWriting
    }
    const { connection, listener, network, told, write } = open()
    connection.startWriting(listener)
    network.isFull = true
    network.room.closeUnsafe()
    write(1)
    yield* connection.stopWriting
    yield* settle
    assert.deepStrictEqual(told, ["write"])
  })
})
