import { assert, describe } from "@effect/vitest"
import { itEffect } from "@effect-zookeeper/test-kit/TestWith"
import * as Effect from "effect/Effect"
import * as ZooKeeperInstall from "../../src/ZooKeeperInstall.ts"

/** Runs with other environment variables, and puts them back. */
const withEnv = <A, E, R>(changes: Record<string, string>, effect: Effect.Effect<A, E, R>) =>
  Effect.acquireUseRelease(
    Effect.sync(() => {
      const before = { ...process.env }
      Object.assign(process.env, changes)
      return before
    }),
    () => effect,
    (before) => Effect.sync(() => Object.keys(changes).forEach((key) => restore(key, before[key])))
  )

const restore = (key: string, value: string | undefined): void => {
  if (value === undefined) delete process.env[key]
  else process.env[key] = value
}

describe("ZooKeeperInstall", () => {
  itEffect("finds what this run uses", function* () {
    const install = yield* ZooKeeperInstall.find
    assert.isNotEmpty(install.source)
  })

  itEffect("says in one line what to install when there is nothing, and installs nothing unasked", function* () {
    const nothing = { PATH: "", JAVA_HOME: "", ZOOKEEPER_HOME: "/nowhere", ZK_INSTALL: "" }
    for (const effect of [ZooKeeperInstall.find, ZooKeeperInstall.findOrInstall]) {
      const error = yield* Effect.flip(withEnv(nothing, effect))
      assert.strictEqual(error._tag, "ZooKeeperNotFound")
      assert.notInclude(error.message, "\n")
      assert.match(error.message, /apt-get install zookeeper.*ZOOKEEPER_HOME.*Docker/)
      assert.match(error.message, /ZOOKEEPER_HOME=\/nowhere has no lib\/zookeeper-\*\.jar/)
    }
  })
})
