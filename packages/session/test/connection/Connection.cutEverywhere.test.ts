/** A connection to a real server that is cut at every byte: of a first handshake, and of all that a reconnection says. */
import { assert, describe } from "@effect/vitest"
import * as FaultProxy from "@effect-zookeeper/test-kit/FaultProxy"
import * as TestServer from "@effect-zookeeper/test-kit/TestServer"
import { itLive } from "@effect-zookeeper/test-kit/TestWith"
import { inScope } from "@effect-zookeeper/test-kit/Expectations"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Result from "effect/Result"
import * as Schedule from "effect/Schedule"
import { samePath, connectLive, create, get, set } from "../support/session.ts"
import { now } from "../support/time.ts"

const options = { sessionTimeout: "20 seconds", retry: Schedule.spaced("3 millis") } as const

const HELLO = 4 + 45
const WELCOME = 4 + 37

describe("a first handshake that is cut", () => {
  for (const direction of ["up", "down"] as const) {
    for (const ending of ["fin", "rst"] as const) {
      itLive(`${direction} at every byte with a ${ending} gives a session all the same`, function* () {
        const proxy = yield* FaultProxy.make(TestServer.target())
        const length = direction === "up" ? HELLO : WELCOME
        yield* Effect.forEach(Array.from({ length: length + 1 }), (_, after) =>
          inScope(function* () {
            yield* proxy.cutNext({ direction, after, ending })
            const session = yield* connectLive({ ...options, servers: proxy.connectString })
            assert.notStrictEqual(session.info.id, 0n)
            assert.strictEqual(yield* get(session, "/zookeeper"), "")
          })
        )
        const { accepted } = yield* proxy.seen
        assert.isAtLeast(accepted, 2 * length)
      })
    }
  }
})

describe("a reconnection that is cut", () => {
  for (const direction of ["up", "down"] as const) {
    for (const ending of ["fin", "rst"] as const) {
      itLive(
        `${direction} at every byte with a ${ending} keeps the session, its watch, and the answer of every read`,
        function* () {
          const proxy = yield* FaultProxy.make(TestServer.target())
          const other = yield* connectLive({ servers: TestServer.connectString() })
          const session = yield* connectLive({ ...options, servers: proxy.connectString })
          const { id } = session.info
          const [read, written] = [TestServer.freshPath("cut"), TestServer.freshPath("cut")]
          yield* create(other, read, "0")
          yield* create(other, written, "-")
          // Handshake, setWatches with one path, getData and setData: beyond it nothing is left to be cut.
          const beyond = direction === "up" ? 200 : 250
          let lost = 0
          for (let after = 0; after <= beyond; after++) {
            const watched = yield* session.watchData(samePath(read))
            const changed = yield* Effect.forkChild(watched.changed, now)
            yield* proxy.cutNext({ direction, after, ending })
            yield* proxy.dropAll(ending)
            yield* proxy.awaitSeen(({ current }) => current === 0 || after > 0)
            const reading = yield* Effect.forkChild(get(session, read), now)
            const write = yield* Effect.result(set(session, written, `${after}`))
            assert.strictEqual(yield* Fiber.join(reading), `${after}`)
            const truth = yield* get(other, written)
            if (Result.isSuccess(write)) {
              assert.strictEqual(truth, `${after}`)
            } else {
              lost++
              assert.deepInclude({ ...write.failure }, { _tag: "ConnectionLoss", maybeApplied: true, path: written })
            }
            assert.strictEqual(session.info.id, id)
            yield* set(other, read, `${after + 1}`)
            assert.strictEqual((yield* Fiber.join(changed)).type, "NodeDataChanged")
          }
          assert.isAtLeast(lost, 5)
        }
      )
    }
  }
})
