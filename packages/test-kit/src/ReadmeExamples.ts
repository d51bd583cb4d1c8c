/**
 * Examples of a README that are files of a test folder, so that they are compiled, and run on a real server.
 *
 * @since 0.1.0
 */
import * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import { assert, describe, it, vi } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Fs from "node:fs"
import { fresh } from "./TestServer.ts"

/**
 * A file of the folder without `.ts`, what imports it, and what it prints.
 *
 * @category models
 * @since 0.1.0
 */
export type Example = readonly [name: string, run: () => Promise<unknown>, prints: ReadonlyArray<unknown>]

/**
 * Defines a test for each example, and one that the README shows no other. The examples find their server in `ZOOKEEPER`.
 *
 * @category testing
 * @since 0.1.0
 */
export const define = (readme: URL, folder: URL, examples: ReadonlyArray<Example>): void => {
  describe("the README", () => {
    const text = Fs.readFileSync(readme, "utf8")
    // The same for all: Effect reads the environment once, when its first configuration is asked for.
    const { connectString } = fresh("readme")

    for (const [name, run, prints] of examples) {
      it.live(`shows the ${name} example as it is, and what it prints`, () =>
        Effect.gen(function* () {
          assert.include(text, `\`\`\`ts\n${Fs.readFileSync(new URL(`${name}.ts`, folder), "utf8")}\`\`\``)
          yield* clear(connectString)
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
      assert.lengthOf(text.match(/^```ts$/gm) ?? [], examples.length)
    })
  })
}

// ---- internal

/** An empty root. */
const clear = (servers: string) =>
  Effect.gen(function* () {
    const context = yield* Layer.build(Layer.fresh(ZooKeeper.layer({ servers })))
    const zk = Context.get(context, ZooKeeper.ZooKeeper)
    // Persistent: a container that the clearing empties would be reaped under the example.
    yield* Effect.catchTag(zk.create("/"), "NodeExists", () => Effect.void)
    for (const child of yield* zk.getChildren("/")) {
      // A container of the example before may be reaped meanwhile.
      yield* Effect.catchTag(zk.deleteAll(`/${child}`), "NoNode", () => Effect.void)
    }
  })
