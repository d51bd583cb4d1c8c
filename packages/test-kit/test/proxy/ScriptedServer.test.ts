import { assert, describe } from "@effect/vitest"
import { itEffect } from "@effect-zookeeper/test-kit/TestWith"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as ScriptedServer from "../../src/ScriptedServer.ts"
import { connect, ints, readInts } from "../support/rawClient.ts"

describe("ScriptedServer", () => {
  itEffect("runs the script for each connection, which sees frames and sends frames and bare bytes", function* () {
    const server = yield* ScriptedServer.make((connection) =>
      Effect.gen(function* () {
        const [value = 0] = readInts(yield* connection.nextFrame)
        yield* connection.send(ints(value + connection.index))
        yield* connection.sendRaw(ints(4, 5))
        yield* connection.close
      })
    )
    for (const index of [1, 2]) {
      const client = yield* connect(server.port)
      yield* client.send(ints(10))
      assert.deepStrictEqual(readInts(yield* client.nextFrame), [10 + index])
      assert.deepStrictEqual(readInts(yield* client.nextFrame), [5])
      assert.strictEqual(yield* client.ended, "fin")
    }
    assert.strictEqual(yield* server.accepted, 2)
  })

  itEffect("resets, and tells the script when the client has gone", function* () {
    const gone = yield* Deferred.make<void>()
    const server = yield* ScriptedServer.make((connection) =>
      connection.index === 1
        ? Effect.andThen(connection.nextFrame, connection.reset)
        : Effect.ensuring(Effect.asVoid(connection.nextFrame), Deferred.succeed(gone, undefined))
    )
    const first = yield* connect(server.port)
    yield* first.send(ints(1))
    assert.strictEqual(yield* first.ended, "rst")
    const second = yield* connect(server.port)
    const waiting = yield* Effect.forkChild(Deferred.await(gone))
    second.socket.destroy()
    yield* Fiber.join(waiting)
  })
})
