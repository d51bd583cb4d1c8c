/** A command is not started where others contend that do not wait for it. */
import type { Service } from "@effect-zookeeper/client/Service"
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { describeOnServers } from "../support/zk.ts"

const hex = "8f4a25d40f3b4f4a9c8e9f5f2d2b1c77"
const guid = "8f4a25d4-0f3b-4f4a-9c8e-9f5f2d2b1c77"

/** A contender that does nothing. */
const contend = (zk: Service, prefix: string) =>
  zk.createWithParents(prefix, { mode: "ephemeralSequential", data: "another" })

describeOnServers("a guarded command", (it) => {
  it.inChroot("is not started beside contenders that do not see it", function* ({ run, zk }) {
    yield* contend(zk, `/l/${hex}__lock__`)
    assert.deepInclude(yield* run(["lock", "/l", "--", "true"]), {
      code: 4,
      out: "",
      err: "zk: /l has contenders of kazoo, which do not wait for those of the layout curator: give --layout kazoo, or wait until they are gone\n"
    })
    assert.lengthOf(yield* zk.getChildren("/l"), 1)
    yield* contend(zk, `/c/_c_${guid}-lock-`)
    const { code, err } = yield* run(["lock", "/c", "--layout", "kazoo", "--", "true"])
    assert.deepStrictEqual(
      [code, err],
      [
        4,
        "zk: /c has contenders of Curator or of this library, which do not wait for those of the layout kazoo: give --layout curator, or wait until they are gone\n"
      ]
    )
  })

  it.inChroot("waits for contenders that see it", function* ({ run, zk }) {
    const held = { code: 124, out: "", err: "zk: /l is held by another\n" }
    for (const [layout, other] of [
      ["kazoo", `${hex}__lock__`],
      ["go", `_c_${guid}-lock-`],
      ["curator", `_c_${hex}-lock-`],
      ["curator", `lock-${hex}-`]
    ] as const) {
      const path = yield* contend(zk, `/l/${other}`)
      assert.deepInclude(yield* run(["lock", "/l", "--layout", layout, "--wait", "0", "--", "true"]), held)
      yield* zk.delete(path)
    }
  })

  it.inChroot("is not started beside contenders of another recipe", function* ({ run, zk }) {
    yield* contend(zk, `/l/_c_${guid}-__READ__`)
    const { code, err } = yield* run(["lock", "/l", "--", "true"])
    assert.strictEqual(code, 4)
    assert.include(err, "of Curator or of this library for a read-write lock,")
    assert.include(err, "name another path")
  })

  it.inChroot("is not started beside a leader that does not see it", function* ({ run, zk }) {
    for (const [layout, other] of [
      ["kazoo", `${hex}__lock__`],
      ["selector", `_c_${guid}-lock-`]
    ] as const) {
      yield* contend(zk, `/${layout}/${other}`)
      const { code, err } = yield* run(["elect", `/${layout}`, "--", "true"])
      assert.strictEqual(code, 4)
      assert.include(err, `those of the layout latch: give --layout ${layout}, or wait until they are gone`)
    }
  })

  it.inChroot("is not started beside permits of kazoo", function* ({ run, zk }) {
    yield* zk.create("/s", { data: "2" })
    yield* zk.create(`/s/${hex}`, { mode: "ephemeral" })
    assert.deepInclude(yield* run(["semaphore", "/s", "-n", "2", "--", "true"]), {
      code: 4,
      err: "zk: /s has permits of kazoo, which do not count those of zk: name another path, or wait until they are gone\n"
    })
    assert.deepStrictEqual(yield* zk.getChildren("/s"), [hex])
  })

  it.inChroot("is not started where such contenders have come while it waited", function* ({ run, zk }) {
    const holder = yield* contend(zk, `/l/_c_${guid}-lock-`)
    const waiting = yield* Effect.forkChild(run(["lock", "/l", "--", "true"]))
    while ((yield* zk.getChildren("/l")).length < 2) yield* Effect.sleep("10 millis")
    yield* contend(zk, `/l/${hex}__lock__`)
    yield* zk.delete(holder)
    const { code, err } = yield* Fiber.join(waiting)
    assert.strictEqual(code, 4)
    assert.include(err, "/l has contenders of kazoo")
    assert.lengthOf(yield* zk.getChildren("/l"), 1)
  })
})
