/** The examples of the README are files beside this one, so that they are compiled and run on a real server. */
import { fresh } from "@effect-zookeeper/test-kit/TestServer"
import { assert, describe, it, vi } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { readFileSync } from "node:fs"
import { connect } from "./utils.ts"

const textOf = (path: string) => readFileSync(new URL(path, import.meta.url), "utf8")

const readme = textOf("../README.md")

const quickStart = ["/jobs/job-0000000000", "payload", "getData /nowhere: the znode does not exist"]

const examples: ReadonlyArray<readonly [name: string, run: () => Promise<unknown>, prints: ReadonlyArray<unknown>]> = [
  ["effect", () => import("./examples/effect.ts"), quickStart],
  ["promise", () => import("./examples/promise.ts"), quickStart],
  [
    "transaction",
    () => import("./examples/transaction.ts"),
    ["/account", 1, "operation 1: check /owner: the znode does not exist"]
  ],
  ["promiseRead", () => import("./examples/promiseRead.ts"), ["dark", "NoNode"]],
  ["znode", () => import("./examples/znode.ts"), [3, ["mail"]]],
  ["watch", () => import("./examples/watch.ts"), ["nothing yet", "dark"]]
]

describe("the README", () => {
  // The same for all: Effect reads the environment once, when its first configuration is asked for.
  const { connectString } = fresh("readme")

  for (const [name, run, prints] of examples) {
    it.live(`shows the ${name} example as it is, and what it prints`, () =>
      Effect.gen(function* () {
        assert.include(readme, `\`\`\`ts\n${textOf(`examples/${name}.ts`)}\`\`\``)
        const zk = yield* connect({ servers: connectString })
        // Persistent: a container that the clearing empties would be reaped under the example.
        yield* Effect.catchTag(zk.create("/"), "NodeExists", () => Effect.void)
        for (const child of yield* zk.getChildren("/")) yield* zk.deleteAll(`/${child}`)
        vi.stubEnv("ZOOKEEPER", connectString)
        const printed: Array<unknown> = []
        const log = vi.spyOn(console, "log").mockImplementation((...line) => void printed.push(...line))
        yield* Effect.promise(run).pipe(
          Effect.ensuring(
            Effect.sync(() => {
              log.mockRestore()
              vi.unstubAllEnvs()
            })
          ),
          Effect.tap(() => Effect.sync(() => assert.deepStrictEqual(printed, prints)))
        )
      })
    )
  }

  it("shows no other example", () => {
    assert.lengthOf(readme.match(/^```ts$/gm) ?? [], examples.length)
  })
})
