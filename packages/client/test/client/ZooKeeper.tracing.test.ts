import { assertEach } from "@effect-zookeeper/test-kit/Expectations"
import { assert, describe, it } from "@effect/vitest"
import { testWith } from "@effect-zookeeper/test-kit/TestWith"
import * as Effect from "effect/Effect"
import { makeScriptedClient, stat } from "../support/scriptedClient.ts"
import { recordSpans } from "../support/spans.ts"

const answering = makeScriptedClient(() => Effect.succeed({ data: null, stat }))

const itAnswering = testWith(it.effect, answering)

describe("spans", () => {
  itAnswering("describe each request to a tracer that listens", function* ({ zk }) {
    const { spans, tracer } = recordSpans()
    yield* zk.get("/a").pipe(Effect.withTracer(tracer))
    assertEach(spans, ({ kind, name }) => [name, kind], [["zookeeper.getData", "client"]])
    assert.deepStrictEqual(Object.fromEntries(spans[0]?.attributes ?? []), {
      "db.system.name": "zookeeper",
      "db.operation.name": "getData",
      "zookeeper.path": "/a",
      "server.address": "zk1",
      "server.port": 2181
    })
    assert.strictEqual(spans[0]?.status._tag, "Ended")
  })

  itAnswering("are children of the caller's", function* ({ zk }) {
    const { spans, tracer } = recordSpans()
    yield* zk.set("/a", "").pipe(Effect.withSpan("caller"), Effect.withTracer(tracer))
    assertEach(spans, ({ name }) => name, ["caller", "zookeeper.setData"])
    assert.strictEqual(spans[1]?.parent._tag, "Some")
  })

  itAnswering("are not made where tracing is disabled", function* ({ zk }) {
    const { spans, tracer } = recordSpans()
    yield* zk.get("/a").pipe(Effect.withTracer(tracer), Effect.withTracerEnabled(false))
    assert.deepStrictEqual(spans, [])
  })
})
