import { assert, describe, it } from "@effect/vitest"
import * as ZooKeeperServer from "@effect-zookeeper/test-kit/ZooKeeperServer"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import { DataDirectory, TransactionLog } from "../../src/index.ts"
import { collect, withFiles } from "../support/files.ts"
import { randomHistory } from "../support/histories.ts"
import { formatterParagraphs, javaTool, paragraphsOf, toolkitLine } from "../support/javaTools.ts"
import { smallHistory } from "../support/smallHistory.ts"

describe("ZooKeeper's own tools", () => {
  it.live("print of a snapshot what is read here (SnapshotFormatter)", () =>
    Effect.gen(function* () {
      const server = yield* ZooKeeperServer.make({ jvmFlags: ["-Dfile.encoding=UTF-8"] })
      yield* randomHistory(server.connectString, 300).pipe(Random.withSeed("formatter"))
      yield* server.kill
      // A server that starts writes a snapshot.
      yield* server.start
      yield* server.kill
      const { snapshots } = yield* DataDirectory.list(`${server.folder}/data`)
      const newest = snapshots.at(-1)!
      const output = yield* javaTool("SnapshotFormatter", newest.path)
      if (output === undefined) return
      const { tree } = yield* DataDirectory.treeAt(`${server.folder}/data`, { zxid: newest.zxid })
      assert.deepStrictEqual(paragraphsOf(output), formatterParagraphs(tree))
      for (const [id, timeout] of tree.sessions) {
        assert.match(output, new RegExp(`^0x0*${id.toString(16)}, ${timeout}, \\d+$`, "m"))
      }
    }).pipe(withFiles)
  )

  it.live("print of a log what is read here (TxnLogToolkit)", () =>
    Effect.gen(function* () {
      const { log } = yield* smallHistory()
      const output = yield* javaTool("persistence.TxnLogToolkit", "--dump", log)
      if (output === undefined) return
      const { records } = yield* collect(TransactionLog.read(log))
      assert.include(output, `EOF reached after ${records.length} txns.`)
      // An ACL and a configuration have lines of their own.
      const lines = output.split(/\n(?=\d+\/\d+\/\d+, )/).slice(1)
      const printed = lines.map((line) => line.replace(/^[^a-z]*UTC /, "").replace(/\nEOF reached.*\n$/s, ""))
      const expected = records.map(toolkitLine)
      assert.strictEqual(printed.length, expected.length)
      for (const [at, line] of printed.entries()) {
        const isMulti = / multi /.test(line)
        // The toolkit prints the bytes of a multi, in which the names of the operations are the only text that can be told.
        const operations = isMulti
          ? line.replace(/ multi .*/s, ` multi ${[...line.matchAll(/(\w+):/g)].map((match) => match[1]).join(";")}`)
          : line
        assert.strictEqual(operations, expected[at])
        const time = Date.parse(`${/^(.*) UTC /.exec(lines[at]!)![1]!.replace(/[\u202f,]/g, " ")} UTC`)
        assert.strictEqual(time, Math.floor(records[at]!.time / 1000) * 1000)
      }
    }).pipe(withFiles)
  )
})
