/** Exports, imports and copies of subtrees. */
import * as Acl from "@effect-zookeeper/client/Acl"
import { failure } from "@effect-zookeeper/test-kit/Expectations"
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Zlib from "node:zlib"
import { describeOnServers, type Page } from "../support/console.ts"

const main = { cluster: "main" } as const

const exported = (page: Page, path: string) =>
  page.exportSubtree({ ...main, path }).pipe(
    Stream.runCollect,
    Effect.map((events) => Buffer.concat(events.flatMap((event) => (event._tag === "part" ? [event.bytes] : []))))
  )

const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes)

describeOnServers("a subtree", (it) => {
  it.console("is exported as a file without hashes, and imported where nothing is", function* ({ page, zk }) {
    const secret = Acl.digestId("alice:0123456789012345678901234560", "cdrwa")
    yield* zk.create("/app", { data: "root" })
    yield* zk.create("/app/a", { data: new Uint8Array([0, 255, 1]) })
    yield* zk.create("/app/a/b", { data: "deep" })
    yield* zk.create("/app/secret", { acl: [...Acl.open, secret] })
    yield* zk.create("/app/mine", { mode: "ephemeral" })
    const file = yield* exported(page, "/app")
    const lines = textOf(Zlib.gunzipSync(file))
    assert.notInclude(lines, "0123456789")
    assert.include(lines, "alice")

    const wanted = { ...main, path: "/copies/app", file, isTrial: false }
    const trial = yield* page.importSubtree({ ...wanted, isTrial: true })
    assert.deepStrictEqual(trial, { created: 4, kept: 0, leftOut: 1, withOtherAcl: 1 })
    assert.isFalse(yield* zk.exists("/copies"))
    assert.deepStrictEqual(yield* page.importSubtree(wanted), trial)
    assert.strictEqual(textOf(yield* zk.getData("/copies/app/a/b")), "deep")
    assert.deepStrictEqual([...(yield* zk.getData("/copies/app/a"))], [0, 255, 1])
    assert.deepStrictEqual((yield* zk.getAcl("/copies/app/secret")).acl, [...Acl.open])
    assert.isFalse(yield* zk.exists("/copies/app/mine"))
  })

  it.console("is copied beside itself, and changes no znode that is there", function* ({ page, zk }) {
    for (const path of ["/app", "/app/a", "/app/b", "/other", "/other/a"]) yield* zk.create(path, { data: path })
    const wanted = { ...main, path: "/app", to: "/other", isTrial: false }
    const copied = yield* page.copySubtree(wanted)
    assert.deepStrictEqual(copied, { created: 1, kept: 2, leftOut: 0, withOtherAcl: 0 })
    assert.strictEqual(textOf(yield* zk.getData("/other/a")), "/other/a")
    assert.strictEqual((yield* zk.get("/other/a")).stat.version, 0)
    assert.strictEqual(textOf(yield* zk.getData("/other/b")), "/app/b")
    for (const to of ["/app", "/app/c", "/", "/a/../b", "app"]) {
      assert.strictEqual((yield* failure(page.copySubtree({ ...wanted, to }), "Refused")).reason, "invalid", to)
    }
    const missing = page.copySubtree({ ...wanted, path: "/nothing", to: "/new" })
    assert.strictEqual((yield* failure(missing, "NoSuchZnode")).path, "/nothing")
  })

  it.console("is not created from a file that is no backup, or too large a one", function* ({ page, zk }) {
    yield* zk.create("/app", { data: "1" })
    const file = yield* exported(page, "/app")
    const { limits } = yield* page.hello()
    const files: ReadonlyArray<readonly [Uint8Array, string]> = [
      [new Uint8Array(), "invalid"],
      [new TextEncoder().encode("{}\n"), "invalid"],
      [file.subarray(0, file.length - 9), "invalid"],
      [Zlib.gzipSync("not a backup"), "invalid"],
      [new Uint8Array(limits.imported + 1), "tooMuch"]
    ]
    for (const [bytes, reason] of files) {
      const refused = yield* failure(
        page.importSubtree({ ...main, path: "/new", file: bytes, isTrial: false }),
        "Refused"
      )
      assert.strictEqual(refused.reason, reason)
      // The place of a temporary file is of no use to a page.
      assert.notInclude(refused.message, "zk-ui-")
    }
    assert.deepStrictEqual(yield* zk.getChildren("/"), ["app"])
  })

  it.console("that is gone cannot be exported", function* ({ page }) {
    assert.strictEqual((yield* failure(exported(page, "/nothing"), "NoSuchZnode")).path, "/nothing")
  })
})

describeOnServers("a new znode", (it) => {
  it.console("is ephemeral in the session of the console", function* ({ page, zk }) {
    const { stat } = yield* page.create({
      ...main,
      path: "/e",
      data: new Uint8Array(),
      mode: "ephemeral",
      parents: false
    })
    assert.notStrictEqual(stat.ephemeralOwner, 0n)
    assert.notStrictEqual(stat.ephemeralOwner, zk.session.id)
    assert.strictEqual((yield* zk.get("/e")).stat.ephemeralOwner, stat.ephemeralOwner)
  })
})
