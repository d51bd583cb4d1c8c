/** `zk edit`: what the editor leaves is written, and nothing that was typed is lost. */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { inFolder } from "../support/folder.ts"
import { describeOnServers, textOf } from "../support/zk.ts"

describeOnServers("zk edit", (it) => {
  it.inChroot("writes the text that the editor leaves", function* ({ run, zk }) {
    yield* zk.create("/a", { data: "one\n" })
    const { code, out } = yield* run(["edit", "/a"], { env: { EDITOR: "sed -i s/one/two/" } })
    assert.deepStrictEqual({ code, out }, { code: 0, out: "set /a  (version 1)\n" })
    assert.strictEqual(yield* textOf(zk, "/a"), "two\n")
  })

  it.inChroot("writes nothing where nothing has changed, or the editor fails", function* ({ run, zk }) {
    yield* zk.create("/a", { data: "one\n" })
    const same = yield* run(["edit", "/a"], { env: { EDITOR: "true" } })
    assert.deepStrictEqual({ code: same.code, err: same.err }, { code: 0, err: "/a: no change\n" })
    const failed = yield* run(["edit", "/a"], { env: { EDITOR: "false" } })
    const message = "zk: the editor ended with 1; nothing was written\n"
    assert.deepStrictEqual({ code: failed.code, err: failed.err }, { code: 1, err: message })
    const missing = yield* run(["edit", "/a"], { env: { EDITOR: "/no/such/editor" } })
    const noProgram = "zk: /no/such/editor cannot be started: no such program; set EDITOR\n"
    assert.deepStrictEqual([missing.code, missing.err], [1, noProgram])
    yield* zk.set("/a", new Uint8Array([255]))
    assert.strictEqual((yield* run(["edit", "/a"], { env: { EDITOR: "true" } })).code, 1)
    assert.strictEqual((yield* zk.get("/a")).stat.version, 1)
  })

  it.inChroot("keeps the text of an editor that fails, or that --timeout ends", function* ({ run, zk }) {
    yield* zk.create("/a", { data: "one\n" })
    const folder = yield* inFolder
    for (const [end, code, timeout] of [
      ["exit 3", 1, "20s"],
      ["exec sleep 60", 124, "4s"]
    ] as const) {
      const editor = Path.join(folder, "editor.sh")
      Fs.writeFileSync(editor, `#!/bin/sh\necho mine > "$1"; ${end}\n`, { mode: 0o755 })
      const failed = yield* run(["edit", "/a", "--timeout", timeout], { env: { EDITOR: editor } })
      assert.strictEqual(failed.code, code, failed.err)
      const file = /kept in (\S+)/.exec(failed.err)?.[1] ?? ""
      assert.strictEqual(Fs.readFileSync(file, "utf8"), "mine\n")
      Fs.rmSync(Path.dirname(file), { recursive: true })
    }
    assert.strictEqual(yield* textOf(zk, "/a"), "one\n")
  })

  it.inChroot("keeps what an editor has saved for itself when it is ended", function* ({ run, zk }) {
    yield* zk.create("/a", { data: "one\n" })
    const editor = Path.join(yield* inFolder, "editor.sh")
    Fs.writeFileSync(editor, '#!/bin/sh\necho typed > "$(dirname "$1")/.a.swp"; kill -TERM $$\n', { mode: 0o755 })
    const { code, err } = yield* run(["edit", "/a"], { env: { EDITOR: editor } })
    assert.strictEqual(code, 1, err)
    const file = /^what the editor has saved is kept in (\S+)$/m.exec(err)?.[1] ?? ""
    assert.strictEqual(Fs.readFileSync(file, "utf8"), "typed\n")
    assert.deepStrictEqual(Fs.readdirSync(Path.dirname(file)), [".a.swp"])
    Fs.rmSync(Path.dirname(file), { recursive: true })
  })

  it.inChroot("keeps both versions after a conflict", function* ({ run, zk }) {
    yield* zk.create("/a", { data: "one\n" })
    const folder = yield* inFolder
    const isOpen = Path.join(folder, "open")
    const isWritten = Path.join(folder, "written")
    const editor = Path.join(folder, "editor.sh")
    Fs.writeFileSync(
      editor,
      `#!/bin/sh\necho mine > "$1"; touch ${isOpen}; while [ ! -e ${isWritten} ]; do sleep 0.05; done\n`,
      { mode: 0o755 }
    )
    const others = Effect.gen(function* () {
      while (!Fs.existsSync(isOpen)) yield* Effect.sleep("20 millis")
      yield* zk.set("/a", "theirs\n")
      Fs.writeFileSync(isWritten, "")
    })
    const [{ code, err }] = yield* Effect.all([run(["edit", "/a"], { env: { EDITOR: editor } }), others], {
      concurrency: 2
    })
    assert.strictEqual(code, 4)
    assert.isTrue(err.startsWith("- theirs, + yours\n  - theirs\n  + mine\nzk: /a was changed meanwhile"), err)
    const file = /kept in (\S+),/.exec(err)?.[1] ?? ""
    assert.strictEqual(Fs.readFileSync(file, "utf8"), "mine\n")
    assert.strictEqual(Fs.readFileSync(`${file}.theirs`, "utf8"), "theirs\n")
    assert.strictEqual(yield* textOf(zk, "/a"), "theirs\n")
    Fs.rmSync(Path.dirname(file), { recursive: true })
  })
})
