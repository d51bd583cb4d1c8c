import { assert, describe, vi } from "@effect/vitest"
import { itEffect } from "@effect-zookeeper/test-kit/TestWith"
import * as Effect from "effect/Effect"
import * as Fs from "node:fs"
import * as Path from "node:path"
import * as TemporaryFolder from "../../src/TemporaryFolder.ts"
import * as ZooKeeperInstall from "../../src/ZooKeeperInstall.ts"
import { failure } from "../../src/Expectations.ts"

/** Runs with other environment variables, and puts them back. */
const withEnv = <A, E, R>(changes: Record<string, string>, effect: Effect.Effect<A, E, R>) =>
  Effect.acquireUseRelease(
    Effect.sync(() => Object.entries(changes).forEach(([key, value]) => vi.stubEnv(key, value))),
    () => effect,
    () => Effect.sync(() => vi.unstubAllEnvs())
  )

describe("ZooKeeperInstall", () => {
  itEffect("finds what this run uses", function* () {
    const install = yield* ZooKeeperInstall.find
    assert.isNotEmpty(install.source)
  })

  itEffect("says in one line what to install when there is nothing, and installs nothing unasked", function* () {
    const nothing = { PATH: "", JAVA_HOME: "", ZOOKEEPER_HOME: "", ZK_INSTALL: "" }
    // Where Debian's package is there, java is missing with an empty PATH.
    for (const effect of [ZooKeeperInstall.find, ZooKeeperInstall.findOrInstall]) {
      const error = yield* failure(withEnv(nothing, effect), "ZooKeeperNotFound")
      assert.notInclude(error.message, "\n")
      assert.match(error.message, /apt-get install zookeeper.*ZOOKEEPER_HOME.*Docker/)
      assert.include(error.message, "ZOOKEEPER_HOME is not set")
    }
  })

  itEffect("takes no other ZooKeeper where ZOOKEEPER_HOME does not serve", function* () {
    const folder = yield* TemporaryFolder.make("zookeeper-")
    for (const [home, reason] of [
      [Path.join(folder, "nowhere"), "there is no such folder"],
      [folder, "no zookeeper-*.jar"]
    ] as const) {
      for (const effect of [ZooKeeperInstall.find, ZooKeeperInstall.findOrInstall]) {
        const error = yield* failure(withEnv({ ZOOKEEPER_HOME: home }, effect), "ZooKeeperServerError")
        assert.include(error.message, `ZOOKEEPER_HOME=${home}`)
        assert.include(error.message, reason)
        assert.notInclude(error.message, "\n")
      }
    }
  })

  for (const [layout, folder] of [
    ["all jars in lib", "lib"],
    ["the server's own jar beside lib", ""]
  ] as const) {
    itEffect(`knows an Apache release with ${layout}`, function* () {
      const home = yield* TemporaryFolder.make("zookeeper-")
      Fs.mkdirSync(Path.join(home, "lib"))
      Fs.writeFileSync(Path.join(home, folder, "zookeeper-3.4.14.jar"), "")
      const install = yield* withEnv({ ZOOKEEPER_HOME: home }, ZooKeeperInstall.find)
      const paths = install._tag === "Java" ? install.classPath.split(Path.delimiter) : []
      assert.include(paths, Path.join(home, "lib", "*"))
      assert.include(paths, Path.join(home, folder, "*"))
    })
  }
})
