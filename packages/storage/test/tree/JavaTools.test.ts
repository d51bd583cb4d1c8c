import { assert, describe, it } from "@effect/vitest"
import * as TestServer from "@effect-zookeeper/test-kit/TestServer"
import * as ZooKeeperServer from "@effect-zookeeper/test-kit/ZooKeeperServer"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import { DataDirectory, TransactionLog } from "../../src/index.ts"
import { loadSnapshot } from "../../src/internal/tree/loadSnapshot.ts"
import { collect, withFiles } from "../support/files.ts"
import { randomHistory } from "../support/histories.ts"
import { formatterParagraphs, javaTool, paragraphsOf, printedLine, toolkitLine } from "../support/javaTools.ts"
import { smallHistory } from "../support/smallHistory.ts"

const isLong = process.env["ZK_LONG"] === "1"

/** How many operations a history has. */
const operations = isLong ? 2000 : 300

const timeout = isLong ? 600_000 : 90_000

/** The toolkit's lines of a log are those of the transactions that are read here. */
const compareLog = Effect.fnUntraced(function* (log: string) {
  const output = yield* javaTool("persistence.TxnLogToolkit", ...(TestServer.isAtLeast("3.5.0") ? ["--dump"] : []), log)
  if (output === undefined) return
  const { records } = yield* collect(TransactionLog.read(log))
  const end = `\nEOF reached after ${records.length} txns.\n`
  assert.isTrue(output.endsWith(end), output.slice(-200))
  // An ACL and a configuration have lines of their own.
  const lines = output
    .slice(0, -end.length)
    .split(/\n(?=\d+\/\d+\/\d+, )/)
    .slice(1)
  assert.strictEqual(lines.length, records.length)
  for (const [at, line] of lines.entries()) {
    assert.strictEqual(printedLine(line), toolkitLine(records[at]!))
    const time = Date.parse(`${/^(.*?) UTC /.exec(line)![1]!.replace(/[\u202f,]/g, " ")} UTC`)
    assert.strictEqual(time, Math.floor(records[at]!.time / 1000) * 1000)
  }
})

/** The newest snapshot that a server has completed, and what is in it. */
const newestSnapshot = Effect.fnUntraced(function* (directory: string) {
  const { snapshots } = yield* DataDirectory.list(directory)
  for (const snapshot of snapshots.toReversed()) {
    const loaded = yield* Effect.option(loadSnapshot(snapshot, {}))
    if (Option.isSome(loaded)) return { path: snapshot.path, tree: loaded.value.tree }
  }
  return yield* Effect.die(`none of ${snapshots.length} snapshots is complete`)
})

describe("ZooKeeper's own tools print of the files of a real server what is read here", () => {
  it.live(
    "of a snapshot (SnapshotFormatter)",
    () =>
      Effect.gen(function* () {
        const server = yield* ZooKeeperServer.make({ config: ["snapCount=100"], jvmFlags: ["-Dfile.encoding=UTF-8"] })
        yield* randomHistory(server.connectString, operations).pipe(Random.withSeed("formatter"))
        yield* server.kill
        const { path, tree } = yield* newestSnapshot(`${server.folder}/data`)
        assert.isAbove(tree.size, 5)
        const output = yield* javaTool("SnapshotFormatter", path)
        if (output === undefined) return
        assert.deepStrictEqual(paragraphsOf(output), formatterParagraphs(tree))
        for (const [id, lasts] of tree.sessions) {
          assert.match(output, new RegExp(`^0x0*${id.toString(16)}, ${lasts}, \\d+$`, "m"))
        }
      }).pipe(withFiles),
    timeout
  )

  it.live(
    "of the log of a random history (TxnLogToolkit)",
    () =>
      Effect.gen(function* () {
        const server = yield* ZooKeeperServer.make({ jvmFlags: ["-Dfile.encoding=UTF-8"] })
        yield* randomHistory(server.connectString, operations).pipe(Random.withSeed("toolkit"))
        yield* server.kill
        const { logs } = yield* DataDirectory.list(`${server.folder}/data`)
        assert.isAbove(logs.length, 0)
        for (const { path } of logs) yield* compareLog(path)
      }).pipe(withFiles),
    timeout
  )

  it.live(TestServer.needs("3.6.0", "of a log with every type of transaction (TxnLogToolkit)"), () =>
    TestServer.isAtLeast("3.6.0")
      ? Effect.flatMap(smallHistory(), ({ log }) => compareLog(log)).pipe(withFiles)
      : Effect.void
  )
})
