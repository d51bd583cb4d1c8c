import { assert, describe } from "@effect/vitest"
import { itLive } from "@effect-zookeeper/test-kit/TestWith"
import * as Effect from "effect/Effect"
import * as Command from "../support/command.ts"
import * as Znode from "../support/znode.ts"

describe("the command zookeeper", () => {
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    itLive(`prints the connect string alone on stdout, and stops the server on ${signal}`, function* () {
      const child = yield* Command.start("zookeeper")
      const connectString = yield* Command.firstLine(child)
      assert.match(connectString, /^127\.0\.0\.1:\d+$/)
      const port = Number(connectString.split(":")[1])
      assert.strictEqual(yield* Znode.create(port, "/here"), 0)
      yield* Command.stop(child, signal)
      assert.match((yield* Effect.flip(Znode.exists(port, "/here"))).toString(), /ECONNREFUSED/)
    })
  }

  itLive("starts an ensemble and names all its servers", function* () {
    const connectString = yield* Command.firstLine(yield* Command.start("zookeeper", "--ensemble", "--tick", "200"))
    assert.match(connectString, /^(127\.0\.0\.1:\d+,){2}127\.0\.0\.1:\d+$/)
  })
})
