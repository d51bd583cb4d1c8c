/**
 * ClickHouse Keeper, whose answer to the handshake has no last byte. It closes the connection on an operation that it does not
 * have, and announces those that it has; see also `Keeper.test.ts` of the test kit.
 */
import * as Operations from "@effect-zookeeper/protocol/Operations"
import { assertEach } from "@effect-zookeeper/test-kit/Expectations"
import { assert, describe, it } from "@effect/vitest"
import { itEffect, testWith } from "@effect-zookeeper/test-kit/TestWith"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Frames from "../support/frames.ts"
import type { ServerSide } from "../support/MemoryNetwork.ts"
import { answerExists, answerWhoAmI, whoAmI } from "../support/answers.ts"
import { connect, connectClosable, exists, reconnect, samePath, silent, watchData } from "../support/session.ts"
import { now, settle } from "../support/time.ts"

const keeper = { servers: "a", grant: { readOnly: undefined } }

/** Bit 7, persistent watches, in the first of two bytes. */
const persistentWatches = Uint8Array.of(0x01, 0x00)

const announce = Effect.fnUntraced(function* (server: ServerSide, data: Uint8Array | undefined) {
  const { body, name, xid } = yield* server.nextRequest
  assert.deepStrictEqual([name, body.path], ["getData", "/keeper/feature_flags"])
  if (data === undefined) server.reply(xid, 1n, -101)
  else server.replyWith(xid, 1n, Operations.getData, { data, stat: Frames.stat })
  yield* settle
})

const itConnected = testWith(it.effect, connect(keeper))

describe("a session on ClickHouse Keeper", () => {
  itConnected("sends nothing before Keeper has announced its operations", function* ({ server, session }) {
    const asking = yield* Effect.forkChild(exists(session, "/a"), now)
    yield* settle
    assert.lengthOf(server.received, 2)
    yield* announce(server, persistentWatches)
    const { name, xid } = yield* server.nextRequest
    assert.strictEqual(name, "exists")
    answerExists(server, xid)
    yield* Fiber.join(asking)
  })

  itConnected("has no operation refused that is announced", function* ({ server, session }) {
    yield* announce(server, persistentWatches)
    yield* Effect.forkScoped(session.watchPersistently(samePath("/a"), { recursive: false, listener: silent }), now)
    yield* Effect.forkChild(Effect.ignore(exists(session, "/b")), now)
    yield* settle
    // Side by side: Keeper certainly knows it.
    assertEach(yield* server.requests, ({ name }) => name, ["addWatch", "exists"])
  })

  for (const [title, data] of [
    ["it announces others", persistentWatches],
    ["it announces nothing", undefined],
    ["its flags are cut short", Uint8Array.of()]
  ] as const) {
    itConnected(`refuses an operation without a word to Keeper where ${title}`, function* ({ server, session }) {
      const early = yield* Effect.forkChild(Effect.flip(whoAmI(session)), now)
      yield* announce(server, data)
      for (const error of [yield* Fiber.join(early), yield* Effect.flip(whoAmI(session))]) {
        assert.deepInclude({ ...error }, { _tag: "ServerRefused", name: "Unimplemented" })
      }
      assert.lengthOf(yield* server.requests, 0)
      assert.isFalse(session.info.serverFeatures.supports("whoAmI"))
    })
  }

  itConnected("removes no watch where Keeper cannot", function* ({ server, session }) {
    yield* announce(server, undefined)
    const changed = yield* Effect.forkChild(yield* watchData(session, server, "/a"), now)
    yield* Fiber.interrupt(changed)
    yield* settle
    assert.lengthOf(yield* server.requests, 0)
  })

  itConnected("is as on ZooKeeper where the next server is one", function* ({ network, server, session }) {
    yield* announce(server, undefined)
    server.cut()
    yield* settle
    const next = yield* reconnect(network, session)
    yield* answerWhoAmI(session, next)
  })

  itEffect("is closed with the connection, which Keeper ends without an answer", function* () {
    const { close, network, server } = yield* connectClosable(keeper)
    yield* announce(server, undefined)
    server.answersCloseSession = false
    const closing = yield* Effect.forkChild(close, now)
    yield* settle
    assert.isTrue(server.sawCloseSession)
    server.cut()
    yield* Fiber.join(closing)
    assert.lengthOf(network.dialled, 1)
  })
})
